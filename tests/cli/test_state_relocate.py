"""`state mv` and `state rm`: what the state knows moves and goes by a person's word; no vendor is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from program_runner import PAYROLL, REPORT, Cli

from provisioner.cli.program import program
from provisioner.secrets.identities import generate_identity


def events(cli: Cli, address: str) -> list[str]:
    """What the history says of an address."""
    return [event["event"] for event in cli("show", address, "--json").json["history"]]


def test_mv(cli: Cli) -> None:
    """A record moves with its secret; the vendor sees nothing, and a renamed manifest fits."""
    cli.applied()
    made = cli.ledger("payspace", "test")
    assert 0 == cli("state", "mv", "test/payroll", "test/wages", "--auto-approve", "--reason", "renamed").code
    assert ["test/wages"] == cli("state", "list", "--json").json["addresses"]
    assert "record moved" in events(cli, "test/wages")
    cli.write(PAYROLL.replace("payroll:", "wages:", 1))
    assert ["update"] == [change["action"] for change in cli("plan", "--json").json["changes"]]
    assert 0 == cli("secret", "get", "test/wages", "--field", "client_id", "--identity", _identity(cli)).code
    assert made == cli.ledger("payspace", "test")
    assert 0 == cli("audit", "verify").code


def _identity(cli: Cli) -> str:
    return str(cli.root / ".provision" / "identity.txt")


def test_rm_and_import(cli: Cli) -> None:
    """What is forgotten lives on at its vendor, and can be taken back; the history keeps its id."""
    cli.applied()
    (id,) = _ids(cli)
    assert 0 == cli("state", "rm", "test/payroll", "--auto-approve").code
    assert ([], ["active"]) == (
        cli("state", "list", "--json").json["addresses"],
        cli.ledger("payspace", "test"),
    )
    log = cli("audit", "log", "test/payroll").out
    assert ("record forgotten" in log, id in log) == (True, True)
    assert ["create"] == [change["action"] for change in cli("plan", "--json").json["changes"]]
    assert 0 == cli("import", "test/payroll", id, "--auto-approve").code
    assert [] == cli("plan", "--json").json["changes"]
    assert 1 == len(cli.ledger("payspace", "test"))


def _ids(cli: Cli, address: str = "test/payroll") -> list[str]:
    return [one["remote_id"] for one in cli("show", address, "--json").json["generations"]]


def test_to_another_project(cli: Cli, tmp_path: Path) -> None:
    """Forgotten here and imported there with its secret, a credential changes its project alone."""
    other = Cli(tmp_path / "other")
    generate_identity(other.root / ".provision" / "identity.txt")
    other.write(PAYROLL)
    other.edit("project: payments", "project: others", "provision.yaml")
    cli.applied()
    secret = cli("secret", "get", "test/payroll", "--json", "--identity", _identity(cli)).out
    (id,) = _ids(cli)
    assert 0 == cli("state", "rm", "test/payroll", "--auto-approve").code
    (other.root / ".provision" / "sandbox").symlink_to(cli.root / ".provision" / "sandbox")
    found = other("discover", "--json").json["unmanaged"]
    assert [(id, "tagged test/payroll of project payments")] == [
        (one["remote_id"], one["whose"]) for one in found
    ]
    arguments = ["-C", str(other.root), "import", "test/payroll", id, "--secret-stdin", "--auto-approve"]
    ran = CliRunner().invoke(program, arguments, input=secret)
    assert 0 == ran.exit_code, ran.stderr
    assert ([], []) == tuple(other("plan", "--json").json[key] for key in ("changes", "secrets_unknown"))
    env = Path("secrets") / "test" / "payroll.env"
    assert (cli.root / env).read_text().splitlines()[-2:] == (other.root / env).read_text().splitlines()[-2:]
    assert ["active"] == cli.ledger("payspace", "test")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rm", "test/nothing"), "nothing is recorded of test/nothing"),
        (("mv", "test/nothing", "test/other"), "nothing is recorded of test/nothing"),
        (("mv", "test/payroll", "test/report"), "test/report has a credential of its own"),
        (("mv", "test/payroll", "production/payroll"), "a credential lives in one environment"),
        (("mv", "test/payroll", "test/payroll"), "has that address already"),
    ],
)
def test_what_is_refused(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    """What cannot be moved or forgotten is refused with its reason, and stays."""
    cli.write(PAYROLL + REPORT)
    cli.applied()
    ran = cli("state", *arguments, "--auto-approve")
    assert (3, True) == (ran.code, said in ran.err), ran.err
    assert ["test/payroll", "test/report"] == cli("state", "list", "--json").json["addresses"]


@pytest.mark.parametrize("verb", [("rm", "test/payroll"), ("mv", "test/payroll", "test/wages")])
def test_in_the_middle_of_something(cli: Cli, verb: tuple[str, ...]) -> None:
    """While an operation is open nothing moves, since it goes on under its address."""
    cli.applied()
    (cli.root / "secrets" / "test" / "payroll.env").unlink()
    (cli.root / "secrets" / "test").rmdir()
    (cli.root / "secrets" / "test").write_text("in the way")
    assert 1 == cli("renew", "test/payroll", "--auto-approve").code
    ran = cli("state", *verb, "--auto-approve")
    assert (3, True) == (ran.code, "the renew of test/payroll is open" in ran.err), ran.err


def test_a_person_is_asked(cli: Cli) -> None:
    """Without --auto-approve and without a terminal nothing is moved or forgotten."""
    cli.applied()
    assert 64 == cli("state", "rm", "test/payroll").code
    assert 64 == cli("state", "mv", "test/payroll", "test/wages").code
    assert ["test/payroll"] == cli("state", "list", "--json").json["addresses"]


@pytest.mark.parametrize("name", ["Payroll", "payroll@production.1", "x" * 49])
def test_names_that_nothing_can_have(cli: Cli, name: str) -> None:
    """A record moves to what a manifest could declare: anything else would be revoked by the next plan."""
    cli.applied()
    ran = cli("state", "mv", "test/payroll", f"test/{name}", "--auto-approve")
    assert (64, True) == (ran.code, "a name is at most 48 small letters" in ran.err), ran.err
    assert ["test/payroll"] == cli("state", "list", "--json").json["addresses"]
