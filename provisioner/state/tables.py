"""The tables as they are today. How a store of an older version gets here is in `migrations.py`.

Every table is keyed by project, because projects of a team share one PostgreSQL; the names begin with
`provision_`, because it may share the database with others. Moments are ISO 8601 text in UTC of one
fixed width, so they sort as they are. No column ever holds a secret in clear: `sealed` is age text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
)

from provisioner.core.model import Address

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

METADATA = MetaData()

Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"


def insert_into(table: Table, dialect: str) -> Insert:
    """An insert that knows ON CONFLICT. Both dialects do, each by a class of its own, and importing takes."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


GENERATION_KEY = ["project", "environment", "name", "number"]


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _key(*names: str) -> list[Column[str]]:
    return [Column(name, Text, primary_key=True) for name in names]


def _of_generation() -> ForeignKeyConstraint:
    # A generation's rows follow it when its address is renamed.
    there = [f"provision_generations.{name}" for name in GENERATION_KEY]
    return ForeignKeyConstraint(GENERATION_KEY, there, onupdate="CASCADE", ondelete="CASCADE")


META = Table("provision_meta", METADATA, *_key("key"), _text("value"))

RECORDS = Table(
    "provision_records",
    METADATA,
    *_key("project", "environment", "name"),
    _text("provider"),
    _text("via"),
    _text("linked_user", nullable=True),
    _text("fields"),
    _text("local"),
    Column("version", Integer, nullable=False),
    Column("secret_known", Boolean, nullable=False),
)

GENERATIONS = Table(
    "provision_generations",
    METADATA,
    *_key("project", "environment", "name"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("state"),
    _text("remote_id"),
    _text("tag"),
    _text("created_at"),
    _text("expires_at", nullable=True),
    _text("retire_after", nullable=True),
    _text("provider"),
    _text("issued_at", nullable=True),
)

SECRETS = Table(
    # Apart from the generations, so that planning never reads the bulk of it.
    "provision_secrets",
    METADATA,
    *_key("project", "environment", "name"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("sealed"),
    _of_generation(),
)

DELIVERIES = Table(
    "provision_deliveries",
    METADATA,
    *_key("project", "environment", "name"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    *_key("sink"),
    _text("at"),
    _of_generation(),
)

OPERATIONS = Table(
    "provision_operations",
    METADATA,
    *_key("project", "id"),
    _text("environment"),
    _text("name"),
    _text("action"),
    _text("phase"),
    _text("provider"),
    _text("via"),
    Column("generation", Integer, nullable=False),
    _text("started_at"),
    _text("updated_at"),
    _text("tag", nullable=True),
    _text("remote_id", nullable=True),
    _text("desired"),
    _text("waiting"),
    _text("note"),
    Index("provision_operations_by_phase", "project", "phase"),
)

HANDOFFS = Table(
    "provision_handoffs",
    METADATA,
    *_key("project", "id"),
    _text("operation"),
    _text("environment"),
    _text("name"),
    _text("provider"),
    _text("verb"),
    Column("generation", Integer, nullable=False),
    _text("screen"),
    _text("steps"),
    _text("asks"),
    _text("fields"),
    _text("remote_id"),
    _text("tag"),
    _text("state"),
    _text("opened_at"),
    _text("closed_at", nullable=True),
    _text("note"),
    Index("provision_handoffs_by_operation", "project", "operation"),
    Index("provision_handoffs_by_state", "project", "state"),
)

AUDIT = Table(
    "provision_audit",
    METADATA,
    *_key("project"),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _text("at"),
    _text("actor"),
    _text("event"),
    _text("address", nullable=True),
    _text("detail"),
    _text("previous"),
    _text("digest"),
    Index("provision_audit_by_address", "project", "address"),
)

LEASES = Table(
    # The row stays when its lease is given back (`holder` is empty then), so that epochs never repeat.
    "provision_leases",
    METADATA,
    *_key("project", "environment"),
    _text("holder"),
    _text("host"),
    Column("pid", BigInteger, nullable=False),
    _text("birth"),
    Column("epoch", BigInteger, nullable=False),
    _text("acquired_at"),
    _text("expires_at"),
)


def at(table: Table, project: str, address: Address) -> ColumnElement[bool]:
    """The rows of one address."""
    return and_(
        table.c.project == project,
        table.c.environment == address.environment,
        table.c.name == address.name,
    )
