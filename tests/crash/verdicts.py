"""What is wrong once everything converged, in words, by the vendors' own ledgers and not by our state.

Each finding begins with its kind (see `counting.KINDS`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crash_runs import VENDORS
from engine_world import World

from provisioner.core.model import Address, GenerationState, Record


@dataclass(frozen=True)
class Wanted:
    """What an address should have come to: fields at a vendor, and how many live there by then."""

    provider: str
    fields: Mapping[str, Any]
    live: int = 1


def verdict(world: World, wanted: Mapping[str, Wanted]) -> list[str]:
    """Everything that is wrong with a world in which nothing but `wanted` should be left."""
    records = world.records()
    live = {tag for name in VENDORS for tag in alive(world, name)}
    found = [*_at_the_vendors(records, live, wanted), *_left_open(world)]
    for address, one in wanted.items():
        found += _of_address(records.get(Address.parse(address)), live, address, one)
        found += _at_the_consumer(world, address, one)
    return found


def alive(world: World, provider: str) -> list[str]:
    """The tags of what a vendor's own ledger counts as alive, or its id where it has no tag.

    FPay disables where others delete (FP8), and has one of the account's own from the first day.
    """
    ledger = [e for e in world.sandbox.ledger(provider, "test") if e.fields.get("name") != "management"]
    return [e.label or e.id for e in ledger if e.ended_at is None and e.status != "disabled"]


def _at_the_vendors(
    records: Mapping[Address, Record], live: set[str], wanted: Mapping[str, Wanted]
) -> Iterator[str]:
    tags = {g.tag: (str(address), g.live) for address, record in records.items() for g in record.generations}
    for tag in sorted(live):
        address, lives = tags.get(tag, ("", False))
        if not address:
            yield f"orphaned: {tag} at the vendor, unknown to the state"
        elif not lives:
            yield f"orphaned: {tag} lives at the vendor, and is dead in the state"
        elif address not in wanted:
            yield f"stuck: {tag} was not revoked"
    for tag, (_, lives) in tags.items():
        if lives and tag not in live:
            yield f"lost: {tag} is dead at the vendor, and lives in the state"


def _of_address(record: Record | None, live: set[str], address: str, wanted: Wanted) -> Iterator[str]:
    generations = record.generations if record else ()
    active = sum(generation.state is GenerationState.ACTIVE for generation in generations)
    if active != 1:
        yield f"{'duplicated' if active else 'lost'}: {address} has {active} active generations"
    count = len(live & {generation.tag for generation in generations})
    if count != wanted.live:
        kind = "duplicated" if count > wanted.live else "lost"
        yield f"{kind}: {address} has {count} live at the vendor, not {wanted.live}"


def _at_the_consumer(world: World, address: str, wanted: Wanted) -> Iterator[str]:
    if not world.delivered(address):
        yield f"lost: nothing of {address} lies in the sink"
    elif not world.works(address, wanted.provider, wanted.fields):
        yield f"lost: what the sink has of {address} does not work"


def _left_open(world: World) -> Iterator[str]:
    emergency = world.root / ".provision" / "emergency"
    if emergency.exists() and any(emergency.iterdir()):
        yield "stuck: something was left in the emergency folder"
    with world.store() as store:
        for operation in store.operations(["test"]):
            yield f"stuck: {operation.address} is {operation.phase}"
        for finding in store.audit_verify():
            yield f"torn: {finding}"
    for change in world.plan().changes:
        yield f"stuck: still planned: {change.action} of {change.address}"
