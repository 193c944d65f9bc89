"""The ordered steps from an empty database to today's tables.

A step is never edited once it was released: what a store is depends on it. A change of `tables.py`
comes with one more step; a test compares both ends. Each is plain SQL that SQLite and PostgreSQL share.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, inspect, select, text

from provisioner.errors import StateNewer, StateUnavailable
from provisioner.state.tables import META

Step = tuple[str, ...]

STEPS: tuple[Step, ...] = (
    (  # 1: the first tables
        "CREATE TABLE provision_meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
        "INSERT INTO provision_meta (key, value) VALUES ('schema_version', '0')",
        """CREATE TABLE provision_records (
            project TEXT NOT NULL, environment TEXT NOT NULL, name TEXT NOT NULL,
            provider TEXT NOT NULL, via TEXT NOT NULL, linked_user TEXT,
            fields TEXT NOT NULL, local TEXT NOT NULL,
            version INTEGER NOT NULL, secret_known BOOLEAN NOT NULL,
            PRIMARY KEY (project, environment, name))""",
        """CREATE TABLE provision_generations (
            project TEXT NOT NULL, environment TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,
            state TEXT NOT NULL, remote_id TEXT NOT NULL, tag TEXT NOT NULL,
            created_at TEXT NOT NULL, expires_at TEXT, retire_after TEXT, provider TEXT NOT NULL,
            PRIMARY KEY (project, environment, name, number))""",
        """CREATE TABLE provision_secrets (
            project TEXT NOT NULL, environment TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,
            sealed TEXT NOT NULL,
            PRIMARY KEY (project, environment, name, number),
            FOREIGN KEY (project, environment, name, number)
                REFERENCES provision_generations (project, environment, name, number)
                ON UPDATE CASCADE ON DELETE CASCADE)""",
        """CREATE TABLE provision_deliveries (
            project TEXT NOT NULL, environment TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,
            sink TEXT NOT NULL, at TEXT NOT NULL,
            PRIMARY KEY (project, environment, name, number, sink),
            FOREIGN KEY (project, environment, name, number)
                REFERENCES provision_generations (project, environment, name, number)
                ON UPDATE CASCADE ON DELETE CASCADE)""",
        """CREATE TABLE provision_operations (
            project TEXT NOT NULL, id TEXT NOT NULL,
            environment TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL, phase TEXT NOT NULL,
            provider TEXT NOT NULL, via TEXT NOT NULL, generation INTEGER NOT NULL,
            started_at TEXT NOT NULL, updated_at TEXT NOT NULL, tag TEXT, remote_id TEXT,
            desired TEXT NOT NULL, waiting TEXT NOT NULL, note TEXT NOT NULL,
            PRIMARY KEY (project, id))""",
        "CREATE INDEX provision_operations_by_phase ON provision_operations (project, phase)",
        """CREATE TABLE provision_handoffs (
            project TEXT NOT NULL, id TEXT NOT NULL, operation TEXT NOT NULL,
            environment TEXT NOT NULL, name TEXT NOT NULL, provider TEXT NOT NULL,
            verb TEXT NOT NULL, generation INTEGER NOT NULL,
            screen TEXT NOT NULL, steps TEXT NOT NULL, asks TEXT NOT NULL,
            fields TEXT NOT NULL, remote_id TEXT NOT NULL, tag TEXT NOT NULL, state TEXT NOT NULL,
            opened_at TEXT NOT NULL, closed_at TEXT, note TEXT NOT NULL,
            PRIMARY KEY (project, id))""",
        "CREATE INDEX provision_handoffs_by_operation ON provision_handoffs (project, operation)",
        "CREATE INDEX provision_handoffs_by_state ON provision_handoffs (project, state)",
        """CREATE TABLE provision_audit (
            project TEXT NOT NULL, seq BIGINT NOT NULL, at TEXT NOT NULL, actor TEXT NOT NULL,
            event TEXT NOT NULL, address TEXT, detail TEXT NOT NULL,
            previous TEXT NOT NULL, digest TEXT NOT NULL,
            PRIMARY KEY (project, seq))""",
        "CREATE INDEX provision_audit_by_address ON provision_audit (project, address)",
        """CREATE TABLE provision_leases (
            project TEXT NOT NULL, environment TEXT NOT NULL, holder TEXT NOT NULL, host TEXT NOT NULL,
            pid BIGINT NOT NULL, birth TEXT NOT NULL, epoch BIGINT NOT NULL,
            acquired_at TEXT NOT NULL, expires_at TEXT NOT NULL,
            PRIMARY KEY (project, environment))""",
    ),
    ("ALTER TABLE provision_generations ADD COLUMN issued_at TEXT",),  # 2: tells of a secret replaced outside
)


def version(connection: Connection) -> int:
    """The schema version of this store; 0 where there is none yet."""
    if not inspect(connection).has_table(META.name):
        return 0
    found = connection.scalar(select(META.c.value).where(META.c.key == "schema_version"))
    if found is None or not found.isdecimal():
        raise StateUnavailable(
            f"the state store says schema version {found!r}, which is no version",
            remedy="something else wrote to it: restore the store from a copy",
        )
    return int(found)


def check(found: int, where: str, steps: Sequence[Step] = STEPS) -> None:
    """Raises StateNewer for a store that a newer provision wrote: its rows might be misread."""
    if found > len(steps):
        raise StateNewer(
            f"the state store {where} has schema version {found}; this provision knows versions up to "
            f"{len(steps)}",
            remedy="use the newer provision that wrote it (upgrade with pip), or restore an older copy",
        )


def migrate(connection: Connection, where: str, steps: Sequence[Step] = STEPS) -> None:
    """Bring a store to today's version, inside the caller's transaction: all steps or none."""
    found = version(connection)
    check(found, where, steps)
    for step in steps[found:]:
        for statement in step:
            connection.execute(text(statement))
    if found < len(steps):
        connection.execute(META.update().where(META.c.key == "schema_version").values(value=str(len(steps))))
