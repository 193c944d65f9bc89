"""What is known of every address without asking a vendor: rows for `status`, and all of one for `show`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from provisioner.core.journal import Handoff, Operation, Phase
from provisioner.core.model import Address, Desired, Generation, GenerationState, Record

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.state.store import StateStore


@dataclass(frozen=True, slots=True)
class Row:
    """One address as `status` shows it. All moments are UTC; None where there is nothing to tell."""

    address: Address
    provider: str
    state: str
    waits_for: str
    """Whom: `approval`, `handoff`, `identity`, `person`; empty for nobody."""
    note: str
    handoffs: tuple[str, ...]
    """The ids of what waits for a person in a portal."""
    owner: str
    generation: int | None
    issued_at: datetime | None
    expires_at: datetime | None
    retiring: tuple[tuple[int, datetime | None], ...]
    """Older generations that are still accepted, and until when."""
    delivered_at: datetime | None
    """The last delivery of the generation that consumers use."""


def rows(session: Session, store: StateStore) -> list[Row]:
    """Every address that is declared, recorded or in the middle of something, sorted."""
    declared = {one.address: one for one in session.project.desired}
    records = store.all_records()
    places = {*session.project.environments, *store.environments_with_records()}
    operations = {one.address: one for one in reversed(store.operations(places))}
    addresses = sorted(declared.keys() | records.keys() | operations.keys())
    handoffs = store.open_handoffs()
    return [
        _row(store, address, declared.get(address), records.get(address), operations.get(address), handoffs)
        for address in addresses
    ]


def _row(
    store: StateStore,
    address: Address,
    declared: Desired | None,
    record: Record | None,
    operation: Operation | None,
    handoffs: list[Handoff],
) -> Row:
    active = record.active if record else None
    local = record.local if record else declared.local if declared else {}
    return Row(
        address=address,
        provider=next(one.provider for one in (record, operation, declared) if one is not None),
        state=_state(record, operation),
        waits_for=operation.waiting if operation else "",
        note=operation.note if operation else "",
        handoffs=tuple(one.id for one in handoffs if operation and one.operation == operation.id),
        owner=str(local.get("owner", "")),
        generation=active.number if active else None,
        issued_at=active.created_at if active else None,
        expires_at=active.expires_at if active else None,
        retiring=tuple(_retiring(record)),
        delivered_at=_delivered(store, address, active),
    )


def _state(record: Record | None, operation: Operation | None) -> str:
    if operation is not None:
        return _under_way(operation)
    if record is None:
        return "not created"
    if record.active is not None:
        return "active"
    return "inactive" if record.live else "revoked"


def _under_way(operation: Operation) -> str:
    if operation.phase is Phase.UNKNOWN:
        return f"{operation.action}: outcome unknown"
    return f"{operation.action}: {'waiting' if operation.waiting else 'interrupted'}"


def _retiring(record: Record | None) -> Iterator[tuple[int, datetime | None]]:
    for generation in record.generations if record else ():
        if generation.state is GenerationState.RETIRING:
            yield generation.number, generation.retire_after


def _delivered(store: StateStore, address: Address, active: Generation | None) -> datetime | None:
    if active is None:
        return None
    return max(store.deliveries(address, active.number).values(), default=None)
