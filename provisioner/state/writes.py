"""Each write of the journal, as what it does to the rows; audit rows have `audit.py`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Table, exists, select

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
from provisioner.state.rows import generation_row, handoff_row, key_of, operation_row, record_row, stored
from provisioner.state.tables import (
    DELIVERIES,
    GENERATIONS,
    HANDOFFS,
    INSERT,
    OPERATIONS,
    RECORDS,
    SECRETS,
    Insert,
    at,
)


def apply(connection: Connection, project: str, actor: str, writes: Sequence[Write]) -> None:
    """Carry out the writes in their order, in the caller's transaction; the audit rows come last.

    Audit rows wait for each other across the project, so the wait is kept short.
    """
    for write in writes:
        if not isinstance(write, Audit):
            WRITES[type(write)](connection, project, write)
    audit.append(connection, project, actor, [write for write in writes if isinstance(write, Audit)])


def environments(writes: Sequence[Write]) -> set[str]:
    """Where the writes change something: the leases that they need. An audit row alone needs none."""
    return {ADDRESSES[type(write)](write).environment for write in writes if not isinstance(write, Audit)}


def _save_operation(connection: Connection, project: str, write: SaveOperation) -> None:
    _put(connection, OPERATIONS, project, operation_row(write.operation))


def _save_record(connection: Connection, project: str, write: SaveRecord) -> None:
    _put(connection, RECORDS, project, record_row(write.record))


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


def _save_generation(connection: Connection, project: str, write: SaveGeneration) -> None:
    _put(connection, GENERATIONS, project, generation_row(write.address, write.generation))
    if write.sealed is not None:
        row = key_of(write.address) | {"number": write.generation.number, "sealed": write.sealed}
        _put(connection, SECRETS, project, row)


def _save_handoff(connection: Connection, project: str, write: SaveHandoff) -> None:
    _put(connection, HANDOFFS, project, handoff_row(write.handoff))


def _save_delivery(connection: Connection, project: str, write: SaveDelivery) -> None:
    row = {"number": write.generation, "sink": write.sink, "at": stored(write.at)}
    _put(connection, DELIVERIES, project, key_of(write.address) | row)


def _forget_deliveries(connection: Connection, project: str, write: ForgetDeliveries) -> None:
    of_generation = DELIVERIES.c.number == write.generation
    connection.execute(DELIVERIES.delete().where(at(DELIVERIES, project, write.address), of_generation))


WRITES: dict[type[Write], Callable[[Connection, str, Any], None]] = {
    SaveOperation: _save_operation,
    SaveRecord: _save_record,
    RemoveRecord: _remove_record,
    RenameRecord: _rename_record,
    SaveGeneration: _save_generation,
    SaveDelivery: _save_delivery,
    ForgetDeliveries: _forget_deliveries,
    SaveHandoff: _save_handoff,
}

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


def _put(connection: Connection, table: Table, project: str, row: dict[str, Any]) -> None:
    connection.execute(_upsert(connection.dialect.name, table), row | {"project": project})


@cache
def _upsert(dialect: str, table: Table) -> Insert:
    insert = INSERT[dialect](table)
    key: Collection[str] = table.primary_key.columns.keys()
    values: dict[str, Any] = {name: insert.excluded[name] for name in table.columns.keys() if name not in key}  # noqa: SIM118  # columns, not a dict
    if table is RECORDS:
        values["version"] = RECORDS.c.version + 1
    return insert.on_conflict_do_update(index_elements=list(key), set_=values)
