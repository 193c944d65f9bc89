"""Each exit code of design §10, by the command that ends with it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from program_runner import KEY, PAYROLL, Cli

from provisioner.cli import program
from provisioner.state import open_store


def test_0_fine(cli: Cli) -> None:
    """A plan with changes is fine, unless more detail is asked for."""
    assert 0 == cli("plan").code


def test_1_failure(cli: Cli) -> None:
    """Problems in the manifests are a failure, each with its place."""
    cli.edit("payspace\n", "payspaec\n")
    ran = cli("validate")
    assert 1 == ran.code
    assert "credentials/all.yaml:3:15: unknown provider 'payspaec': did you mean 'payspace'?" in ran.err


def test_2_changes_pending(cli: Cli) -> None:
    """Pending changes are told only with --detailed-exitcode."""
    assert 2 == cli("plan", "--detailed-exitcode").code


def test_3_refused(cli: Cli) -> None:
    """What the rails refuse ends with 3, and the vendor is not called."""
    cli.write(KEY)
    cli.applied()
    ran = cli("renew", "test/rpp", "--auto-approve")
    assert 3 == ran.code
    assert "allow_downtime" in ran.err


def test_4_lease_held(cli: Cli) -> None:
    """While another run holds the lease an apply ends with 4, and says who holds it."""
    cli.applied()
    cli.edit("general", "special")
    url = "sqlite:///.provision/state.db"
    with open_store(url, project="payments", root=cli.root, clock=lambda: datetime.now(UTC)) as store:
        store.acquire(["test"], holder="another run")
        ran = cli("apply", "--auto-approve")
        assert "another run works on test" in cli("status").err
    assert 4 == ran.code
    assert "another run works on test" in ran.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("plna",), "Did you mean 'plan'?"),
        (("plan", "--frob"), "--frob"),
        (("plan", "--format", "xml"), "xml"),
        (("plan", "--env", "tset"), "did you mean test?"),
        (("apply", "no-such-file.json"), "no-such-file.json"),
        (("apply", "--auto-approve", "--parallelism", "0"), "--parallelism"),
        (("apply",), "--auto-approve"),
        (("show", "payroll"), "ENVIRONMENT/NAME"),
        (("schema", "projekt"), "project"),
        (("init", "--from", "nothing"), "quickstart"),
        (("renew",), "ADDRESS"),
        (("providers", "nobody"), "payspace"),
        ((), "Usage"),
    ],
)
def test_64_usage(cli: Cli, args: tuple[str, ...], words: str) -> None:
    """A command line that cannot be ends with 64 and says what could be."""
    ran = cli(*args)
    assert (64, True) == (ran.code, words in ran.err), ran.err


def test_a_missing_folder_is_usage(cli: Cli) -> None:
    """A folder that is not there is the command line's fault."""
    assert 64 == Cli(cli.root / "nowhere")("plan").code


def test_a_traceback_only_when_asked_for(cli: Cli) -> None:
    """Errors are words; where in the program they came from is shown by --debug alone."""
    cli.edit("payspace\n", "payspaec\n")
    assert "Traceback" not in cli("plan").err
    assert "Traceback" in cli("plan", before=("--debug",)).err


def test_a_bug_is_one_honest_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error is called a bug, without its text, which nobody checked."""
    monkeypatch.setitem(program.TABLE, "plan", ("provisioner.no_such_module:plan", ""))
    ran = cli("plan")
    assert (1, 1) == (ran.code, len(ran.err.splitlines()))
    assert "a bug in provision (ModuleNotFoundError)" in ran.err


def test_the_documented_codes_are_those_of_the_code() -> None:
    """The help names every exit code that the program's page lists, and no other."""
    listed = set(re.findall(r"^\| (\d+) \|", program.__doc__ or "", flags=re.MULTILINE))
    told = set(re.findall(r"\b\d+\b", program.program.epilog or ""))
    assert listed - {"130"} == told


def test_json_is_one_document(cli: Cli) -> None:
    """With --json stdout holds one document, whatever is told beside it."""
    cli.write(PAYROLL)
    assert {"plan", "exit_code", "outcomes"} == set(cli.applied("--json").json)
    assert [] == cli("plan", "--json").json["changes"]
    assert ["test/payroll"] == [one["address"] for one in cli("status", "--json").json["credentials"]]
    checked = cli("validate", "--json").json
    assert (True, [], 2) == (checked["valid"], checked["problems"], len(checked["warnings"]))
    cli.edit("team-payroll", "''")
    ran = cli("validate", "--json")
    assert (1, False) == (ran.code, ran.json["valid"])
