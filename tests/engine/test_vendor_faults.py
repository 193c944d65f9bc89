"""Vendors that go wrong: each fault has a stated outcome, and two applies after it settle everything."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from engine_world import World, deliver
from fault_cases import AS_LONG_AS, CASES, DONE, FAILED, FAULTS, MEETINGS, VENDORS
from fault_world import ADDRESS, KEY, alive, declare, outcomes, prepare, settle, wrong
from msgspec.structs import replace

from provisioner.core.journal import Action, Phase
from provisioner.core.model import GenerationState, Tag
from provisioner.core.provider import Spec
from provisioner.engine import failpoints
from provisioner.engine.context import Step
from provisioner.sandbox.faults import WIDER

LISTED = [
    (vendor, action)
    for vendor, action in CASES
    if VENDORS[vendor].listed and (action == "create" or (action == "renew" and not VENDORS[vendor].in_place))
]
"""Every action that makes something which is then looked for in a list."""


@pytest.mark.parametrize(("name", "vendor", "action"), MEETINGS)
def test_each_fault_has_its_outcome(world: World, name: str, vendor: str, action: str) -> None:
    """An apply that meets a fault comes to what the table says, and the next two put everything right."""
    fault = FAULTS[name]
    row = VENDORS[vendor]
    prepare(world, vendor, action)
    operation = None if fault.kind in ("stale", "wider") else row.calls[action]
    world.sandbox.fault(
        vendor, "test", fault.kind, operation=operation, times=fault.times, seconds=fault.seconds
    )
    summary = world.apply()
    assert [fault.outcome(vendor, action)] == outcomes(summary), summary
    if action == "update" or (action == "renew" and not row.in_place):
        assert world.works(ADDRESS, vendor, row.first), "consumers faced an outage"
    settle(world, vendor, action)
    assert [] == wrong(world, vendor, action)


def arm(world: World, vendor: str, kind: str, action: str = "create", **given: Any) -> None:
    """Arm a fault for the call by which an action has its effect."""
    world.sandbox.fault(vendor, "test", kind, operation=VENDORS[vendor].calls[action], **given)


def lag(world: World, vendor: str) -> None:
    """The vendor's list lags behind for an hour, longer than any proof waits for it."""
    world.sandbox.fault(vendor, "test", "stale", seconds=3600.0)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_list_that_lags_never_makes_a_credential_gone(world: World, vendor: str) -> None:
    """What was made just now, and a lagging list does not show, is asked for by its id before it is gone."""
    declare(world, vendor)
    lag(world, vendor)
    assert 0 == world.apply().exit_code
    assert () == world.plan().changes
    settle(world, vendor, "create")
    assert [] == wrong(world, vendor, "create")


@pytest.mark.parametrize(("vendor", "action"), LISTED)
def test_a_copy_that_a_late_list_brings_to_light_is_retired(world: World, vendor: str, action: str) -> None:
    """A create whose answer is lost while the list lags is sent again; the copy goes once it is shown."""
    prepare(world, vendor, action)
    lag(world, vendor)
    arm(world, vendor, "cut", action)
    before = len(alive(world, vendor))
    assert 0 == world.apply().exit_code
    assert before + 2 == len(alive(world, vendor))
    world.sandbox.clear_faults()
    declare(world, vendor, action)
    number = len(world.record(ADDRESS).generations)
    (change,) = world.plan().changes
    assert (Action.RETIRE, (), f"is a second copy of generation {number}") == (
        change.action,
        change.ends,
        change.reasons[0].text.partition(" ")[2],
    )
    settle(world, vendor, action)
    assert [] == wrong(world, vendor, action)


def test_the_copy_of_another_store_is_not_ours(world: World) -> None:
    """Another store of the same project has tags with other nonces: what carries them is left alone."""
    declare(world, "payspace")
    world.apply()
    with world.store() as store:
        provider = world.context(store).providers["payspace", "test"]
        spec = Spec(KEY, VENDORS["payspace"].first)
        asyncio.run(provider.create(spec, Tag("payments", "test", "key", 1, "another")))
    assert 2 == len(world.live("payspace", "test"))
    assert () == world.plan().changes


@pytest.mark.parametrize("vendor", WIDER)
def test_wider_than_asked_is_undone_and_told(world: World, vendor: str) -> None:
    """A create that was granted more is ended before any delivery, and the apply fails and says so."""
    declare(world, vendor)
    world.sandbox.fault(vendor, "test", "wider")
    summary = world.apply()
    assert 1 == summary.exit_code
    told = f"{vendor} granted more than asked"
    assert told == summary.outcomes[0].text[: len(told)]  # the address stands before it already
    assert {} == world.delivered(ADDRESS)
    assert set() == alive(world, vendor)


def test_a_wider_renewal_leaves_the_old_one(world: World) -> None:
    """A renewal that was granted more is ended, and consumers keep the secret that they have."""
    prepare(world, "payspace", "renew")
    old, secret = world.live("payspace", "test"), world.delivered(ADDRESS)
    world.sandbox.fault("payspace", "test", "wider")
    assert 1 == world.apply().exit_code
    assert (old, secret) == (world.live("payspace", "test"), world.delivered(ADDRESS))
    declare(world, "payspace", "renew")
    assert () == world.plan().changes


def test_a_wider_renewal_in_place_ends_both(world: World) -> None:
    """In place no old secret is left to keep: both generations are dead, and the next apply makes another."""
    prepare(world, "paynet", "renew")
    world.sandbox.fault("paynet", "test", "wider")
    assert 1 == world.apply().exit_code
    assert [GenerationState.RETIRED] * 2 == [g.state for g in world.record(ADDRESS).generations]
    declare(world, "paynet", "renew")
    assert [Action.CREATE] == [change.action for change in world.plan().changes]


def test_a_busy_vendor_says_when(world: World) -> None:
    """A vendor that asks for more patience than there is: failed, with when to try again, nothing lost."""
    prepare(world, "payspace", "renew")
    arm(world, "payspace", "busy", "renew", seconds=3600.0)
    (outcome,) = world.apply().outcomes
    assert ("failed", "apply again in 3600 seconds") == (outcome.status.value, outcome.remedy)
    assert world.works(ADDRESS, "payspace", VENDORS["payspace"].first)
    assert 0 == world.apply().exit_code  # the order still stands
    assert [1, 2] == [g.number for g in world.record(ADDRESS).generations]


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_answer_later_than_the_timeout(world: World, vendor: str) -> None:
    """An answer that nobody waits for any more is a lost one: what it made is found again."""
    world.timeout = 0.5
    declare(world, vendor)
    arm(world, vendor, "latency", seconds=1.0)
    assert 0 == world.apply().exit_code
    settle(world, vendor, "create")
    assert [] == wrong(world, vendor, "create")


@pytest.mark.parametrize(("vendor", "action"), CASES)
@pytest.mark.parametrize("kind", ["error-after", "busy"])
def test_a_vendor_that_is_out_of_order(world: World, vendor: str, action: str, kind: str) -> None:
    """A vendor whose every answer is bad changes nothing for consumers, and is put right once it is well."""
    prepare(world, vendor, action)
    made = world.plan()
    world.sandbox.fault(vendor, "test", kind, times=AS_LONG_AS)
    assert 1 == world.apply(made).exit_code
    settle(world, vendor, action)
    assert [] == wrong(world, vendor, action)


@pytest.mark.parametrize("times", [1, AS_LONG_AS])
@pytest.mark.parametrize("kind", ["busy", "error-before", "error-after", "cut", "truncated", "empty"])
def test_a_bundle_that_gets_no_tokens(world: World, kind: str, times: int) -> None:
    """PY5: a key whose second step goes wrong is not left behind, and nothing of it is delivered."""
    declare(world, "paytia")
    call = "POST admin/v1/api-keys/{id}/tokens"
    world.sandbox.fault("paytia", "test", kind, operation=call, times=times)
    assert [DONE if times == 1 else FAILED] == outcomes(world.apply())
    settle(world, "paytia", "create")
    assert [] == wrong(world, "paytia", "create")


REFUSED = {"scopes": ["full-access"], "user": "nobody"}


def test_a_resent_create_that_is_refused_is_over(world: World) -> None:
    """A create that fails, is not found and is then refused left nothing: a corrected manifest goes ahead."""
    declare(world, "payspace")
    world.declare(ADDRESS, fields=REFUSED, deliver=deliver("key", *VENDORS["payspace"].parts))
    arm(world, "payspace", "error-before")
    assert ["failed"] == outcomes(world.apply())
    settle(world, "payspace", "create")
    assert [] == wrong(world, "payspace", "create")


@pytest.mark.parametrize("vendor", ["paynet", "timeclock"])
def test_a_renewal_of_what_is_gone_is_over(world: World, vendor: str) -> None:
    """A renewal in place whose answer was lost gives way to a create, where somebody ended what it renews."""
    prepare(world, vendor, "renew")
    arm(world, vendor, "error-after", "renew", times=AS_LONG_AS)
    assert [FAILED] == outcomes(world.apply())
    world.sandbox.clear_faults()
    end_elsewhere(world, vendor)
    assert [FAILED] == outcomes(world.apply())
    world.orders = {}
    assert [DONE] == outcomes(world.apply())
    settle(world, vendor, "renew")
    assert [] == wrong(world, vendor, "renew")


@pytest.mark.parametrize("phase", ["captured", "verified", "delivered", "cut_over"])
@pytest.mark.parametrize("vendor", ["payspace", "paynet", "timeclock"])
def test_what_is_ended_while_under_way_is_made_again(world: World, vendor: str, phase: str) -> None:
    """A new secret that somebody ends before it is in use is given up, and another takes its place."""
    prepare(world, vendor, "create")
    with stopped_after(phase):
        world.apply()
    end_elsewhere(world, vendor)
    world.sandbox.advance(5)  # by now the vendor would show it
    settle(world, vendor, "create")
    assert [] == wrong(world, vendor, "create")


class Stopped(BaseException):
    """The run ends here."""


@contextmanager
def stopped_after(phase: str) -> Iterator[None]:
    """A run that ends once a phase is durable."""

    def hit(point: str) -> None:
        if point == f"after-{phase}":
            raise Stopped

    failpoints.hit = hit
    try:
        with pytest.raises(Stopped):
            yield
    finally:
        failpoints.hit = failpoints._unarmed


def end_elsewhere(world: World, vendor: str) -> None:
    """Somebody ends the newest generation in the vendor's console."""
    with world.store() as store:
        provider = world.context(store).providers[vendor, "test"]
    asyncio.run(provider.revoke(world.record(ADDRESS).live[-1].remote_id))


def test_a_refused_update_is_over(world: World) -> None:
    """An update that the vendor refuses changed nothing: a corrected manifest goes ahead."""
    prepare(world, "payspace", "update")
    world.declare(ADDRESS, fields=REFUSED, deliver=deliver("key", *VENDORS["payspace"].parts))
    assert ["failed"] == outcomes(world.apply())
    settle(world, "payspace", "update")
    assert [] == wrong(world, "payspace", "update")


@pytest.mark.parametrize("action", ["create", "revoke"])
def test_what_failed_first_is_told_when_the_store_goes_too(world: World, action: str) -> None:
    """A store that is lost after a vendor's failure does not hide that failure."""
    prepare(world, "payspace", action)
    arm(world, "payspace", "busy", action, times=AS_LONG_AS)
    database = world.root / ".provision" / "state.db"

    def lose(step: Step) -> None:
        if step.phase is Phase.SENT:
            with closing(sqlite3.connect(database)) as connection:
                connection.execute("DROP TABLE provision_operations")

    world.wrap = lambda context: replace(context, watch=lose)
    (outcome,) = world.apply().outcomes
    assert "too busy (429)" in outcome.text
