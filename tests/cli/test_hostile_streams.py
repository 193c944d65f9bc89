"""Streams that are closed, full or left: what was begun goes on, and the reason is told in words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from program_runner import PAYROLL, REPORT, Cli

PROGRAM = f"{sys.executable} -m provisioner"


def _sh(cli: Cli, command: str) -> subprocess.CompletedProcess[str]:
    """A command line of a shell, in which `provision` is the program and `$ROOT` the project."""
    script = f'provision() {{ {PROGRAM} -C "$ROOT" "$@"; }}; {command}'
    environment = {**os.environ, "ROOT": str(cli.root)}
    return subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False, input=""
    )


def test_an_apply_whose_log_nobody_reads_goes_on(cli: Cli) -> None:
    """When the reader of stderr leaves, the apply still ends what it began."""
    cli.write(PAYROLL + REPORT)
    done = _sh(cli, "provision apply --auto-approve 2>&1 >/dev/null | true; echo ${PIPESTATUS[0]}")
    assert "0\n" == done.stdout
    assert {"active"} == _states(cli)


def test_an_apply_whose_stderr_is_full_goes_on(cli: Cli) -> None:
    """A stderr that takes nothing stops no apply, not even with every step logged."""
    assert "0\n" == _sh(cli, "provision -v apply --auto-approve 2>/dev/full >/dev/null; echo $?").stdout
    assert {"active"} == _states(cli)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_closed(cli: Cli, closed: str) -> None:
    """A caller that closed streams, as some schedulers do, gets the same apply."""
    done = _sh(cli, f"provision apply --auto-approve {closed}")
    assert 0 == done.returncode, done.stderr
    assert {"active"} == _states(cli)


def test_nobody_to_ask(cli: Cli) -> None:
    """A closed stdin is no terminal: the question is refused in words."""
    done = _sh(cli, "provision apply <&-")
    assert (64, True) == (done.returncode, "there is no terminal to ask on" in done.stderr)


@pytest.mark.parametrize(
    "command", ["plan", "plan --json", "status", "schema", "secret get test/payroll --field client_id"]
)
def test_a_result_that_cannot_be_written(cli: Cli, command: str) -> None:
    """A full stdout is told as what it is, and is a failure."""
    cli.applied()
    done = _sh(cli, f"provision {command} >/dev/full")
    assert (1, True) == (done.returncode, "the result cannot be written to stdout: No space" in done.stderr)
    assert "bug" not in done.stderr


def _states(cli: Cli) -> set[str]:
    return {row["state"] for row in cli("status", "--json").json["credentials"]}


def test_version_with_stdout_closed(tmp_path: Path) -> None:
    """The shortest question needs no stdout either."""
    done = subprocess.run(
        ["bash", "-c", f"{PROGRAM} --version >&-"], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
