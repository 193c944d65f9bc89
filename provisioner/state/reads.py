"""What the store knows, as values: columns only, one pass for each table."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from provisioner.core.garbage import no_collection
from provisioner.core.journal import CLOSED, Handoff, HandoffState, Operation, Phase
from provisioner.core.model import Address, Generation, GenerationState
from provisioner.state.held import Held
from provisioner.state.rows import generation_of, handoff_of, operation_of
from provisioner.state.tables import (
    DELIVERIES,
    GENERATIONS,
    HANDOFFS,
    LEASES,
    OPERATIONS,
    RECORDS,
    SECRETS,
    at,
)
from provisioner.state.values import HeldLease

Choice = Callable[[Table], ColumnElement[bool]]
"""Which rows of a table are meant."""

FEW = 500
"""Up to how many values a query names (SQLite takes 999 everywhere); for more, one pass is quicker."""

OPEN = [phase.value for phase in Phase if phase not in CLOSED]

GENERATION_COLUMNS = (
    GENERATIONS.c.number,
    GENERATIONS.c.state,
    GENERATIONS.c.remote_id,
    GENERATIONS.c.tag,
    GENERATIONS.c.created_at,
    GENERATIONS.c.expires_at,
    GENERATIONS.c.retire_after,
    GENERATIONS.c.provider,
    GENERATIONS.c.issued_at,
)

RECORD_COLUMNS = (
    RECORDS.c.fields,
    RECORDS.c.local,
    RECORDS.c.environment,
    RECORDS.c.name,
    RECORDS.c.provider,
    RECORDS.c.via,
    RECORDS.c.version,
    RECORDS.c.secret_known,
    RECORDS.c.linked_user,
)


def held(connection: Connection, project: str, environments: Collection[str] | None = None) -> Held:
    """The rows of these environments, or of all."""
    return _held(connection, lambda table: _of(table, project, environments))


def held_at(connection: Connection, project: str, address: Address) -> Held:
    """The rows of one address."""
    return _held(connection, lambda table: at(table, project, address))


def _held(connection: Connection, chosen: Choice) -> Held:
    generations = select(GENERATIONS.c.environment, GENERATIONS.c.name, *GENERATION_COLUMNS)
    with no_collection():
        records = connection.execute(select(*RECORD_COLUMNS).where(chosen(RECORDS))).all()
        return Held(
            [tuple(row) for row in records],
            [tuple(row) for row in connection.execute(generations.where(chosen(GENERATIONS)))],
        )


def generations(connection: Connection, project: str, address: Address) -> tuple[Generation, ...]:
    """Every generation ever issued for an address, also for one whose record is gone."""
    chosen = select(*GENERATION_COLUMNS).where(at(GENERATIONS, project, address))
    rows = connection.execute(chosen.order_by(GENERATIONS.c.number))
    return tuple(generation_of(*row) for row in rows)


def operations(
    connection: Connection, project: str, environments: Collection[str] | None = None
) -> list[Operation]:
    """Every open operation, oldest first."""
    chosen = select(OPERATIONS).where(OPERATIONS.c.phase.in_(OPEN), _of(OPERATIONS, project, environments))
    rows = connection.execute(chosen.order_by(OPERATIONS.c.started_at, OPERATIONS.c.id))
    return [operation_of(row) for row in rows.mappings()]  # type: ignore[arg-type]  # a RowMapping reads as a dict


def operation(connection: Connection, project: str, id: str) -> Operation | None:
    """One operation, open or closed."""
    chosen = select(OPERATIONS).where(OPERATIONS.c.project == project, OPERATIONS.c.id == id)
    row = connection.execute(chosen).mappings().first()
    return None if row is None else operation_of(dict(row))


def sealed(connection: Connection, project: str, address: Address, generation: int) -> str | None:
    """The age text of one generation."""
    chosen = select(SECRETS.c.sealed).where(at(SECRETS, project, address), SECRETS.c.number == generation)
    return connection.execute(chosen).scalar_one_or_none()


def deliveries(
    connection: Connection, project: str, address: Address, generation: int
) -> dict[str, datetime]:
    """When each sink acknowledged this generation."""
    chosen = select(DELIVERIES.c.sink, DELIVERIES.c.at).where(
        at(DELIVERIES, project, address), DELIVERIES.c.number == generation
    )
    rows = connection.execute(chosen.order_by(DELIVERIES.c.at, DELIVERIES.c.sink))
    return {sink: datetime.fromisoformat(at) for sink, at in rows}


def last_deliveries(connection: Connection, project: str) -> dict[Address, datetime]:
    """When the generation in use of each address was last delivered anywhere, in one pass."""
    of_active = and_(
        *(DELIVERIES.c[name] == GENERATIONS.c[name] for name in ("project", "environment", "name", "number")),
        GENERATIONS.c.state == GenerationState.ACTIVE.value,
    )
    key = (DELIVERIES.c.environment, DELIVERIES.c.name)
    chosen = select(*key, func.max(DELIVERIES.c.at)).join(GENERATIONS, of_active)
    rows = connection.execute(chosen.where(DELIVERIES.c.project == project).group_by(*key))
    return {Address(environment, name): datetime.fromisoformat(at) for environment, name, at in rows}


def last_done(connection: Connection, project: str) -> dict[Address, datetime]:
    """When the last operation of each address was done, in one pass."""
    key = (OPERATIONS.c.environment, OPERATIONS.c.name)
    chosen = select(*key, func.max(OPERATIONS.c.updated_at)).where(
        OPERATIONS.c.project == project, OPERATIONS.c.phase == Phase.DONE.value
    )
    return {
        Address(environment, name): datetime.fromisoformat(at)
        for environment, name, at in connection.execute(chosen.group_by(*key))
    }


def handoffs_of(connection: Connection, project: str, operation: str) -> list[Handoff]:
    """Every handoff of one operation, oldest first."""
    return _handoffs(connection, and_(HANDOFFS.c.project == project, HANDOFFS.c.operation == operation))


def open_handoffs(connection: Connection, project: str) -> list[Handoff]:
    """Every handoff that waits for somebody, oldest first."""
    waiting = HANDOFFS.c.state == HandoffState.OPEN.value
    return _handoffs(connection, and_(HANDOFFS.c.project == project, waiting))


def handoff(connection: Connection, project: str, id: str) -> Handoff | None:
    """One handoff, whatever became of it."""
    found = _handoffs(connection, and_(HANDOFFS.c.project == project, HANDOFFS.c.id == id))
    return found[0] if found else None


def _handoffs(connection: Connection, chosen: ColumnElement[bool]) -> list[Handoff]:
    query = select(HANDOFFS).where(chosen).order_by(HANDOFFS.c.opened_at, HANDOFFS.c.id)
    return [handoff_of(dict(row)) for row in connection.execute(query).mappings()]


def known_tags(connection: Connection, project: str, tags: Collection[str]) -> set[str]:
    """Which of these tags the store has ever heard of."""
    wanted, found = set(tags), set[str]()
    for table in (OPERATIONS, GENERATIONS):
        chosen = select(table.c.tag).where(table.c.project == project)
        if len(wanted) <= FEW:
            chosen = chosen.where(table.c.tag.in_(list(wanted)))
        found.update(connection.execute(chosen).scalars())
    return found & wanted


def environments_with_records(connection: Connection, project: str) -> tuple[str, ...]:
    """Where the project has anything, in the order of the alphabet."""
    chosen = select(RECORDS.c.environment).where(RECORDS.c.project == project).distinct()
    return tuple(sorted(connection.execute(chosen).scalars()))


def other_projects(connection: Connection, project: str) -> dict[str, int]:
    """How many records the other projects in this store have."""
    counted = select(RECORDS.c.project, func.count()).where(RECORDS.c.project != project)
    rows = connection.execute(counted.group_by(RECORDS.c.project).order_by(RECORDS.c.project))
    return {row[0]: row[1] for row in rows}


def leases(connection: Connection, project: str) -> tuple[HeldLease, ...]:
    """Every lease that was not given back, also one that ran out."""
    columns = (LEASES.c[name] for name in HeldLease.__struct_fields__)
    chosen = select(*columns).where(LEASES.c.project == project, LEASES.c.holder != "")
    return tuple(
        HeldLease(
            where,
            holder,
            host,
            pid,
            epoch,
            datetime.fromisoformat(since),
            datetime.fromisoformat(until),
            birth,
        )
        for where, holder, host, pid, epoch, since, until, birth in connection.execute(
            chosen.order_by(LEASES.c.environment)
        )
    )


def _of(table: Table, project: str, environments: Collection[str] | None) -> ColumnElement[bool]:
    mine = table.c.project == project
    return mine if environments is None else and_(mine, table.c.environment.in_(list(environments)))
