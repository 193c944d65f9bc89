"""FPay: created by a call, its secret key read and its end brought about by a person at the console."""

from __future__ import annotations

import pytest
from engine_world import World
from handoff_vendors import (
    FPAY,
    accepted,
    close,
    declare,
    handoffs,
    operation,
    ordered,
    statuses,
)
from portal_person import PortalPerson, Values

from provisioner.core.capabilities import Verb
from provisioner.core.journal import Action, Handoff, Phase
from provisioner.engine.complete import complete, decline
from provisioner.errors import HandoffRefused, ProviderError


def test_fpay_is_created_by_a_call_and_captured_by_a_person(world: World, person: PortalPerson) -> None:
    """FP9: the plan says who reads the secret key, and where; it is delivered once a person did."""
    declare(world, FPAY)
    assert ("capture: Console > AuthAccess",) == world.plan().changes[0].handoffs
    world.person = person
    assert [("create", "done")] == statuses(world.apply())
    (handoff,) = person.done
    assert accepted(world, FPAY, FPAY.fields)
    assert world.delivered("test/key")["KEY_TOKEN"] == handoff.remote_id
    assert () == world.plan().changes


def test_fpay_is_created_once_however_long_a_person_takes(world: World, person: PortalPerson) -> None:
    """FP1: what waits for its capture is durable: no apply makes a second one."""
    declare(world, FPAY)
    before = len(world.live("fpay", "test"))
    assert [("create", "waiting")] == statuses(world.apply())
    assert 5 == world.apply().exit_code
    world.sandbox.advance(3 * 86400)
    assert [("wait", "waiting")] == statuses(world.apply())
    world.person = person
    assert [("wait", "done")] == statuses(world.apply())
    assert before + 1 == len(world.live("fpay", "test"))
    assert accepted(world, FPAY, FPAY.fields)
    assert () == world.plan().changes


def test_fpay_is_disabled_by_a_person(world: World, person: PortalPerson) -> None:
    """FP8 FP11: a revoke waits for the console; it is done once the vendor shows it as disabled."""
    declare(world, FPAY)
    world.person = person
    world.apply()
    world.forget("test/key")
    world.person = None
    assert ("revoke: Console > AuthAccess",) == world.plan().changes[0].handoffs
    assert [("revoke", "waiting")] == statuses(world.apply())
    assert accepted(world, FPAY, FPAY.fields)
    world.person = person
    assert [("wait", "done")] == statuses(world.apply())
    assert not accepted(world, FPAY, FPAY.fields)
    assert () == world.plan().changes


def test_a_revoke_that_was_not_done_is_not_believed(world: World, person: PortalPerson) -> None:
    """FP8: where the vendor can be looked at, a person's word is checked, and the operation stays open."""
    declare(world, FPAY)
    world.person = person
    world.apply()
    world.forget("test/key")

    async def nothing(handoff: Handoff) -> Values:
        return {}

    person._work = nothing  # type: ignore[method-assign]  # somebody who says "done" and did not
    summary = world.apply()
    assert [("revoke", "failed")] == statuses(summary)
    assert "still shows" in summary.outcomes[0].text
    assert Phase.SENT is operation(world).phase


def test_fpay_renews_beside_the_old_one(world: World, person: PortalPerson) -> None:
    """FP11: a renewal is a new AuthAccess; the old one is disabled by a person once its overlap is over."""
    declare(world, FPAY, rotate={"overlap": "24h"})
    world.person = person
    world.apply()
    old = world.delivered("test/key")["KEY_TOKEN"]
    assert [("renew", "done")] == statuses(ordered(world, Action.RENEW))
    assert old != world.delivered("test/key")["KEY_TOKEN"]
    assert () == world.plan().changes
    world.sandbox.advance(86400)
    assert ("revoke: Console > AuthAccess",) == world.plan().changes[0].handoffs
    assert [("retire", "done")] == statuses(world.apply())
    assert [Verb.CAPTURE, Verb.CAPTURE, Verb.REVOKE] == [handoff.verb for handoff in person.done]
    assert old == person.done[-1].remote_id
    assert accepted(world, FPAY, FPAY.fields)


def test_fpay_disabled_by_somebody_is_replaced(world: World, person: PortalPerson) -> None:
    """FP8: what somebody disabled in the console is a drift: its consumer gets another."""
    from provisioner.sandbox import fpay_console

    declare(world, FPAY)
    world.person = person
    world.apply()
    with world.sandbox.tenancy("fpay", "test") as data:
        fpay_console.disable(data, world.delivered("test/key")["KEY_TOKEN"])
    assert "drift: disabled at the vendor" == world.plan().changes[0].reasons[0].text
    assert [("replace", "done")] == statuses(world.apply())
    assert accepted(world, FPAY, FPAY.fields)


def test_declining_a_capture_ends_what_was_made(world: World, person: PortalPerson) -> None:
    """FP9: an AuthAccess whose key nobody reads is disabled; nothing is recorded as working."""
    declare(world, FPAY)
    world.apply()
    (capture,) = handoffs(world, operation(world).id)
    declined = close(world, lambda context: decline(context, capture.id, "no", holder="test"))
    assert "waiting" == declined.status.value
    _, revoke = handoffs(world, operation(world).id)
    with pytest.raises(HandoffRefused, match="cannot be declined"):
        close(world, lambda context: decline(context, revoke.id, "no", holder="test"))
    world.person = person
    close(world, lambda context: complete(context, revoke.id, holder="test"))
    with world.store() as store:
        assert [] == store.operations(["test"])
    assert {"test/key": False} == {
        entry.label.split("/")[2] + "/key": entry.status == "active"
        for entry in world.sandbox.ledger("fpay", "test")
        if entry.label
    }


def test_who_is_stuck_at_the_console_leaves_it_open(world: World, person: PortalPerson) -> None:
    """FP9: what was made and could not be captured now is neither forgotten nor given up."""
    declare(world, FPAY)

    async def stuck(handoff: Handoff) -> Values:
        raise ProviderError("the console is down")

    world.person = PortalPerson(world.sandbox)
    world.person._work = stuck  # type: ignore[method-assign]  # somebody who cannot sign in
    summary = world.apply()
    assert [("create", "failed")] == statuses(summary)
    assert "was not done: the console is down" in summary.outcomes[0].text
    assert (Phase.SENT, "handoff") == (operation(world).phase, operation(world).waiting)
    world.person = person
    assert [("wait", "done")] == statuses(world.apply())
    assert accepted(world, FPAY, FPAY.fields)
