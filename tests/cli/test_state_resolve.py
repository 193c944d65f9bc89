"""An operation of unknown outcome: a person says what became of it, and that stands in the history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli
from store_harness import behind

from provisioner.state import open_store

FORGOTTEN = (
    "DELETE FROM provision_secrets WHERE name = '{name}' AND number = {number}",
    "DELETE FROM provision_deliveries WHERE name = '{name}' AND number = {number}",
    "DELETE FROM provision_generations WHERE name = '{name}' AND number = {number}",
    "UPDATE provision_operations SET phase = 'unknown', waiting = 'person', remote_id = NULL,"
    " note = 'the vendor cannot be asked' WHERE name = '{name}' AND generation = {number}",
)
"""What makes a store that never saw the answer out of one that did."""


def _behind(cli: Cli, statement: str) -> list[Any]:
    return behind(f"sqlite:///{cli.root}/.provision/state.db", statement)


def _never_answered(cli: Cli, name: str, number: int = 1) -> None:
    for statement in FORGOTTEN:
        _behind(cli, statement.format(name=name, number=number))
    if number == 1:
        _behind(cli, f"DELETE FROM provision_records WHERE name = '{name}'")
    else:
        older = f"name = '{name}' AND number = {number - 1}"
        _behind(cli, f"UPDATE provision_generations SET state = 'active', retire_after = NULL WHERE {older}")


def _ids(cli: Cli, vendor: str) -> list[str]:
    with cli.sandbox() as twins:
        return [one.id for one in twins.ledger(vendor, "test") if one.label]


@pytest.fixture
def in_doubt(cli: Cli) -> Cli:
    """The create of test/payroll was sent, and its answer never seen; the vendor did make it."""
    cli.applied()
    _never_answered(cli, "payroll")
    (cli.root / "secrets" / "test" / "payroll.env").unlink()
    return cli


def _record(cli: Cli, address: str) -> Any:
    return cli("show", address, "--json").json


def _resolved(cli: Cli) -> list[Any]:
    rows = cli("audit", "log", "--json").json["rows"]
    return [(row["address"], row["detail"]) for row in rows if row["event"] == "operation resolved"]


def test_it_waits_for_a_person(in_doubt: Cli) -> None:
    """Until somebody resolves it an apply sends nothing for that address, and ends with 5."""
    assert "outcome unknown since" in in_doubt("plan").out
    assert 5 == in_doubt("apply", "--auto-approve").code
    assert ["active"] == in_doubt.ledger("payspace", "test")


def test_adopting_what_was_made(in_doubt: Cli) -> None:
    """What was made is the first generation, with an unknown secret, and the next plan has no changes."""
    (made,) = _ids(in_doubt, "payspace")
    ran = in_doubt("state", "resolve", "test/payroll", "--adopt", made, "--reason", "seen in the console")
    assert (0, True) == (ran.code, "Its secret is unknown here" in ran.out), ran.err
    found = _record(in_doubt, "test/payroll")
    assert (False, None) == (found["record"]["secret_known"], found["operation"])
    assert [(1, "active", made)] == [(g["number"], g["state"], g["remote_id"]) for g in found["generations"]]
    ((address, detail),) = _resolved(in_doubt)
    assert ("test/payroll", "adopt", made) == (address, detail["how"], detail["remote_id"])
    assert "seen in the console" == detail["reason"]
    assert in_doubt("plan").out.startswith("No changes.")


def test_a_renewal_gives_a_known_secret(in_doubt: Cli) -> None:
    """After a renewal the secret is known and delivered, and what was adopted is ended."""
    (made,) = _ids(in_doubt, "payspace")
    in_doubt("state", "resolve", "test/payroll", "--adopt", made, "--reason", "seen")
    assert 0 == in_doubt("renew", "test/payroll", "--auto-approve").code
    assert _record(in_doubt, "test/payroll")["record"]["secret_known"]
    assert (in_doubt.root / "secrets" / "test" / "payroll.env").is_file()


def test_adopting_where_the_secret_can_be_read(cli: Cli) -> None:
    """Where the vendor shows the secret again, the operation goes on to its end, with the delivery."""
    cli.write(KEY)
    cli.applied()
    _never_answered(cli, "rpp")
    before = (cli.root / "secrets" / "test" / "rpp.env").read_text()
    (cli.root / "secrets" / "test" / "rpp.env").unlink()
    (made,) = _ids(cli, "paynet")
    ran = cli("state", "resolve", "test/rpp", "--adopt", made, "--reason", "seen")
    assert (0, "test/rpp create done") == (ran.code, ran.last), ran.err
    assert _record(cli, "test/rpp")["record"]["secret_known"]
    assert before == (cli.root / "secrets" / "test" / "rpp.env").read_text()
    assert [("test/rpp", "adopt")] == [(address, detail["how"]) for address, detail in _resolved(cli)]


def test_adopting_a_renewal_leaves_consumers_what_they_have(cli: Cli) -> None:
    """The older generation, which consumers hold, lives on until a renewal has delivered another."""
    cli.applied()
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    _never_answered(cli, "payroll", 2)
    first, second = _ids(cli, "payspace")
    assert 0 == cli("state", "resolve", "test/payroll", "--adopt", second, "--reason", "seen").code
    generations = _record(cli, "test/payroll")["generations"]
    assert [("retiring", None), ("active", None)] == [(g["state"], g["retire_after"]) for g in generations]
    cli("sandbox", "clock", "--advance", "60d")
    assert cli("plan").out.startswith("No changes.")
    assert ["active", "active"] == cli.ledger("payspace", "test")
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    assert "ended" == cli.ledger("payspace", "test")[0]
    assert first != second


def test_forgetting_what_was_never_made(in_doubt: Cli) -> None:
    """A forgotten operation is closed with the reason, and the next plan creates anew."""
    ran = in_doubt("state", "resolve", "test/payroll", "--forget", "--reason", "the console is empty")
    assert (0, True) == (ran.code, "forgotten: the console is empty" in ran.out), ran.err
    assert [("test/payroll", "forget")] == [(a, detail["how"]) for a, detail in _resolved(in_doubt)]
    assert "Plan: 1 to create, 0 unchanged." == in_doubt("plan").last


def test_only_what_is_unknown(cli: Cli) -> None:
    """What has no open operation, or one that recovery can bring to its end, is not a person's to say."""
    cli.applied()
    ran = cli("state", "resolve", "test/payroll", "--forget", "--reason", "r")
    assert (3, True) == (ran.code, "no open operation" in ran.err)
    _behind(cli, "UPDATE provision_operations SET phase = 'sent'")
    ran = cli("state", "resolve", "test/payroll", "--forget", "--reason", "r")
    assert (3, True) == (ran.code, "its outcome can be found out" in ran.err)
    assert [] == _resolved(cli)


def test_an_id_that_cannot_be_it(in_doubt: Cli) -> None:
    """An id that the vendor does not have, or that is of another address, is not adopted."""
    in_doubt.write(PAYROLL + REPORT)
    in_doubt.applied("--target", "test/report")
    other = _record(in_doubt, "test/report")["generations"][0]["remote_id"]
    for id, words in (("nothing", "no living credential nothing"), (other, "carries the tag")):
        ran = in_doubt("state", "resolve", "test/payroll", "--adopt", id, "--reason", "r")
        assert (3, True) == (ran.code, words in ran.err), ran.err
    assert [] == _resolved(in_doubt)


def test_what_is_recorded_already(in_doubt: Cli) -> None:
    """One credential at the vendor is one generation here: an id of the record is not adopted again."""
    _behind(in_doubt, "UPDATE provision_operations SET phase = 'done', waiting = ''")
    in_doubt.applied()
    made = _record(in_doubt, "test/payroll")["generations"][0]["remote_id"]
    _behind(in_doubt, "UPDATE provision_operations SET phase = 'unknown' WHERE remote_id IS NOT NULL")
    ran = in_doubt("state", "resolve", "test/payroll", "--adopt", made, "--reason", "r")
    assert (3, True) == (ran.code, "is generation 1 of test/payroll already" in ran.err), ran.err


def test_not_beside_another_run(in_doubt: Cli) -> None:
    """Resolving takes the lease of the environment like any other write."""
    url = "sqlite:///.provision/state.db"
    with open_store(url, project="payments", root=in_doubt.root, clock=lambda: datetime.now(UTC)) as store:
        store.acquire(["test"], holder="another run")
        assert 4 == in_doubt("state", "resolve", "test/payroll", "--forget", "--reason", "r").code


@pytest.mark.parametrize(
    "args",
    [
        ("--reason", "r"),
        ("--adopt", "x", "--forget", "--reason", "r"),
        ("--forget",),
        ("--forget", "--reason", " "),
    ],
)
def test_one_of_two_and_why(in_doubt: Cli, args: tuple[str, ...]) -> None:
    """It was made or it was not, and somebody says how they know."""
    assert 64 == in_doubt("state", "resolve", "test/payroll", *args).code
