"""A world with one credential of one vendor: what an action declares, and what is wrong after it settled."""

from __future__ import annotations

from collections.abc import Callable

from engine_world import World, deliver
from fault_cases import VENDORS
from msgspec.structs import replace
from portal_person import PortalPerson

from provisioner.core.journal import Action
from provisioner.core.model import Address, Generation, GenerationState
from provisioner.core.situation import Order
from provisioner.engine.apply import Summary
from provisioner.engine.context import Context

ADDRESS = "test/key"
KEY = Address.parse(ADDRESS)


def declare(world: World, vendor: str, action: str = "create") -> None:
    """Declare what an action is to bring about; a renewal is asked for until it was tried."""
    row = VENDORS[vendor]
    world.orders, world.person, world.wrap = {}, PortalPerson(world.sandbox), alone(vendor)
    if action == "revoke":
        world.declared.clear()
        return
    world.declare(
        ADDRESS,
        provider=vendor,
        fields=row.second if action == "update" else row.first,
        deliver=deliver("key", *row.parts),
        rotate={"allow_downtime": True},
    )
    record = world.records().get(KEY)
    if action == "renew" and record is not None and len(record.generations) == 1:
        world.orders = {KEY: Order(Action.RENEW, "asked for")}


def alone(vendor: str) -> Callable[[Context], Context]:
    """This vendor's test environment is all that there is to look at, which saves nine lists a plan."""
    place = (vendor, "test")
    return lambda context: replace(context, providers={place: context.providers[place]})


def prepare(world: World, vendor: str, action: str) -> None:
    """A world in which the action is the next thing to happen."""
    if action != "create":
        declare(world, vendor)
        assert 0 == world.apply().exit_code
    declare(world, vendor, action)


def outcomes(summary: Summary) -> list[str]:
    """What became of each change."""
    return [outcome.status.value for outcome in summary.outcomes]


def settle(world: World, vendor: str, action: str) -> None:
    """The vendors are well again: at most two more applies, and nothing is left to do."""
    world.sandbox.clear_faults()
    for _ in range(2):
        declare(world, vendor, action)
        if not (made := world.plan()).changes:
            return
        world.apply(made)
    declare(world, vendor, action)
    assert () == world.plan().changes


def wrong(world: World, vendor: str, action: str) -> list[str]:
    """What is wrong, by the vendor's own ledger and not by our state alone."""
    record = world.records().get(KEY)
    live = alive(world, vendor)
    ours = {g.remote_id for g in record.live} if record else set()
    found = [f"orphan: {one}" for one in live - ours] + [
        f"dead, and live to us: {one}" for one in ours - live
    ]
    with world.store() as store:
        found += [f"open: {operation.phase}" for operation in store.operations(["test"])]
        found += [f"audit: {finding}" for finding in store.audit_verify()]
    if action == "revoke":
        return found + [f"not revoked: {one}" for one in live]
    states = [g.state for g in record.live] if record else []
    if states[-1:] != [GenerationState.ACTIVE] or [g for g in record.live[:-1] if not overlaps(world, g)]:
        found.append(f"generations: {states}")
    fields = VENDORS[vendor].second if action == "update" else VENDORS[vendor].first
    if not world.works(ADDRESS, vendor, fields):
        found.append("what lies in the sink does not work")
    return found


def alive(world: World, vendor: str) -> set[str]:
    """What the vendor itself counts as usable, of all that was made for us."""
    entries = world.sandbox.ledger(vendor, "test")
    usable = [one for one in entries if one.ended_at is None and one.status != "disabled" and one.label]
    return {VENDORS[vendor].remote(one) for one in usable}


def overlaps(world: World, generation: Generation) -> bool:
    """Whether an older generation is still to be accepted."""
    return generation.retire_after is not None and generation.retire_after > world.sandbox.now()
