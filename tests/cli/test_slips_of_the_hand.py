"""What is mistyped on a command line, and what a machine hands over that is no text: told in words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from program_runner import REPORT, Cli

NO_TEXT = "\udcff"
"""As Python has a byte of no character, in an argument or a variable."""


@pytest.mark.parametrize("command", [["plan"], ["plan", "--drift-only"], ["apply", "--auto-approve"]])
def test_a_target_that_fits_nothing(cli: Cli, command: list[str]) -> None:
    """A target that is neither declared nor recorded is told, with the nearest one that is."""
    ran = cli(*command, "--target", "test/payrol", "--target", "test/payroll")
    note = "Note: --target test/payrol fits nothing that is declared or recorded: did you mean test/payroll?"
    assert [note] == [line for line in ran.err.splitlines() if line.startswith("Note: --target")]


def test_a_target_that_is_only_recorded(cli: Cli) -> None:
    """What is recorded and no longer declared can be a target."""
    cli.write(REPORT)
    cli.applied()
    cli.edit("  report:", "  statement:")
    ran = cli("plan", "--target", "test/report")
    assert ("", "Plan: 1 to revoke, 0 unchanged.") == (ran.err, ran.last)


def test_an_address_that_is_no_text(cli: Cli) -> None:
    """An address of bytes of no character is wrong usage, and no damage of the store."""
    cli.applied()
    ran = cli("show", f"test/{NO_TEXT}")
    assert (64, True) == (ran.code, ran.err.startswith("Error: 'test/\\udcff' is not an address")), ran.err


def test_a_login_that_is_no_text(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the login is called, the work is done, and stands in the history."""
    monkeypatch.setenv("LOGNAME", f"a{NO_TEXT}")
    cli.applied()
    assert " by a\ufffd@" in cli("audit", "log").out


def test_an_author_whom_git_calls_no_text(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An email that is no text in git's settings stops no plan."""
    monkeypatch.delenv("PROVISION_AUTHOR")
    settings = tmp_path / "gitconfig"
    settings.write_bytes(b"[user]\n\temail = a\xff@example.com\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert "a\ufffd@example.com" == cli("plan", "--json").json["author"]


def test_a_project_that_finds_no_room(tmp_path: Path) -> None:
    """Where a new project cannot be written, the folder is named."""
    line = f"ulimit -f 0; exec {sys.executable} -m provisioner init new"
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert (1, "Error: new cannot be written: File too large\n") == (done.returncode, done.stderr)
