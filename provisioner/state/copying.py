"""Copy a project from one store to another, whichever their engines, and prove that it is the same.

Leases are not copied: they are about runs, and none may be at work while a store moves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Table, collate, func, select
from sqlalchemy.types import Text

from provisioner.core.journal import Audit
from provisioner.errors import StateError, UsageError
from provisioner.state import audit
from provisioner.state.database import Database
from provisioner.state.opening import open_database
from provisioner.state.store import StateStore
from provisioner.state.tables import LEASES, METADATA, OPERATIONS, RECORDS

BINARY = {"sqlite": "BINARY", "postgresql": "C"}
"""The collation by which both engines sort text alike: by its bytes."""

CHUNK = 1000
"""Rows that are held in memory at once."""

TABLES = tuple(table for table in METADATA.sorted_tables if "project" in table.c and table is not LEASES)
"""What belongs to a project, in the order in which foreign keys allow it to be written."""


class Copied(Struct, frozen=True):
    """What was copied, and the digest over all of it that both sides gave."""

    source: str
    """The URL without its password."""
    target: str
    rows: dict[str, int]
    """By table."""
    digest: str
    """SHA-256, in hex."""


class Mover(Struct, frozen=True):
    """What a copy needs to know besides the two stores. `holder` says in words who copies."""

    project: str
    root: Path
    clock: Callable[[], datetime]
    holder: str
    lease: float


def copy_store(source: str, target: str, mover: Mover) -> Copied:
    """Copy the project's rows from the store at one URL to the store at another; the first stays as it is.

    All or nothing: the target's transaction ends only after both digests were compared. Raises LeaseHeld
    while a run is at work on the source, UsageError for a source that holds nothing and for a target that
    holds something of the project, StateError where the copy is not the same.
    """
    with _source(source, mover) as one, one.reading() as reading:
        if not any(_count(reading, mover.project).values()):
            raise UsageError(f"{one.where} holds nothing of project {mover.project}")
        with _opened(target, mover, make=True) as other, other.writing() as writing:
            return _copy(one, reading, other, writing, mover)


@contextmanager
def _source(url: str, mover: Mover) -> Iterator[Database]:
    """The source, with every lease of the project taken, so that nothing is written to it meanwhile."""
    with _opened(url, mover, make=False) as database:
        lease, project = mover.lease, mover.project
        store = StateStore(database, project=project, writable=True, lease=lease, actor=mover.holder)
        try:
            with database.reading() as connection:
                environments = _environments(connection, mover.project)
            store.acquire(environments, holder=mover.holder)
            yield database
        finally:
            store.close()


@contextmanager
def _opened(url: str, mover: Mover, *, make: bool) -> Iterator[Database]:
    database, _ = open_database(url, root=mover.root, create=make, read_only=False, clock=mover.clock)
    try:
        yield database
    finally:
        database.close()


def _environments(connection: Connection, project: str) -> set[str]:
    """Every environment that a run could be at work on."""
    tables = (RECORDS, OPERATIONS, LEASES)
    return {
        name
        for table in tables
        for name in connection.execute(
            select(table.c.environment).where(table.c.project == project).distinct()
        ).scalars()
    }


def _copy(one: Database, reading: Connection, other: Database, writing: Connection, mover: Mover) -> Copied:
    project = mover.project
    if any(_count(writing, project).values()):
        raise UsageError(
            f"{other.where} already holds something of project {project}, so nothing was copied",
            remedy="copy to a store that does not know the project",
        )
    for table in TABLES:
        for rows in _rows(reading, table, project):
            writing.execute(table.insert(), [dict(zip(table.c.keys(), row, strict=True)) for row in rows])
    digest, found = _digest(reading, project), _digest(writing, project)
    if digest != found:
        raise StateError(
            f"the copy in {other.where} differs from {one.where} ({found} is not {digest}): nothing was kept",
            remedy="see what `provision audit verify` finds; it may be a row that only one engine can hold",
        )
    copied = Copied(one.where, other.where, _count(writing, project), digest)
    told = Audit("store copied", mover.clock(), detail={"from": one.where, "digest": digest})
    audit.append(writing, project, [(mover.holder, told)])
    return copied


def _count(connection: Connection, project: str) -> dict[str, int]:
    return {
        table.name: connection.execute(
            select(func.count()).select_from(table).where(table.c.project == project)
        ).scalar_one()
        for table in TABLES
    }


def _digest(connection: Connection, project: str) -> str:
    """SHA-256 over every row of every table, each with its table's name."""
    found = hashlib.sha256()
    for table in TABLES:
        for rows in _rows(connection, table, project):
            for row in rows:
                # As a JSON list no two rows read alike.
                found.update(json.dumps([table.name, *row]).encode() + b"\n")
    return found.hexdigest()


def _rows(connection: Connection, table: Table, project: str) -> Iterator[Sequence[Sequence[Any]]]:
    """The project's rows in the order of their keys, some at a time."""
    collation = BINARY[connection.dialect.name]
    order = [collate(c, collation) if isinstance(c.type, Text) else c for c in table.primary_key.columns]
    chosen = select(table).where(table.c.project == project).order_by(*order)
    with connection.execute(chosen.execution_options(yield_per=CHUNK)) as result:
        for part in result.partitions():
            yield [tuple(row) for row in part]
