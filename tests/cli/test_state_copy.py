"""A team moves from SQLite to PostgreSQL, or back: every row comes along, and nothing is half copied."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli
from sqlalchemy import make_url
from store_harness import behind

from provisioner.core.journal import Audit
from provisioner.state import open_store
from provisioner.state.tables import METADATA

SQLITE = "sqlite:///.provision/state.db"


@pytest.fixture
def busy(cli: Cli) -> Cli:
    """A project with something in every table: renewed, revoked, waiting and delivered credentials."""
    cli.write(PAYROLL + REPORT + KEY.replace("[test]", "[production]"))
    assert 5 == cli("apply", "--auto-approve").code
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    assert 0 == cli("revoke", "test/report", "--auto-approve").code
    _behind(
        cli, "UPDATE provision_records SET local = '{\"note\": \"\u00fcnï \\u2028\"}' WHERE name = 'report'"
    )
    _behind(
        cli,
        "INSERT INTO provision_handoffs SELECT project, 'h1', id, environment, name, provider, 'revoke', 1,"
        " 'Profile', '[]', '[]', '{}', '', '', 'open', started_at, NULL, ''"
        " FROM provision_operations LIMIT 1",
    )
    return cli


def _behind(cli: Cli, statement: str) -> None:
    behind(f"sqlite:///{cli.root}/.provision/state.db", statement)


def _rows(url: str, project: str = "payments") -> dict[str, list[tuple[object, ...]]]:
    """Everything that a database holds of a project but its leases, by another way than the copy's."""
    tables = [t for t in METADATA.sorted_tables if "project" in t.c and t.name != "provision_leases"]
    return {
        t.name: sorted(
            (tuple(row) for row in behind(url, f"SELECT {', '.join(t.c.keys())} FROM {t.name}")), key=repr
        )
        for t in tables
    }


def _absolute(cli: Cli, name: str = "state.db") -> str:
    return f"sqlite:///{cli.root}/.provision/{name}"


def test_there_and_back(busy: Cli, empty_postgres_url: str) -> None:
    """SQLite to PostgreSQL and back to SQLite: each row of each table is the same, but for the copy's own."""
    before = _rows(_absolute(busy))
    assert all(before.values()), {name: len(rows) for name, rows in before.items()}
    there = busy("state", "copy", SQLITE, empty_postgres_url, "--json")
    assert 0 == there.code, there.err
    assert {name: len(rows) for name, rows in before.items()} == there.json["rows"]
    back = busy("state", "copy", empty_postgres_url, "sqlite:///.provision/back.db", "--json")
    assert 0 == back.code, back.err
    for after in (_rows(empty_postgres_url), _rows(_absolute(busy, "back.db"))):
        copied = {
            name: [row for row in _plain(rows) if "store copied" not in row] for name, rows in after.items()
        }
        assert {name: _plain(rows) for name, rows in before.items()} == copied


def _plain(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """SQLite answers 1 where PostgreSQL answers true."""
    return sorted((tuple(int(v) if isinstance(v, bool) else v for v in row) for row in rows), key=repr)


def test_the_team_goes_on_with_the_copy(busy: Cli, empty_postgres_url: str) -> None:
    """With its new URL the project plans as before, its log is whole and leads through the old head."""
    head, planned = busy("audit", "head").out.strip(), busy("plan").last
    assert 0 == busy("state", "copy", SQLITE, empty_postgres_url).code
    assert head == busy("audit", "head").out.strip()
    busy.edit("project: payments", f"project: payments\nstate: {empty_postgres_url}", "provision.yaml")
    assert planned == busy("plan").last
    verified = busy("audit", "verify", "--head", head)
    assert (0, True) == (verified.code, "leads through the kept row" in verified.out)
    rows = busy("audit", "log", "--json").json["rows"]
    assert ("store copied", SQLITE) == (rows[-1]["event"], rows[-1]["detail"]["from"])
    assert 0 == busy("sandbox", "approve", "production/rpp").code
    busy.applied()
    assert 0 == busy("secret", "get", "test/payroll").code


def test_no_password_is_told(busy: Cli, empty_postgres_url: str) -> None:
    """What is said of a store never has its password."""
    url = make_url(empty_postgres_url)
    with_password = url.set(password="hunter2").render_as_string(hide_password=False)
    ran = busy("state", "copy", SQLITE, with_password)
    assert "hunter2" not in ran.out + ran.err


def test_a_target_that_knows_the_project(busy: Cli, empty_postgres_url: str) -> None:
    """A target that holds something of the project is refused and stays as it is."""
    assert 0 == busy("state", "copy", SQLITE, empty_postgres_url).code
    before = _rows(empty_postgres_url)
    ran = busy("state", "copy", SQLITE, empty_postgres_url)
    assert (64, True) == (ran.code, "already holds something of project payments" in ran.err)
    assert before == _rows(empty_postgres_url)
    assert 64 == busy("state", "copy", SQLITE, SQLITE).code


def test_projects_share_a_target(busy: Cli, tmp_path: Path, empty_postgres_url: str) -> None:
    """A target that holds another project takes this one beside it, and only this one is copied."""
    with open_store(
        empty_postgres_url, project="other", root=tmp_path, clock=lambda: datetime.now(UTC)
    ) as store:
        asyncio.run(store.commit([Audit("apply", datetime.now(UTC))]))
    assert 0 == busy("state", "copy", SQLITE, empty_postgres_url).code
    assert 0 == busy("state", "copy", empty_postgres_url, "sqlite:///.provision/back.db").code
    assert {"payments"} == {row[0] for row in _rows(_absolute(busy, "back.db"))["provision_audit"]}


def test_a_source_that_holds_nothing(cli: Cli) -> None:
    """A source that is not there, or knows nothing of the project, is an error, and makes no target."""
    ran = cli("state", "copy", "sqlite:///.provision/nothing.db", "sqlite:///.provision/new.db")
    assert (64, True) == (ran.code, "holds nothing of project payments" in ran.err)
    assert [] == [path.name for path in (cli.root / ".provision").glob("*.db")]


def test_not_beside_another_run(busy: Cli) -> None:
    """While a run is at work on the source nothing is copied: what it writes would be missed."""
    with open_store(SQLITE, project="payments", root=busy.root, clock=lambda: datetime.now(UTC)) as store:
        store.acquire(["production"], holder="another run")
        ran = busy("state", "copy", SQLITE, "sqlite:///.provision/new.db")
    assert (4, True) == (ran.code, "another run works on production" in ran.err)


def test_leases_stay_behind(busy: Cli) -> None:
    """No lease is copied, and the source's are given back."""
    assert 0 == busy("state", "copy", SQLITE, "sqlite:///.provision/new.db").code
    assert [] == behind(_absolute(busy, "new.db"), "SELECT * FROM provision_leases")
    busy.applied("--target", "test/*")


def test_what_one_engine_cannot_hold(busy: Cli, empty_postgres_url: str) -> None:
    """A row that the target cannot take leaves nothing of the project there."""
    _behind(busy, "UPDATE provision_operations SET note = 'a' || char(0) || 'b' WHERE generation = 2")
    ran = busy("state", "copy", SQLITE, empty_postgres_url)
    assert 1 == ran.code
    assert not any(_rows(empty_postgres_url).values())


def test_a_server_that_sorts_otherwise(busy: Cli, tmp_path: Path, empty_postgres_url: str) -> None:
    """Both sides are compared in one order, also where the server's own sorts `a` before `Z`."""
    _behind(busy, "UPDATE provision_operations SET id = 'Z' WHERE generation = 2")
    _behind(busy, "UPDATE provision_operations SET id = 'a' WHERE action = 'revoke'")
    with open_store(
        empty_postgres_url, project="other", root=tmp_path, clock=lambda: datetime.now(UTC)
    ) as store:
        asyncio.run(store.commit([Audit("apply", datetime.now(UTC))]))
    # A PostgreSQL that was built without ICU sorts by bytes; then this copy is like any other.
    if behind(empty_postgres_url, "SELECT 1 FROM pg_collation WHERE collname = 'en-x-icu'"):
        behind(
            empty_postgres_url,
            'ALTER TABLE provision_operations ALTER COLUMN id TYPE text COLLATE "en-x-icu"',
        )
    ran = busy("state", "copy", SQLITE, empty_postgres_url)
    assert 0 == ran.code, ran.err


def test_a_copy_that_differs(busy: Cli, empty_postgres_url: str) -> None:
    """A value that the target keeps otherwise is found by the digest, and nothing is kept."""
    _behind(busy, "UPDATE provision_operations SET generation = 1.5 WHERE generation = 2")
    ran = busy("state", "copy", SQLITE, empty_postgres_url)
    assert (1, True) == (ran.code, "differs from sqlite:///.provision/state.db" in ran.err), ran.err
    assert not any(_rows(empty_postgres_url).values())
