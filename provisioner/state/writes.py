"""Each write of the journal, as what it does to the rows; audit rows have `audit.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from msgspec import Struct
from sqlalchemy import Connection, exists, select

from provisioner.core.journal import (
    Audit,
    ForgetDeliveries,
    RemoveRecord,
    RenameRecord,
    SaveDelivery,
    SaveGeneration,
    SaveHandoff,
    SaveOperation,
    SaveRecord,
    Write,
)
from provisioner.core.model import Address, GenerationState
from provisioner.errors import StateError
from provisioner.state import audit
from provisioner.state.rows import (
    generation_row,
    handoff_row,
    key_of,
    operation_row,
    record_row,
    stored,
)
from provisioner.state.tables import DELIVERIES, GENERATIONS, HANDOFFS, OPERATIONS, RECORDS, SECRETS, at
from provisioner.state.together import Rows, Together


class Commit(Struct, frozen=True):
    """What one caller wants to be durable, all or none, and who that is in the history."""

    actor: str
    writes: tuple[Write, ...]


def apply(connection: Connection, project: str, commits: Sequence[Commit]) -> None:
    """Carry out the writes in their order, in the caller's transaction; the audit rows come last.

    Rows that are put, which nearly all are, go together, table by table. Audit rows wait for each
    other across the project, so the wait is kept short.
    """
    together = Together(connection, project)
    told: list[tuple[str, Audit]] = []
    for commit in commits:
        for write in commit.writes:
            if isinstance(write, Audit):
                told.append((commit.actor, write))
            elif (rows := ROWS.get(type(write))) is not None:
                together.put(rows(write))
            else:
                together.flush()  # it may be about what was put before
                WRITES[type(write)](connection, project, write)
    together.flush()
    audit.append(connection, project, told)


def environments(writes: Sequence[Write]) -> set[str]:
    """Where the writes change something: the leases that they need. An audit row alone needs none."""
    return {ADDRESSES[type(write)](write).environment for write in writes if not isinstance(write, Audit)}


def _remove_record(connection: Connection, project: str, write: RemoveRecord) -> None:
    connection.execute(RECORDS.delete().where(at(RECORDS, project, write.address)))
    # Else whatever takes the address next would begin at generation 1 again, and write over these.
    connection.execute(GENERATIONS.delete().where(at(GENERATIONS, project, write.address)))


def _rename_record(connection: Connection, project: str, write: RenameRecord) -> None:
    _clear_history(connection, project, write.after)
    moved = connection.execute(
        RECORDS.update()
        .where(at(RECORDS, project, write.before))
        .values(version=RECORDS.c.version + 1, **key_of(write.after))
    )
    if not moved.rowcount:
        raise StateError(
            f"{write.before} cannot become {write.after}: the store has no record of it",
            remedy="plan again",
        )
    # Secrets and deliveries follow by their foreign keys.
    connection.execute(
        GENERATIONS.update().where(at(GENERATIONS, project, write.before)).values(key_of(write.after))
    )


def _clear_history(connection: Connection, project: str, address: Address) -> None:
    """Make room for a rename: an address that was revoked or removed earlier still has dead generations."""
    dead = GENERATIONS.c.state == GenerationState.RETIRED.value
    lives = exists(select(GENERATIONS.c.number).where(at(GENERATIONS, project, address), ~dead))
    connection.execute(RECORDS.delete().where(at(RECORDS, project, address), ~lives))
    taken = exists(select(RECORDS.c.name).where(at(RECORDS, project, address)))
    connection.execute(GENERATIONS.delete().where(at(GENERATIONS, project, address), dead, ~taken))


def _forget_deliveries(connection: Connection, project: str, write: ForgetDeliveries) -> None:
    of_generation = DELIVERIES.c.number == write.generation
    connection.execute(DELIVERIES.delete().where(at(DELIVERIES, project, write.address), of_generation))


WRITES: dict[type[Write], Callable[[Connection, str, Any], None]] = {
    RemoveRecord: _remove_record,
    RenameRecord: _rename_record,
    ForgetDeliveries: _forget_deliveries,
}
"""What is done by statements of its own."""


def _generation_rows(write: SaveGeneration) -> Rows:
    yield GENERATIONS, generation_row(write.address, write.generation)
    if write.sealed is not None:
        number = {"number": write.generation.number}
        yield SECRETS, key_of(write.address) | number | {"sealed": write.sealed}


def _delivery_rows(write: SaveDelivery) -> Rows:
    row = {"number": write.generation, "sink": write.sink, "at": stored(write.at)}
    yield DELIVERIES, key_of(write.address) | row


ROWS: dict[type[Write], Callable[[Any], Rows]] = {
    SaveOperation: lambda write: iter([(OPERATIONS, operation_row(write.operation))]),
    SaveRecord: lambda write: iter([(RECORDS, record_row(write.record))]),
    SaveGeneration: _generation_rows,
    SaveDelivery: _delivery_rows,
    SaveHandoff: lambda write: iter([(HANDOFFS, handoff_row(write.handoff))]),
}
"""The rows that are put, in the place of older ones with the same key."""

ADDRESSES: dict[type[Write], Callable[[Any], Address]] = {
    SaveOperation: lambda write: cast(SaveOperation, write).operation.address,
    SaveRecord: lambda write: cast(SaveRecord, write).record.address,
    RemoveRecord: lambda write: cast(RemoveRecord, write).address,
    RenameRecord: lambda write: cast(RenameRecord, write).after,
    SaveGeneration: lambda write: cast(SaveGeneration, write).address,
    SaveDelivery: lambda write: cast(SaveDelivery, write).address,
    ForgetDeliveries: lambda write: cast(ForgetDeliveries, write).address,
    SaveHandoff: lambda write: cast(SaveHandoff, write).handoff.address,
}
