"""What an incident asks of the engine: nothing older ends, nothing of an emergency is forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from engine_world import World, deliver, make_world
from msgspec.structs import replace

from provisioner.core.journal import Action, Phase
from provisioner.core.model import Address, GenerationState
from provisioner.core.plan import Plan
from provisioner.core.situation import Order
from provisioner.engine.apply import apply

NAMES = ("test/a", "test/b", "test/c")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Three credentials, issued, whose old secrets have no overlap."""
    made = make_world(tmp_path)
    for address in NAMES:
        made.declare(
            address,
            fields={"scopes": ["read-only"]},
            rotate={"overlap": "0s"},
            deliver=deliver(address.partition("/")[2], "client_id", "client_secret"),
        )
    made.apply()
    return made


def _order(world: World, *, compromised: bool) -> None:
    order = Order(Action.RENEW, "laptop lost", compromised)
    world.orders = {Address.parse(address): order for address in NAMES}


def _held(plan: Plan) -> Plan:
    return replace(plan, changes=tuple(replace(change, hold_retire=True) for change in plan.changes))


def test_held_generations_outlive_a_renewal(world: World) -> None:
    """While retirements are held, a renewal ends nothing older; the next apply that does not hold does."""
    _order(world, compromised=False)
    world.apply(_held(world.plan()))
    assert 6 == len(world.live("payspace", "test"))
    states = [generation.state for generation in world.record("test/a").generations]
    assert [GenerationState.RETIRING, GenerationState.ACTIVE] == states

    world.orders = {}
    assert [Action.RETIRE] * 3 == [change.action for change in world.plan().changes]
    world.apply()
    assert 3 == len(world.live("payspace", "test"))


def test_an_emergency_is_in_the_journal_as_a_whole(world: World) -> None:
    """Stopped before the first of it, an emergency is gone on with by the next apply, without its order."""
    _order(world, compromised=True)
    before = set(world.live("payspace", "test"))
    with world.store() as store:
        context = world.context(store)
        asyncio.run(apply(context, world.plan(), [], holder="test", stopping=lambda: True))
        assert [Phase.INTENT] * 3 == [one.phase for one in store.operations(["test"])]

    world.orders = {}
    assert [Action.RECOVER] * 3 == [change.action for change in world.plan().changes]
    world.apply()
    after = set(world.live("payspace", "test"))
    assert (3, set()) == (len(after), after & before)
