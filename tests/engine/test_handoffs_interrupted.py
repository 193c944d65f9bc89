"""Handoffs that are cut short, late, tried from elsewhere or not ours: what is asked for again."""

from __future__ import annotations

import asyncio

import pytest
from engine_world import World
from handoff_vendors import (
    BUNDLE,
    NAMED,
    PAYNET,
    PAYTIA,
    TIMECLOCK,
    Vendor,
    accepted,
    by_portal,
    declare,
    each_vendor,
    killed_at,
    ordered,
    statuses,
)
from portal_person import PortalPerson, Values

from provisioner.core.capabilities import Verb
from provisioner.core.journal import Action
from provisioner.core.model import Via


@each_vendor
@pytest.mark.parametrize("point", ["before-captured", "after-captured", "before-delivery", "before-cut_over"])
def test_a_crash_between_asks_for_nothing_twice(
    vendor: Vendor, point: str, world: World, person: PortalPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed on the way, the next apply goes on; only an answer that was not yet kept is asked for again."""
    by_portal(world, person)
    declare(world, vendor)
    killed_at(point, monkeypatch, world)
    world.sandbox.advance(1800)
    assert 0 == world.apply().exit_code
    assert [1, 2][point == "before-captured"] == len(person.done)
    assert len({handoff.id for handoff in person.done}) == 1
    assert accepted(world, vendor, vendor.fields)
    assert () == world.plan().changes


def test_an_old_bundle_is_fetched_anew(world: World, person: PortalPerson) -> None:
    """PY5: what a person brings after its hour cannot be tried any more, so it is refused with the reason."""
    by_portal(world, person)
    declare(world, PAYTIA)

    def late(values: Values) -> Values:
        world.sandbox.advance(3600)
        return values

    person.slip = late
    summary = world.apply()
    assert [("create", "failed")] == statuses(summary)
    assert "its access token is older than an hour" in summary.outcomes[0].text


@pytest.mark.parametrize("via", list(Via))
def test_an_hour_later_a_good_bundle_is_not_rejected(
    via: Via, world: World, person: PortalPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PY5 PY8: recovery tries a captured bundle when its access token is dead, and keeps it."""
    world.portals, world.person = ["paytia"] if via is Via.PORTAL else [], person
    declare(world, PAYTIA)
    killed_at("before-verified", monkeypatch, world)
    world.sandbox.advance(5 * 3600)
    assert [("recover", "done")] == statuses(world.apply())
    assert 1 == len(world.live("paytia", "test"))
    assert set(BUNDLE) == {name.removeprefix("KEY_").lower() for name in world.delivered("test/key")}


def test_a_confirmed_step_is_not_asked_for_again(
    world: World, person: PortalPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that a person confirmed stays confirmed, whatever happens to the run."""
    payspace = NAMED["payspace"]
    by_portal(world, person)
    declare(world, payspace)
    world.apply()
    declare(world, payspace, fields=payspace.changed)
    killed_at("before-verified", monkeypatch, world)
    assert [("recover", "done")] == statuses(world.apply())
    assert [Verb.CREATE, Verb.UPDATE] == [handoff.verb for handoff in person.done]
    assert () == world.plan().changes


def test_a_renewal_in_place_goes_on_with_its_own_step(world: World, person: PortalPerson) -> None:
    """PN7: a renewal that waits for a person is gone on with as a renewal, not as a capture."""
    by_portal(world, person)
    declare(world, PAYNET)
    world.apply()
    old = world.delivered("test/key")
    world.person = None
    assert [("renew", "waiting")] == statuses(ordered(world, Action.RENEW))
    world.person = person
    assert [("wait", "done")] == statuses(world.apply())
    assert [Verb.CREATE, Verb.RENEW] == [handoff.verb for handoff in person.done]
    new = world.delivered("test/key")
    assert old["KEY_CLIENT_ID"] == new["KEY_CLIENT_ID"]
    assert old["KEY_CLIENT_SECRET"] != new["KEY_CLIENT_SECRET"]


def test_approval_is_found_out_by_trying(world: World, person: PortalPerson) -> None:
    """PN2: where nobody shows the decision, each apply tries the secret, and waits until it works."""
    by_portal(world, person)
    declare(world, PAYNET, "production/key")
    assert [("create", "waiting")] == statuses(world.apply())
    assert {} == world.delivered("production/key")
    again = world.apply()
    assert ([("activate", "waiting")], 5) == (statuses(again), again.exit_code)
    (key,) = world.live("paynet", "production")
    world.sandbox.approve("paynet", key)
    assert [("activate", "done")] == statuses(world.apply())
    assert world.works("production/key", "paynet", PAYNET.fields)
    assert () == world.plan().changes


@pytest.mark.parametrize("via", list(Via))
def test_a_runner_outside_the_allowed_addresses_can_still_apply(
    via: Via, world: World, person: PortalPerson
) -> None:
    """PY2: a key that may only be used from elsewhere is delivered; that it is known is all that is tried."""
    world.portals, world.person = ["paytia"] if via is Via.PORTAL else [], person
    fields = {"allow_ips": ["203.0.113.0/28"]}
    declare(world, PAYTIA, fields=fields)
    assert [("create", "done")] == statuses(world.apply())
    assert accepted(world, PAYTIA, fields)


def test_a_grant_that_is_not_ours_is_left_alone(world: World, person: PortalPerson) -> None:
    """TC1 TC8: a user's own API access is neither adopted nor revoked; the words say what to do."""
    asyncio.run(_grant_by_hand(world, person))
    declare(world, TIMECLOCK)
    summary = world.apply()
    assert [("create", "failed")] == statuses(summary)
    assert "user 17 has API access that provision did not grant" in summary.outcomes[0].text
    assert "import it, or revoke it" == summary.outcomes[0].remedy
    world.forget("test/key")
    assert () == world.plan().changes
    assert 1 == len(world.live("timeclock", "test"))


async def _grant_by_hand(world: World, person: PortalPerson) -> None:
    from provisioner.sandbox.operator import Operator

    await Operator(world.sandbox).perform(
        "timeclock", "test", "create", fields={"user": 17}, remote_id=None, name="tablet", tag="tablet"
    )
