"""What is known of every address without asking a vendor: one row each, the most urgent first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from provisioner.core import renewal
from provisioner.core.journal import Operation, Phase
from provisioner.core.model import Address, Desired, GenerationState, JsonObject, Record
from provisioner.core.renewal import Due, Policy

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.state.store import StateStore


class Row(Struct, frozen=True):
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
    users: tuple[str, ...] = ()
    """The linked user, by the manifests' name and by the vendor's."""
    due: Due | None = None
    """When its renewal is due; None for never, or for one that is not declared any more."""
    operation: str = ""
    """The id of the open operation."""
    done_at: datetime | None = None
    """When the last operation was done."""
    secret_known: bool = True
    """False for what was taken over without its secret."""

    @property
    def ends_at(self) -> datetime | None:
        """When it expires, or passes the age that its policy allows: the first of the two."""
        ends = [moment for moment in (self.expires_at, self.due.limit if self.due else None) if moment]
        return min(ends, default=None)

    def ends_within(self, length: timedelta, now: datetime) -> bool:
        """Whether that is so soon, or past."""
        return self.ends_at is not None and self.ends_at - now <= length


def rows(session: Session, store: StateStore, now: datetime) -> list[Row]:
    """Every address that is declared, recorded or in the middle of something, the most urgent first."""
    found = _Found.read(session, store)
    made = [_row(found, address, now) for address in found.addresses()]
    return sorted(made, key=lambda row: (urgency(row, now), _next(row), row.address))


class _Found(Struct, frozen=True):
    """All that the rows are made of, read in one pass for each kind."""

    declared: Mapping[Address, Desired]
    records: Mapping[Address, Record]
    operations: Mapping[Address, Operation]
    handoffs: Mapping[str, list[str]]
    delivered: Mapping[Address, datetime]
    done: Mapping[Address, datetime]

    @classmethod
    def read(cls, session: Session, store: StateStore) -> _Found:
        places = {*session.project.environments, *store.environments_with_records()}
        handoffs: dict[str, list[str]] = defaultdict(list)
        for handoff in store.open_handoffs():
            handoffs[handoff.operation].append(handoff.id)
        return cls(
            declared={one.address: one for one in session.project.desired},
            records=store.all_records(),
            operations={one.address: one for one in reversed(store.operations(places))},
            handoffs=handoffs,
            delivered=store.last_deliveries(),
            done=store.last_done(),
        )

    def addresses(self) -> set[Address]:
        return self.declared.keys() | self.records.keys() | self.operations.keys()


def _row(found: _Found, address: Address, now: datetime) -> Row:
    declared, record = found.declared.get(address), found.records.get(address)
    operation = found.operations.get(address)
    active = record.active if record else None
    held = record or declared
    local: JsonObject = held.local if held else {}
    return Row(
        address=address,
        provider=next(one.provider for one in (record, operation, declared) if one is not None),
        state=_state(record, operation),
        waits_for=operation.waiting if operation else "",
        note=operation.note if operation else "",
        handoffs=tuple(found.handoffs.get(operation.id, ())) if operation else (),
        owner=str(local.get("owner", "")),
        generation=active.number if active else None,
        issued_at=active.created_at if active else None,
        expires_at=active.expires_at if active else None,
        retiring=tuple(_retiring(record)),
        delivered_at=found.delivered.get(address),
        users=_users(held),
        due=due(declared, record, now),
        operation=operation.id if operation else "",
        done_at=found.done.get(address),
        secret_known=record is None or record.secret_known,
    )


def due(declared: Desired | None, record: Record | None, now: datetime) -> Due | None:
    """When a plan would find the renewal of this address due; None for never."""
    if declared is None or record is None or record.active is None or not record.secret_known:
        return None
    return renewal.due(Policy.of(declared.local.get("rotate")), declared.address, record.active, now)


def _state(record: Record | None, operation: Operation | None) -> str:
    if operation is not None:
        return _under_way(operation)
    if record is None:
        return "not created"
    if record.active is not None:
        return "active" if record.secret_known else UNHELD
    return "inactive" if record.live else "revoked"


def _under_way(operation: Operation) -> str:
    if operation.phase is Phase.UNKNOWN:
        return f"{operation.action}: {UNKNOWN}"
    return f"{operation.action}: {'waiting' if operation.waiting else INTERRUPTED}"


UNHELD = "active, secret unknown"

UNKNOWN, INTERRUPTED = "outcome unknown", "interrupted"


def _retiring(record: Record | None) -> Iterator[tuple[int, datetime | None]]:
    for generation in record.generations if record else ():
        if generation.state is GenerationState.RETIRING:
            yield generation.number, generation.retire_after


def _users(held: Record | Desired | None) -> tuple[str, ...]:
    if held is None:
        return ()
    names = (held.user, held.fields.get("user"))
    return tuple(dict.fromkeys(str(name) for name in names if name is not None))


URGENCIES: Mapping[str, Callable[[Row, datetime], bool]] = {
    "unknown": lambda row, now: row.state.endswith(UNKNOWN),
    "ended": lambda row, now: row.ends_within(timedelta(0), now),
    "interrupted": lambda row, now: row.state.endswith(INTERRUPTED) or row.state == "inactive",
    "due": lambda row, now: row.due is not None and row.due.at <= now,
    "waiting": lambda row, now: bool(row.waits_for),
    "not created": lambda row, now: row.state == "not created",
    "in order": lambda row, now: row.state != "revoked",
    "revoked": lambda row, now: True,
}
"""How urgent a row is: the first of these that it is."""


def urgency(row: Row, now: datetime) -> int:
    """Its place among `URGENCIES`; the lowest is the most urgent."""
    return next(place for place, fits in enumerate(URGENCIES.values()) if fits(row, now))


def _next(row: Row) -> datetime:
    """The next moment at which something is to happen to it."""
    moments = [row.due.at if row.due else None, row.ends_at, *(until for _, until in row.retiring)]
    return min((moment for moment in moments if moment), default=LAST)


LAST = datetime.max.replace(tzinfo=UTC)
