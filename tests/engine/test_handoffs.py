"""Handoffs: what only a person can do, at FPay's console and at every vendor's portal, from plan to done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from engine_world import CLIENT, World, deliver
from portal_person import PortalPerson, Values

from provisioner.core.capabilities import Verb
from provisioner.core.journal import Action, Handoff, HandoffState, Operation, Phase
from provisioner.core.model import Address, Via
from provisioner.core.situation import Order
from provisioner.engine import failpoints
from provisioner.engine.apply import Summary
from provisioner.engine.complete import complete, decline
from provisioner.errors import HandoffRefused

BUNDLE = ("api_key", *CLIENT, "access_token", "refresh_token")


@dataclass(frozen=True)
class Vendor:
    """One vendor's credential, what may change of it, and the screens of its document."""

    name: str
    parts: tuple[str, ...]
    fields: dict[str, Any]
    changed: dict[str, Any]
    screens: dict[str, str]
    """By action: where a person does it."""


def _all(screen: str) -> dict[str, str]:
    return dict.fromkeys(("create", "update", "renew", "revoke"), screen)


VENDORS = (
    Vendor("payspace", CLIENT, {"scopes": ["read-only"], "description": "ledger"},
           {"scopes": ["full-access"], "user": "svc.payroll"},
           _all("Configuration > Basic Settings > General Company > Integrations > API Credentials")),
    Vendor("paynet", CLIENT, {"scopes": ["rpp:merchant"], "description": "shop"},
           {"scopes": ["rpp:merchant"]}, _all("PayNet Developer Portal > API Keys")),
    Vendor("paytia", BUNDLE, {"description": "cards", "allow_ips": ["127.0.0.1/32"]},
           {"allow_ips": ["127.0.0.0/8", "2001:db8::/48"], "settings": {"enhance_security": True}},
           _all("Account Security > API Secret Key")),
    Vendor("timeclock", ("identifier", "key"), {"user": 17}, {"user": 18}, {
        "create": "Profile > Grant yourself API access", "renew": "Profile > Change API key",
        "update": "Profile > Grant yourself API access", "revoke": "Profile > Revoke API access"}),
    Vendor("fpay", ("token", "secret_key"), {"scopes": ["ReadOnly"], "description": "CRM"},
           {"scopes": ["ReadOnly"], "settings": {"foreign_data": "{}"}}, _all("Console > AuthAccess")),
)  # fmt: skip

NAMED = {vendor.name: vendor for vendor in VENDORS}
FPAY, PAYNET, PAYTIA, TIMECLOCK = (NAMED[name] for name in ("fpay", "paynet", "paytia", "timeclock"))

each_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)

KEY = Address("test", "key")


@pytest.fixture
def person(world: World) -> PortalPerson:
    """Somebody at the portals, who is asked only once a test puts them into the world."""
    return PortalPerson(world.sandbox)


def declare(world: World, vendor: Vendor, address: str = "test/key", **given: Any) -> None:
    name = Address.parse(address).name
    defaults = {"fields": vendor.fields, "deliver": deliver(name, *vendor.parts)}
    rotate = {"allow_downtime": True, "overlap": "0s"}
    world.declare(address, provider=vendor.name, **{"rotate": rotate, **defaults, **given})


def by_portal(world: World, person: PortalPerson | None) -> None:
    world.portals, world.person = NAMED, person


def statuses(summary: Summary) -> list[tuple[str, str]]:
    return [(outcome.change.action.value, outcome.status.value) for outcome in summary.outcomes]


def ordered(world: World, action: Action) -> Summary:
    """Apply with this order, and take it back."""
    world.orders = {KEY: Order(action, "asked for")}
    try:
        return world.apply()
    finally:
        world.orders = {}


def operation(world: World) -> Operation:
    """The one that is open."""
    with world.store() as store:
        (found,) = store.operations(["test", "production"])
        return found


def handoffs(world: World, of: str) -> list[Handoff]:
    with world.store() as store:
        return store.handoffs_of(of)


def accepted(world: World, vendor: Vendor, fields: dict[str, Any]) -> bool:
    return world.works("test/key", vendor.name, fields)


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
    declined = _close(world, lambda context: decline(context, capture.id, "no", holder="test"))
    assert "waiting" == declined.status.value
    _, revoke = handoffs(world, operation(world).id)
    with pytest.raises(HandoffRefused, match="cannot be declined"):
        _close(world, lambda context: decline(context, revoke.id, "no", holder="test"))
    world.person = person
    _close(world, lambda context: complete(context, revoke.id, holder="test"))
    with world.store() as store:
        assert [] == store.operations(["test"])
    assert {"test/key": False} == {
        entry.label.split("/")[2] + "/key": entry.status == "active"
        for entry in world.sandbox.ledger("fpay", "test")
        if entry.label
    }


def _close(world: World, way: Callable[..., Any]) -> Any:
    with world.store() as store:
        return asyncio.run(way(world.context(store)))


@each_vendor
def test_declining_a_create_leaves_nothing(vendor: Vendor, world: World) -> None:
    """Nobody made it, so nothing is behind it: the operation is over, and the next plan asks anew."""
    by_portal(world, None)
    declare(world, vendor)
    world.apply()
    (handoff,) = handoffs(world, operation(world).id)
    outcome = _close(world, lambda context: decline(context, handoff.id, "no budget", holder="test"))
    assert ("failed", "declined: no budget") == (outcome.status.value, outcome.text)
    with pytest.raises(HandoffRefused, match="was declined: no budget"):
        _close(world, lambda context: complete(context, handoff.id, holder="test"))
    assert ["create"] == [change.action.value for change in world.plan().changes]


@each_vendor
def test_a_handoff_is_completed_once(vendor: Vendor, world: World, person: PortalPerson) -> None:
    """A completed handoff refuses a second completion, in words that say so."""
    by_portal(world, None)
    declare(world, vendor)
    world.apply()
    (handoff,) = handoffs(world, operation(world).id)
    world.person = person
    first = _close(world, lambda context: complete(context, handoff.id, holder="test"))
    assert "done" == first.status.value
    assert accepted(world, vendor, vendor.fields)
    with pytest.raises(HandoffRefused, match="was completed before"):
        _close(world, lambda context: complete(context, handoff.id, holder="test"))
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
        _close(world, lambda context: complete(context, before.id, holder="test"))
    _close(world, lambda context: complete(context, after.id, holder="test"))
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


class Killed(BaseException):
    """The process ends here."""


def _killed_at(point: str, monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Apply, and die at this failpoint."""

    def hit(name: str) -> None:
        if name == point:
            raise Killed(name)

    with monkeypatch.context() as armed:
        armed.setattr(failpoints, "hit", hit)
        with pytest.raises(Killed):
            world.apply()


@each_vendor
@pytest.mark.parametrize("point", ["before-captured", "after-captured", "before-delivery", "before-cut_over"])
def test_a_crash_between_asks_for_nothing_twice(
    vendor: Vendor, point: str, world: World, person: PortalPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed on the way, the next apply goes on; only an answer that was not yet kept is asked for again."""
    by_portal(world, person)
    declare(world, vendor)
    _killed_at(point, monkeypatch, world)
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
    _killed_at("before-verified", monkeypatch, world)
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
    _killed_at("before-verified", monkeypatch, world)
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
