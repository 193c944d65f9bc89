"""From a URL to an open database: files with their permissions, connections with their settings."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from provisioner.errors import StateUnavailable, UsageError
from provisioner.state import migrations
from provisioner.state.database import Database

BUSY_SECONDS = 10
"""How long to wait for another run's transaction, which takes milliseconds, before saying so."""

SQLITE_SETTINGS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",  # each commit is on the disk when it returns
    "PRAGMA fullfsync = ON",  # macOS: through the drive's own cache as well
)

POSTGRES_SETTINGS = (
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'",
    f"SELECT set_config('lock_timeout', '{BUSY_SECONDS}s', false)",
    # A run that is paused inside a transaction must not hold its locks until it wakes.
    f"SELECT set_config('idle_in_transaction_session_timeout', '{BUSY_SECONDS}s', false)",
)

MIGRATION_LOCK = 0x70726F76
"""The key of PostgreSQL's advisory lock for migrations: any number that others do not use."""


def open_database(
    url: str, *, root: Path, create: bool, read_only: bool, clock: Callable[[], datetime]
) -> tuple[Database, bool]:
    """The store at `url` with today's tables, and whether it may be written.

    Where there is none and none may be made, an empty one in memory stands in for it.
    """
    parsed = _parsed(url)
    make = create and not read_only
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed, root, make, read_only, clock)
    where = parsed.difference_update_query(["password"]).render_as_string(hide_password=True)
    database = Database(_postgres(parsed), where, clock)
    return _ready(database, make, read_only)


def _parsed(url: str) -> URL:
    remedy = "write sqlite:///PATH, or postgresql+psycopg://USER@HOST/DATABASE"
    try:
        parsed = make_url(url)
    except ArgumentError:
        # The text itself may hold a password, so it is not repeated.
        raise UsageError("the state URL cannot be read", remedy=remedy) from None
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise UsageError(f"there is no state store of kind {parsed.drivername!r}", remedy=remedy)
    if parsed.drivername == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise UsageError("the state URL names no file, so everything would be forgotten", remedy=remedy)
    return parsed


def _open_sqlite(
    url: URL, root: Path, make: bool, read_only: bool, clock: Callable[[], datetime]
) -> tuple[Database, bool]:
    path = root / str(url.database)
    if make:
        _make_file(path)
    elif not path.exists():
        return _empty(str(url), clock), False
    return _ready(Database(_sqlite(path), str(url), clock), make, read_only)


def _ready(database: Database, make: bool, read_only: bool) -> tuple[Database, bool]:
    try:
        with database.reading() as connection:
            found = migrations.version(connection)
        migrations.check(found, database.where)
        if not found and not make:
            database.close()
            return _empty(database.where, database.clock), False
        if found < len(migrations.STEPS):
            _migrate(database)
    except BaseException:
        database.close()
        raise
    return database, not read_only


def _migrate(database: Database) -> None:
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            # Two runners that find an empty database must not both make the tables.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        migrations.migrate(connection, database.where)


def _make_file(path: Path) -> None:
    """Make the file before SQLite would: it keeps this mode, and gives it to its journals."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StateUnavailable(
            f"the state store {path} cannot be made or written: {error.strerror}",
            remedy="check the path, the disk, and the permissions of its folder",
        ) from error


def _empty(where: str, clock: Callable[[], datetime]) -> Database:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _leave_begin_to_us)
    database = Database(_with_begin(engine), where, clock)
    _migrate(database)
    return database


def _sqlite(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _set_up_sqlite)
    return _with_begin(engine)


def _leave_begin_to_us(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # Python's own BEGIN comes late, and never before a SELECT


def _set_up_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    _leave_begin_to_us(connection, _)
    for setting in (*SQLITE_SETTINGS, "PRAGMA journal_mode = WAL"):
        connection.execute(setting).close()


def _with_begin(engine: Engine) -> Engine:
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("provision_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgres(url: URL) -> Engine:
    settings = {"connect_timeout": BUSY_SECONDS, "application_name": "provision"}
    try:
        engine = create_engine(
            url,
            pool_pre_ping=True,  # a server that was restarted is met with a new connection
            connect_args={name: value for name, value in settings.items() if name not in url.query},
        )
    except ImportError as error:
        raise StateUnavailable(
            "a state store in PostgreSQL needs psycopg, which is not installed",
            remedy="pip install 'provisioner[postgres]'",
        ) from error
    event.listen(engine, "connect", _set_up_postgres)
    return engine


def _set_up_postgres(connection: Any, _: Any) -> None:
    connection.autocommit = True
    with connection.cursor() as cursor:
        for setting in POSTGRES_SETTINGS:
            cursor.execute(setting)
    connection.autocommit = False
