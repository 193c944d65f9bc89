"""Opening a store: its files, its versions, and every way in which it can be unusable, in words."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect
from store_harness import PAYROLL, RECORD, behind, commit, happened, opened, save

from provisioner.core.journal import SaveRecord
from provisioner.errors import StateNewer, StateUnavailable, UsageError
from provisioner.state import migrations
from provisioner.state.tables import METADATA


def test_importing_the_store_imports_no_database_library() -> None:
    """The command line can name the store at start-up without paying for SQLAlchemy."""
    script = "import sys, provisioner.state; print('sqlalchemy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_files_are_their_owner_s_alone(tmp_path: Path, umask: int) -> None:
    """The folder is 0700 and each file in it 0600, whatever the umask, while it is open and afterwards."""
    before = os.umask(umask)
    try:
        with opened("sqlite:///.provision/state.db", tmp_path) as store:
            store.acquire(["test"], holder="ada")
            commit(store, SaveRecord(RECORD))
            files = sorted(path.name for path in (tmp_path / ".provision").iterdir())
            assert files == ["state.db", "state.db-shm", "state.db-wal"]
            _assert_private(tmp_path / ".provision")
    finally:
        os.umask(before)
    _assert_private(tmp_path / ".provision")


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """A store whose file was opened up is tightened at the next opening; its folder is not ours."""
    path = tmp_path / "state.db"
    with opened(f"sqlite:///{path}"):
        pass
    path.chmod(0o644)
    tmp_path.chmod(0o755)
    with opened(f"sqlite:///{path}"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_an_absent_store_makes_no_files(tmp_path: Path) -> None:
    """Planning in a new project leaves its folder as it was."""
    for told in ({"create": False}, {"read_only": True}):
        with opened("sqlite:///.provision/state.db", tmp_path, **told) as store:
            assert store.all_records() == {}
        assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_a_store_that_was_not_made_yet(tmp_path: Path) -> None:
    """A run killed between making the file and making the tables leaves nothing to repair."""
    (tmp_path / "state.db").touch()
    with opened(f"sqlite:///{tmp_path}/state.db", read_only=True) as store:
        assert store.all_records() == {}
    with opened(f"sqlite:///{tmp_path}/state.db") as store:
        commit(store, happened("began"))


def test_a_commit_is_synced(tmp_path: Path) -> None:
    """SQLite syncs each commit to the disk and keeps a write-ahead log."""
    with opened(f"sqlite:///{tmp_path}/state.db") as store, store._database.reading() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
        ]
    assert settings == [2, "wal", 1, 10_000]


def test_postgres_commits_are_synced(empty_postgres_url: str) -> None:
    """A server whose default is not to sync is asked to, and a paused transaction is cut."""
    name = empty_postgres_url.rpartition("/")[2].partition("?")[0]
    behind(empty_postgres_url, f"ALTER DATABASE {name} SET synchronous_commit = off")
    with opened(empty_postgres_url) as store, store._database.reading() as connection:
        settings = [
            connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("synchronous_commit", "lock_timeout", "idle_in_transaction_session_timeout")
        ]
    assert settings == ["on", "10s", "10s"]


@pytest.mark.parametrize("content", [b"this is no database\n" * 100, b"\0" * 5000])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    """Another file in the store's place is named, left alone, and never taken for an empty store."""
    path = tmp_path / "state.db"
    path.write_bytes(content)
    for read_only in (True, False):
        with pytest.raises(StateUnavailable, match=r"state.db cannot be .*not a database") as refusal:
            opened(f"sqlite:///{path}", read_only=read_only)
        assert refusal.value.remedy
    assert content == path.read_bytes()


def test_a_torn_file_says_so(tmp_path: Path) -> None:
    """A store with pages that were overwritten is unavailable in words, whichever call finds it."""
    path = tmp_path / "state.db"
    with opened(f"sqlite:///{path}") as store:
        store.acquire(["test"], holder="ada")
        commit(store, *(save(f"n{number}") for number in range(2000)))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (size - 16384))
    with (
        pytest.raises(StateUnavailable, match=r"cannot be read|cannot be written|damaged"),
        opened(f"sqlite:///{path}") as store,
    ):
        store.all_records()


def test_a_row_that_cannot_be_read_says_so(store_url: str) -> None:
    """A value that no store writes is named as damage."""
    with opened(store_url) as store:
        store.acquire(["test"], holder="ada")
        commit(store, SaveRecord(RECORD))
        behind(store_url, "UPDATE provision_records SET fields = '{\"torn'")
        with pytest.raises(StateUnavailable, match=r"a row of the state store .* is damaged"):
            store.records([PAYROLL.environment])


@pytest.mark.parametrize("place", ["file/state.db", "folder"])
def test_a_place_where_no_file_can_be(tmp_path: Path, place: str) -> None:
    """A path that cannot be a file is named."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(StateUnavailable, match=f"{place} cannot be made or written"):
        opened(f"sqlite:///{tmp_path}/{place}")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root@localhost/x", "no state store of kind 'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("nonsense", "cannot be read"),
    ],
)
def test_a_url_of_another_kind(url: str, words: str) -> None:
    """What is no store is a mistake in the manifest, with what to write instead."""
    with pytest.raises(UsageError, match=words) as refusal:
        opened(url)
    assert "sqlite:///PATH" in refusal.value.remedy


@pytest.mark.parametrize(
    "url", ["tester:hunter2@/nobody?host=/nowhere", "/nobody?host=/nowhere&password=hunter2"]
)
def test_an_unreachable_server_is_named_without_its_password(url: str) -> None:
    """The URL is told, so that a person sees which server is meant; its password never is."""
    with pytest.raises(StateUnavailable, match=r"/nobody\?host=%2Fnowhere cannot be read") as refusal:
        opened(f"postgresql+psycopg://{url}")
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in refusal.value.remedy


def test_many_may_make_the_store_at_once(store_url: str) -> None:
    """Runs that find no store at the same moment all come to use the one that was made."""

    def begin(number: int) -> None:
        with opened(store_url) as store:
            commit(store, happened("began", number=number))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(begin, range(4)))
    with opened(store_url) as store:
        assert {0, 1, 2, 3} == {row.detail["number"] for row in store.audit_log()}


def test_a_newer_store_is_refused(store_url: str) -> None:
    """A store that a newer version wrote is neither read nor changed, and the way out is told."""
    with opened(store_url):
        pass
    behind(store_url, "UPDATE provision_meta SET value = '99'")
    for read_only in (True, False):
        with pytest.raises(StateNewer, match="has schema version 99; this provision knows") as refusal:
            opened(store_url, read_only=read_only)
        assert "newer provision" in refusal.value.remedy
    assert behind(store_url, "SELECT value FROM provision_meta") == [("99",)]


def test_the_steps_lead_to_the_tables(store_url: str) -> None:
    """What the migrations make is what the code reads: the same tables, columns, keys and indexes."""
    with opened(store_url):
        pass
    engine = create_engine(store_url)
    with engine.begin() as connection:
        made = _schema(connection)
        for table in METADATA.tables:
            connection.exec_driver_sql(
                f"DROP TABLE {table}" + (" CASCADE" if engine.dialect.name == "postgresql" else "")
            )
        METADATA.create_all(connection)
        assert _schema(connection) == made
    engine.dispose()


def test_an_older_store_gets_the_steps_it_lacks(store_url: str) -> None:
    """Only the steps that a store lacks are done, and its rows stay."""
    with opened(store_url) as store:
        store.acquire(["test"], holder="ada")
        commit(store, SaveRecord(RECORD))
    more = (*migrations.STEPS, ("CREATE TABLE provision_more (x TEXT)",))
    engine = create_engine(store_url)
    with engine.begin() as connection:
        for _ in range(2):  # a second run finds nothing to do
            migrations.migrate(connection, store_url, more)
        assert migrations.version(connection) == len(more)
        assert inspect(connection).has_table("provision_more")
    engine.dispose()
    assert behind(store_url, "SELECT name FROM provision_records") == [("payroll",)]


def test_a_step_that_fails_changes_nothing(store_url: str) -> None:
    """Steps are done in one transaction: a store is at its old version or at the new one."""
    with opened(store_url) as store:
        before = migrations.STEPS
        more = (*before, ("CREATE TABLE provision_more (x TEXT)",), ("SELECT x FROM nowhere",))
        with pytest.raises(StateUnavailable, match="nowhere"), store._database.writing() as connection:
            migrations.migrate(connection, store_url, more)
        with store._database.reading() as connection:
            assert migrations.version(connection) == len(before)
            assert not inspect(connection).has_table("provision_more")


def _schema(connection: Connection) -> dict[str, object]:
    look = inspect(connection)
    return {
        table: (
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(table)),
            look.get_pk_constraint(table)["constrained_columns"],
            [
                (key["constrained_columns"], key["referred_table"], key["options"])
                for key in look.get_foreign_keys(table)
            ],
            sorted((index["name"], index["column_names"]) for index in look.get_indexes(table)),
        )
        for table in METADATA.tables
    }


def _assert_private(folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert (path.name, 0o600) == (path.name, path.stat().st_mode & 0o777)
