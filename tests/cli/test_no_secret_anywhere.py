"""Canary secrets: what the vendors issued appears in its sinks, sealed, and nowhere else."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli

LOUD = ("--debug", "-v")

SINKS = """\
  broken: {type: exec, command: [sh, -c, "cat; exit 1"]}
  command:
    type: exec
    command: [sh, -c, "cat > secrets/$$; ps -o args= -p $$ > told.txt; env >> told.txt; cat secrets/$$ >&2"]
users:"""


def test_no_secret_anywhere(cli: Cli, caplog: pytest.LogCaptureFixture) -> None:
    """State, journal, plans, output, logs, tracebacks and process arguments hold no secret."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    canaries: set[str] = set()

    def run(*args: str) -> int:
        ran = cli(*args, before=LOUD)
        said.extend((ran.out, ran.err))
        canaries.update(_delivered(cli.root / "secrets"))
        return ran.code

    cli.write(PAYROLL + REPORT + KEY)
    (cli.root / "secrets").mkdir()
    cli.edit("users:", SINKS, "provision.yaml")
    cli.edit("[app-env]", "[app-env, command]", "provision.yaml")
    assert 0 == run("plan", "--out", "plan.json")
    assert 0 == run("apply", "plan.json")
    assert 0 == run("plan", "--format", "markdown")
    assert 0 == run("renew", "test/payroll", "--auto-approve", "--json")
    assert 3 == run("renew", "test/rpp", "--auto-approve")
    cli.edit("owner: team-payments", "owner: team-payments\n    deliver: [broken]")
    assert 1 == run("apply", "--auto-approve")
    assert 0 == run("show", "test/payroll", "--json") + run("state", "show", "test/rpp")
    assert 0 == run("status") + run("sandbox", "list", "--all")
    read = cli("secret", "get", "test/payroll", "--json", before=LOUD)
    assert set(read.json.values()) <= canaries
    said.append(read.err)
    (cli.root / ".provision" / "identity.txt").chmod(0o644)
    assert 1 == run("secret", "get", "test/payroll")

    assert 7 == len(canaries)  # ids and secrets of three PaySpace generations, and PayNet's secret
    assert "Traceback" in "".join(said)
    said.append(caplog.text)
    said.append((cli.root / "told.txt").read_text())
    for text in said:
        assert not [canary for canary in canaries if canary in text]
    for path in _ours(cli.root):
        content = path.read_bytes()
        assert not [canary for canary in canaries if canary.encode() in content], path


def _delivered(folder: Path) -> set[str]:
    """Every value that a consumer got. An id of PayNet's is public: its twin lists it."""
    lines = [line for path in folder.rglob("*.env") for line in path.read_text().splitlines()]
    pairs = [line.partition("=") for line in lines]
    return {value.strip("'\"") for name, _, value in pairs if value and name != "RPP_CLIENT_ID"}


def _ours(root: Path) -> list[Path]:
    """Everything on the disk but the consumers' files and what the vendor's twins remember."""
    found = [path for path in root.rglob("*") if path.is_file()]
    return [path for path in found if not {"sandbox", "secrets"} & set(path.relative_to(root).parts)]
