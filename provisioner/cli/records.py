"""All that is known of one address, as JSON and as text; never a secret, not even a sealed one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from provisioner.cli.rendering.status import WHOM, moment
from provisioner.cli.values import plain, shown
from provisioner.core.journal import Operation
from provisioner.core.model import Address, Generation, JsonObject, JsonValue, Record

if TYPE_CHECKING:
    from provisioner.state.store import StateStore
    from provisioner.state.values import AuditRow

HISTORY = 10
"""How many events of the past are shown."""


def known(store: StateStore, address: Address, *, history: int = HISTORY) -> JsonObject | None:
    """What the store knows of an address; None for nothing."""
    record = store.record(address)
    operation = next((one for one in store.operations([address.environment]) if one.address == address), None)
    generations = store.generations(address)
    if record is None and operation is None and not generations:
        return None
    return {
        "address": str(address),
        "record": _record(record) if record else None,
        "generations": [_generation(store, address, one) for one in generations],
        "operation": _operation(operation) if operation else None,
        "history": [_event(row) for row in store.history(address)[-history:]],
    }


def known_text(found: JsonObject) -> str:
    """The same for people. Ends without a newline."""
    return "\n".join(_lines(found))


def _record(record: Record) -> JsonObject:
    return {
        "provider": record.provider,
        "via": record.via.value,
        "version": record.version,
        "user": record.user,
        "secret_known": record.secret_known,
        "protected": record.protected,
        "fields": record.fields,
        "local": record.local,
    }


def _generation(store: StateStore, address: Address, generation: Generation) -> JsonObject:
    deliveries = store.deliveries(address, generation.number)
    return {
        "number": generation.number,
        "state": generation.state.value,
        "remote_id": generation.remote_id,
        "tag": generation.tag,
        "created_at": moment(generation.created_at),
        "expires_at": moment(generation.expires_at),
        "retire_after": moment(generation.retire_after),
        "deliveries": {sink: moment(at) for sink, at in deliveries.items()},
    }


def _operation(operation: Operation) -> JsonObject:
    return {
        "id": operation.id,
        "action": operation.action.value,
        "phase": operation.phase.value,
        "generation": operation.generation,
        "provider": operation.provider,
        "remote_id": operation.remote_id,
        "waiting": operation.waiting,
        "note": operation.note,
        "started_at": moment(operation.started_at),
        "updated_at": moment(operation.updated_at),
    }


def _event(row: AuditRow) -> JsonObject:
    return {"at": moment(row.at), "actor": row.actor, "event": row.event, "detail": dict(row.detail)}


def _lines(found: JsonObject) -> Iterator[str]:
    yield plain(found["address"])
    record = found["record"]
    if record:
        yield from _pairs({name: record[name] for name in ("provider", "via", "version")})
        yield from _pairs({**record["fields"], **record["local"]})
        if not record["secret_known"]:
            yield f"  secret unknown: provision renew {plain(found['address'])} makes it whole"
    operation = found["operation"]
    if operation:
        yield "  open operation:"
        yield from _open(operation)
    yield "  generations:"
    for one in found["generations"]:
        yield from _one_generation(one)
    yield "  history:"
    for event in found["history"]:
        yield f"    {event['at']}  {plain(event['event'])}  by {plain(event['actor'])}"


def _pairs(values: Mapping[str, JsonValue]) -> Iterator[str]:
    for name, value in sorted(values.items()):
        yield f"  {plain(name):<13}{shown(value, quoted=name == 'description')}"


def _open(operation: JsonObject) -> Iterator[str]:
    what = f"{operation['action']} of generation {operation['generation']}"
    yield f"    {what}: {operation['phase']} since {operation['updated_at']}"
    if operation["waiting"]:
        yield f"    waits for {WHOM.get(operation['waiting'], operation['waiting'])}"
    if operation["note"]:
        yield f"    {plain(operation['note'])}"


def _one_generation(one: JsonObject) -> Iterator[str]:
    moments = {"created": "created_at", "expires": "expires_at", "retires": "retire_after"}
    told = [f"{word} {one[key]}" for word, key in moments.items() if one[key]]
    yield f"    {one['number']}  {one['state']}  {plain(one['remote_id'])}  {', '.join(told)}"
    for sink, at in one["deliveries"].items():
        yield f"       delivered to {plain(sink)} {at}"
