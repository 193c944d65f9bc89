"""Between rows and values: moments, JSON, and the columns of each value."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from provisioner.core.canonical import canonical, read_json
from provisioner.core.capabilities import Verb
from provisioner.core.journal import Action, Handoff, HandoffState, Operation, Phase
from provisioner.core.model import Address, Generation, GenerationState, Record, Tag

Row = dict[str, Any]

STATES = {state.value: state for state in GenerationState}
"""A look-up takes a tenth of what a call of the class does, and planning reads every generation."""


@lru_cache(maxsize=1024)
def stored(moment: datetime) -> str:
    """A moment as text of one fixed width, in UTC. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; the store keeps moments in UTC")
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds")


def stored_or_none(moment: datetime | None) -> str | None:
    """The same, where there may be none."""
    return None if moment is None else stored(moment)


def moment(text: str | None) -> datetime | None:
    """A stored moment, where there may be none."""
    return None if text is None else datetime.fromisoformat(text)


def key_of(address: Address) -> Row:
    """The columns of an address, apart from its project."""
    return {"environment": address.environment, "name": address.name}


def record_row(record: Record) -> Row:
    """A record without its generations, as it is when it is new."""
    return key_of(record.address) | {
        "provider": record.provider,
        "via": record.via.value,
        "linked_user": record.user,
        "fields": canonical(record.fields),
        "local": canonical(record.local),
        "version": 1,
        "secret_known": record.secret_known,
    }


def generation_row(address: Address, generation: Generation) -> Row:
    """One generation of an address."""
    return key_of(address) | {
        "number": generation.number,
        "state": generation.state.value,
        "remote_id": generation.remote_id,
        "tag": generation.tag,
        "created_at": stored(generation.created_at),
        "expires_at": stored_or_none(generation.expires_at),
        "retire_after": stored_or_none(generation.retire_after),
        "provider": generation.provider,
        "issued_at": stored_or_none(generation.issued_at),
    }


def generation_of(
    number: int,
    state: str,
    remote_id: str,
    tag: str,
    created_at: str,
    expires_at: str | None,
    retire_after: str | None,
    provider: str,
    issued_at: str | None,
) -> Generation:
    """A generation from its columns, in the order of its fields."""
    return Generation(
        number,
        STATES[state],
        remote_id,
        tag,
        datetime.fromisoformat(created_at),
        moment(expires_at),
        moment(retire_after),
        provider,
        moment(issued_at),
    )


def operation_row(operation: Operation) -> Row:
    """One operation."""
    return key_of(operation.address) | {
        "id": operation.id,
        "action": operation.action.value,
        "phase": operation.phase.value,
        "provider": operation.provider,
        "via": operation.via,
        "generation": operation.generation,
        "started_at": stored(operation.started_at),
        "updated_at": stored(operation.updated_at),
        "tag": None if operation.tag is None else str(operation.tag),
        "remote_id": operation.remote_id,
        "desired": canonical(operation.desired),
        "waiting": operation.waiting,
        "note": operation.note,
    }


def operation_of(row: Row) -> Operation:
    """An operation from its columns."""
    return Operation(
        id=row["id"],
        address=Address(row["environment"], row["name"]),
        action=Action(row["action"]),
        phase=Phase(row["phase"]),
        provider=row["provider"],
        via=row["via"],
        generation=row["generation"],
        started_at=datetime.fromisoformat(row["started_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        tag=None if row["tag"] is None else Tag.parse(row["tag"]),
        remote_id=row["remote_id"],
        desired=read_json(row["desired"]),
        waiting=row["waiting"],
        note=row["note"],
    )


def handoff_row(handoff: Handoff) -> Row:
    """One handoff."""
    return key_of(handoff.address) | {
        "id": handoff.id,
        "operation": handoff.operation,
        "provider": handoff.provider,
        "verb": handoff.verb.value,
        "generation": handoff.generation,
        "screen": handoff.screen,
        "steps": canonical(list(handoff.steps)),
        "asks": canonical(list(handoff.asks)),
        "fields": canonical(handoff.fields),
        "remote_id": handoff.remote_id,
        "tag": handoff.tag,
        "state": handoff.state.value,
        "opened_at": stored(handoff.opened_at),
        "closed_at": stored_or_none(handoff.closed_at),
        "note": handoff.note,
    }


def handoff_of(row: Row) -> Handoff:
    """A handoff from its columns."""
    return Handoff(
        id=row["id"],
        operation=row["operation"],
        address=Address(row["environment"], row["name"]),
        provider=row["provider"],
        verb=Verb(row["verb"]),
        generation=row["generation"],
        screen=row["screen"],
        steps=tuple(read_json(row["steps"])),
        asks=tuple(read_json(row["asks"])),
        fields=read_json(row["fields"]),
        remote_id=row["remote_id"],
        tag=row["tag"],
        state=HandoffState(row["state"]),
        opened_at=datetime.fromisoformat(row["opened_at"]),
        closed_at=moment(row["closed_at"]),
        note=row["note"],
    )
