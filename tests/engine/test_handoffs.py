"""Handoffs: what only a person can do at every vendor's portal, from plan to done or declined."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from engine_world import World
from handoff_vendors import (
    FPAY,
    KEY,
    NAMED,
    PAYNET,
    PAYTIA,
    TIMECLOCK,
    Vendor,
    accepted,
    by_portal,
    close,
    declare,
    each_vendor,
    handoffs,
    operation,
    ordered,
    statuses,
)
from portal_person import PortalPerson, Values

from provisioner.core.capabilities import Verb
from provisioner.core.journal import Action, HandoffState, Phase
from provisioner.core.situation import Order
from provisioner.engine.complete import complete, decline
from provisioner.errors import HandoffRefused


@each_vendor
def test_a_whole_life_by_portal(vendor: Vendor, world: World, person: PortalPerson) -> None:
    """PS1 PN3 PY1 TC1 FP11: create, change, renew and revoke by handoffs alone, each told by its screen."""
    by_portal(world, person)
    declare(world, vendor)
    assert (f"create: {vendor.screens['create']}",) == world.plan().changes[0].handoffs
    assert [("create", "done")] == statuses(world.apply())
    assert accepted(world, vendor, vendor.fields)
    assert () == world.plan().changes

    declare(world, vendor, fields=vendor.changed)
    verb = "create" if vendor is TIMECLOCK else "update"
    assert f"{verb}: {vendor.screens['update']}" == world.plan().changes[0].handoffs[0]
    assert 0 == world.apply().exit_code
    assert accepted(world, vendor, vendor.changed)
    assert () == world.plan().changes

    before = world.delivered("test/key")
    assert [("renew", "done")] == statuses(ordered(world, Action.RENEW))
    assert before != world.delivered("test/key")
    assert accepted(world, vendor, vendor.changed)
    assert 1 == len([one for one in world.live(vendor.name, "test") if _enabled(world, vendor, one)])
    assert () == world.plan().changes

    world.forget("test/key")
    assert (f"revoke: {vendor.screens['revoke']}",) == world.plan().changes[0].handoffs
    assert [("revoke", "done")] == statuses(world.apply())
    assert not accepted(world, vendor, vendor.changed)
    assert () == world.plan().changes


def _enabled(world: World, vendor: Vendor, remote_id: str) -> bool:
    (entry,) = (one for one in world.sandbox.ledger(vendor.name, "test") if one.id == remote_id)
    return entry.status == "active" and entry.fields.get("name") != "management"


@each_vendor
def test_the_portal_gets_what_the_manifest_says(vendor: Vendor, world: World, person: PortalPerson) -> None:
    """PY4 FP7: what a person was told to set, changed and cleared is what the API then shows."""
    by_portal(world, person)
    declare(world, vendor)
    world.apply()
    if vendor is not TIMECLOCK:
        declare(world, vendor, fields=vendor.changed)
        world.apply()
    wanted = vendor.fields if vendor is TIMECLOCK else vendor.changed
    world.portals = ()
    with world.store() as store:
        listing = asyncio.run(world.context(store).providers[vendor.name, "test"].observe())
    (seen,) = (one for one in listing.observed.values() if one.tag is not None)
    assert wanted == {name: _asked(seen.fields[name], value) for name, value in wanted.items()}
    assert "description" not in seen.fields
    assert seen.tag is not None
    assert KEY == seen.tag.address


def _asked(shown: Any, wanted: Any) -> Any:
    return {name: shown[name] for name in wanted} if isinstance(wanted, dict) else shown


@each_vendor
def test_without_a_person_everything_else_is_done(vendor: Vendor, world: World) -> None:
    """Apply does what needs nobody, lists what waits, and exits 5; the vendor is not touched."""
    world.portals = [vendor.name]
    declare(world, vendor)
    declare(world, next(other for other in (NAMED["payspace"], PAYNET) if other is not vendor), "test/other")
    before = world.sandbox.writes(vendor.name)
    summary = world.apply()
    assert [("create", "waiting"), ("create", "done")] == statuses(summary)
    assert 5 == summary.exit_code
    found = operation(world)
    (handoff,) = handoffs(world, found.id)
    assert (Phase.SENT, "handoff") == (found.phase, found.waiting)
    assert (HandoffState.OPEN, Verb.CREATE, vendor.parts) == (handoff.state, handoff.verb, handoff.asks)
    assert vendor.screens["create"] == handoff.screen
    assert [] == [step for step in handoff.steps if "{" in step]
    assert [("wait", "waiting")] == statuses(world.apply())
    assert (before, 1) == (world.sandbox.writes(vendor.name), len(handoffs(world, found.id)))


@each_vendor
def test_declining_a_create_leaves_nothing(vendor: Vendor, world: World) -> None:
    """Nobody made it, so nothing is behind it: the operation is over, and the next plan asks anew."""
    by_portal(world, None)
    declare(world, vendor)
    world.apply()
    (handoff,) = handoffs(world, operation(world).id)
    outcome = close(world, lambda context: decline(context, handoff.id, "no budget", holder="test"))
    assert ("failed", "declined: no budget") == (outcome.status.value, outcome.text)
    with pytest.raises(HandoffRefused, match="was declined: no budget"):
        close(world, lambda context: complete(context, handoff.id, holder="test"))
    assert ["create"] == [change.action.value for change in world.plan().changes]


@each_vendor
def test_a_handoff_is_completed_once(vendor: Vendor, world: World, person: PortalPerson) -> None:
    """A completed handoff refuses a second completion, in words that say so."""
    by_portal(world, None)
    declare(world, vendor)
    world.apply()
    (handoff,) = handoffs(world, operation(world).id)
    world.person = person
    first = close(world, lambda context: complete(context, handoff.id, holder="test"))
    assert "done" == first.status.value
    assert accepted(world, vendor, vendor.fields)
    with pytest.raises(HandoffRefused, match="was completed before"):
        close(world, lambda context: complete(context, handoff.id, holder="test"))
    assert 1 == len(person.done)


def test_a_handoff_gives_way_to_another_plan(world: World, person: PortalPerson) -> None:
    """A handoff whose plan changed before anybody did it is dropped: completing it is refused."""
    payspace = NAMED["payspace"]
    by_portal(world, None)
    declare(world, payspace)
    world.apply()
    (before,) = handoffs(world, operation(world).id)
    declare(world, payspace, fields=payspace.changed)
    assert [("create", "waiting")] == statuses(world.apply())
    (after,) = handoffs(world, operation(world).id)
    assert before.id != after.id
    assert "Set scopes to: full-access" in after.steps
    world.person = person
    with pytest.raises(HandoffRefused, match="is not wanted any more: the plan changed"):
        close(world, lambda context: complete(context, before.id, holder="test"))
    close(world, lambda context: complete(context, after.id, holder="test"))
    assert accepted(world, payspace, payspace.changed)


SECRETS = {"payspace": "client_secret", "paynet": "client_secret", "paytia": "client_secret",
           "timeclock": "key", "fpay": "secret_key"}  # fmt: skip


"""The part of each vendor that a test gets wrong."""


@each_vendor
def test_a_wrong_secret_is_asked_for_anew(vendor: Vendor, world: World, person: PortalPerson) -> None:
    """What the vendor rejects is not kept; who looks again and brings what is there is accepted."""

    def wrong_at_first(values: Values) -> Values:
        return values if person.told else {**values, SECRETS[vendor.name]: "wrong"}

    person.slip, person.patience = wrong_at_first, 1
    by_portal(world, person)
    declare(world, vendor)
    assert [("create", "done")] == statuses(world.apply())
    assert [True] == ["not accepted" in why for why in person.told]
    assert accepted(world, vendor, vendor.fields)
    assert 1 == len(handoffs(world, person.done[0].operation))


@each_vendor
def test_a_wrong_secret_leaves_the_handoff_open(vendor: Vendor, world: World, person: PortalPerson) -> None:
    """Who does not look again leaves it for later: nothing is kept, and the same handoff waits."""
    person.slip = lambda values: {**values, SECRETS[vendor.name]: "wrong"}
    by_portal(world, person)
    declare(world, vendor)
    assert [("create", "failed")] == statuses(world.apply())
    found = operation(world)
    assert (Phase.SENT, "handoff", {}) == (found.phase, found.waiting, world.delivered("test/key"))
    assert [HandoffState.OPEN] == [handoff.state for handoff in handoffs(world, found.id)]
    person.slip = lambda values: {name: f" {value}\n" for name, value in values.items()}
    assert [("wait", "done")] == statuses(world.apply())
    assert accepted(world, vendor, vendor.fields)


@pytest.mark.parametrize("vendor", [FPAY, PAYNET], ids=lambda vendor: vendor.name)
def test_another_credentials_secret_is_refused(vendor: Vendor, world: World, person: PortalPerson) -> None:
    """A secret that works, but is of another credential, is not taken for the one that was asked for."""
    other = NAMED[vendor.name]
    world.portals, world.person = ["paynet"], person
    declare(world, other, "test/other")
    declare(world, vendor)
    world.apply()
    theirs = {
        name.removeprefix("OTHER_").lower(): value for name, value in world.delivered("test/other").items()
    }
    mine = world.delivered("test/key")
    person.slip = lambda values: theirs
    world.orders = {KEY: Order(Action.RENEW, "asked for")}
    summary = world.apply()
    assert [("renew", "failed")] == statuses(summary)
    assert "is the secret of another credential" in summary.outcomes[0].text
    assert mine == world.delivered("test/key")


def test_missing_values_are_named(world: World, person: PortalPerson) -> None:
    """PY9: half a bundle is refused by the names of what is missing."""
    person.slip = lambda values: {**values, "refresh_token": "", "access_token": " "}
    by_portal(world, person)
    declare(world, PAYTIA)
    summary = world.apply()
    assert "needs access_token, refresh_token as well" in summary.outcomes[0].text
