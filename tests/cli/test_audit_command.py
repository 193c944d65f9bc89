"""The history on the command line: what happened is listed, and what was done to it is found."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from program_runner import PAYROLL, REPORT, Cli
from store_harness import behind

from provisioner.core.journal import Audit
from provisioner.state import open_store


@pytest.fixture
def applied(cli: Cli) -> Cli:
    """Two credentials, applied one after the other."""
    cli.applied()
    cli.write(PAYROLL + REPORT)
    cli.applied()
    return cli


def _tamper(cli: Cli, statement: str) -> None:
    behind(f"sqlite:///{cli.root}/.provision/state.db", statement)


def test_the_log_lists_what_happened(applied: Cli) -> None:
    """The log has every event in its order, as lines and as JSON, or one address's events alone."""
    rows = applied("audit", "log", "--json").json["rows"]
    events = ["apply", "create intended", "create done"]
    assert 2 * events == [row["event"] for row in rows]
    assert list(range(1, 7)) == [row["seq"] for row in rows]
    of_report = applied("audit", "log", "--json", "test/report").json["rows"]
    assert [rows[4], rows[5]] == of_report
    assert "create done  test/payroll  by " in applied("audit", "log").out
    assert 64 == applied("audit", "log", "report").code


def test_a_plan_is_told_with_its_author(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of an apply names the plan's digest and its author."""
    monkeypatch.setenv("PROVISION_AUTHOR", "alice@example.com")
    digest = cli.applied("--json").json["plan"]["digest"]
    first = cli("audit", "log", "--json").json["rows"][0]
    assert {"digest": digest, "author": "alice@example.com"} == first["detail"]


def test_a_whole_log_verifies(applied: Cli) -> None:
    """A log that nobody touched is whole, against the head that this machine kept as against a given one."""
    head = applied("audit", "head").out.strip()
    assert (
        "The audit log is whole: 6 rows, and it leads through the kept row 6."
        == applied("audit", "verify").last
    )
    assert 0 == applied("audit", "verify", "--head", head).code


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE provision_audit SET actor = 'nobody' WHERE seq = 3", "audit row 3: was edited"),
        ("DELETE FROM provision_audit WHERE seq = 2", "audit row 2: is missing"),
        ("DELETE FROM provision_audit WHERE seq > 4", "audit row 5: is missing"),
        ("UPDATE provision_audit SET detail = '{}' WHERE seq = 6", "audit row 6: was edited"),
    ],
)
def test_what_was_done_to_it_is_found(applied: Cli, statement: str, words: str) -> None:
    """An edit, a removed row and a cut tail are each found at their row, and end with 1."""
    head = applied("audit", "head").out.strip()
    _tamper(applied, statement)
    for args in ((), ("--head", head)):
        ran = applied("audit", "verify", *args)
        assert (1, True) == (ran.code, words in ran.err), ran.err


def test_a_cut_tail_shows_only_against_a_head(applied: Cli) -> None:
    """Without any kept head a cut tail is a whole log: so heads are kept, here and elsewhere."""
    head = applied("audit", "head").out.strip()
    _tamper(applied, "DELETE FROM provision_audit WHERE seq > 4")
    (applied.root / ".provision" / "head").unlink()
    assert 0 == applied("audit", "verify").code
    assert 1 == applied("audit", "verify", "--head", head).code


@pytest.mark.parametrize("head", ["6", "x:y", f"6:{'g' * 64}"])
def test_what_is_no_head(cli: Cli, head: str) -> None:
    """A head that cannot be one is the command line's fault."""
    assert 64 == cli("audit", "verify", "--head", head).code


def test_reading_the_log_makes_no_store(cli: Cli) -> None:
    """A project that was never applied has an empty, whole log, and reading it makes nothing."""
    assert (0, "") == ((ran := cli("audit", "log")).code, ran.out)
    assert "The audit log is whole: 0 rows." == cli("audit", "verify").last
    assert not (cli.root / ".provision" / "state.db").exists()


def test_a_terminal_obeys_nothing_in_it(applied: Cli) -> None:
    """What an event holds cannot move the cursor of who reads it."""
    url = "sqlite:///.provision/state.db"
    with open_store(
        url, project="payments", root=applied.root, clock=lambda: datetime.now(UTC), actor="\x1b[2Jroot"
    ) as store:
        asyncio.run(store.commit([Audit("secret read", datetime.now(UTC))]))
    assert "\x1b" not in applied("audit", "log").out
