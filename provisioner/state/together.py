"""Rows that are written together: few statements, whoever asked for the rows.

SQLite's module hands the interpreter to another thread after each row of an `executemany`, and has to wait to
get it back: 11,000 times in an apply of 1,000. So there, a statement takes many rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, literal_column
from sqlalchemy.dialects import sqlite

from provisioner.state.rows import Row
from provisioner.state.tables import (
    DELIVERIES,
    GENERATIONS,
    HANDOFFS,
    OPERATIONS,
    RECORDS,
    SECRETS,
    Insert,
    insert_into,
)

Rows = Iterator[tuple[Table, Row]]
Key = tuple[Any, ...]

ORDER = (RECORDS, GENERATIONS, SECRETS, DELIVERIES, OPERATIONS, HANDOFFS)
"""A row after the one that its foreign key names."""

SIZES = (32, 16, 8, 4, 2, 1)
"""Rows of one statement: few texts, which SQLite's module keeps prepared, and few values in each."""


class Together:
    """Rows that are put, each in the place of an older one with its key, by few statements for each table."""

    def __init__(self, connection: Connection, project: str) -> None:
        self._connection = connection
        self._project = project
        self._rows: dict[Table, dict[Key, Row]] = {}

    def put(self, rows: Rows) -> None:
        """Take these rows along."""
        for table, row in rows:
            row["project"] = self._project
            key = tuple([row[name] for name in _key(table)])
            if key in self._rows.get(table, ()):
                self.flush()  # each put of a row counts, since a record's version counts them
            self._rows.setdefault(table, {})[key] = row

    def flush(self) -> None:
        """Write what was taken along."""
        for table in ORDER:
            if rows := self._rows.get(table):
                write(self._connection, table, list(rows.values()))
        self._rows = {}


def write(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write whole rows of one table: into the place of older ones, or, of the history, at its end."""
    if connection.dialect.name != "sqlite":
        connection.execute(_insert(connection.dialect.name, table), list(rows))
        return
    names = table.columns.keys()
    for some in _portions(rows):
        values = tuple([row[name] for row in some for name in names])
        connection.exec_driver_sql(_text(table, len(some)), values)


def _portions(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    begin = 0
    for size in SIZES:
        while len(rows) - begin >= size:
            yield rows[begin : begin + size]
            begin += size


@cache
def _text(table: Table, count: int) -> str:
    """SQLite's statement for so many rows."""
    one = ", ".join("?" * len(table.columns))
    single = str(_insert("sqlite", table).compile(dialect=sqlite.dialect()))
    return single.replace(f"({one})", ", ".join([f"({one})"] * count))


@cache
def _key(table: Table) -> tuple[str, ...]:
    return tuple(table.primary_key.columns.keys())


@cache
def _insert(dialect: str, table: Table) -> Insert:
    insert = insert_into(table, dialect)
    if table not in ORDER:
        return insert  # a row of the history is nobody's to replace
    key = _key(table)
    values: dict[str, Any] = {name: insert.excluded[name] for name in table.columns.keys() if name not in key}  # noqa: SIM118  # columns, not a dict
    if table is RECORDS:
        values["version"] = RECORDS.c.version + literal_column("1")  # no value of any row
    return insert.on_conflict_do_update(index_elements=list(key), set_=values)
