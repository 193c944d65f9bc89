"""Apply, over the twins of PaySpace (overlap) and PayNet (in place): what is planned comes about, durably."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from engine_world import CLIENT, World, deliver

from provisioner.core.journal import Action, Phase
from provisioner.core.model import Address, GenerationState
from provisioner.core.situation import Order
from provisioner.engine.apply import Status, Summary

Declare = Callable[..., None]

SCOPES = {"scopes": ["read-only"]}
MERCHANT = {"scopes": ["rpp:merchant"]}


def statuses(summary: Summary) -> list[tuple[str, str, str]]:
    """What became of each change, in short."""
    return [(o.change.action.value, str(o.change.address), o.status.value) for o in summary.outcomes]


def payspace(world: World, address: str = "test/payroll", **given: Any) -> None:
    name = Address.parse(address).name
    world.declare(address, **{"fields": SCOPES, "deliver": deliver(name, *CLIENT), **given})


def paynet(world: World, address: str = "test/merchant", **given: Any) -> None:
    name = Address.parse(address).name
    defaults = {"fields": MERCHANT, "deliver": deliver(name, *CLIENT), "rotate": {"allow_downtime": True}}
    world.declare(address, provider="paynet", **{**defaults, **given})


def order(world: World, action: Action, address: str) -> None:
    world.orders = {Address.parse(address): Order(action, "asked for")}


def test_create_delivers_a_secret_that_works(world: World) -> None:
    """After an apply the sinks hold secrets that the vendors accept, and a plan has no changes."""
    payspace(world)
    paynet(world)
    assert 0 == world.apply().exit_code
    assert world.works("test/payroll", "payspace", SCOPES)
    assert world.works("test/merchant", "paynet", MERCHANT)
    made = world.plan()
    assert () == made.changes
    assert 2 == made.unchanged


def test_plan_writes_nothing(world: World) -> None:
    """`plan` changes nothing at any vendor (design §2)."""
    payspace(world)
    world.apply()
    before = world.sandbox.writes()
    payspace(world, fields={"scopes": ["read-only"], "description": "new"})
    assert world.plan().pending
    assert before == world.sandbox.writes()


def test_create_remembers_generation_and_delivery(world: World) -> None:
    """The record holds one active generation with its tag, its sealed secret and its ack."""
    payspace(world)
    world.apply()
    address = Address("test", "payroll")
    record = world.record("test/payroll")
    (generation,) = record.generations
    assert GenerationState.ACTIVE is generation.state
    assert generation.tag.startswith("provision/payments/test/payroll/1/")
    with world.store() as store:
        assert {"app-env"} == set(store.deliveries(address, 1))
        assert (store.sealed(address, 1) or "").startswith("-----BEGIN AGE ENCRYPTED FILE-----")
        assert [] == store.operations(["test"])
        assert [] == store.audit_verify()


def test_update_changes_the_vendor_and_the_record(world: World) -> None:
    """An update reaches the vendor, keeps the secret, and leaves no changes."""
    payspace(world)
    world.apply()
    before = world.delivered("test/payroll")
    payspace(world, fields={"scopes": ["full-access"], "user": "svc.payroll"})
    assert [("update", "test/payroll", "done")] == statuses(world.apply())
    assert () == world.plan().changes
    assert before == world.delivered("test/payroll")


def test_local_update_calls_no_vendor(world: World) -> None:
    """What only we keep, such as the owner, changes without the vendor."""
    payspace(world)
    world.apply()
    before = world.sandbox.writes()
    payspace(world, owner="other")
    assert [("update", "test/payroll", "done")] == statuses(world.apply())
    assert before == world.sandbox.writes()
    assert "other" == world.record("test/payroll").local["owner"]


def test_renew_with_overlap(world: World) -> None:
    """PS7: the new one is delivered while the old one lives; it is retired once its overlap is over."""
    payspace(world)
    world.apply()
    old = world.delivered("test/payroll")
    order(world, Action.RENEW, "test/payroll")
    assert [("renew", "test/payroll", "done")] == statuses(world.apply())
    world.orders = {}
    assert old != world.delivered("test/payroll")
    assert 2 == len(world.live("payspace", "test"))
    assert () == world.plan().changes
    world.sandbox.advance(24 * 3600)
    assert [("retire", "test/payroll", "done")] == statuses(world.apply())
    assert 1 == len(world.live("payspace", "test"))
    assert world.works("test/payroll", "payspace", SCOPES)
    assert () == world.plan().changes


def test_renew_in_place(world: World) -> None:
    """PN7: the client id stays, the secret is another, and it is delivered."""
    paynet(world)
    world.apply()
    old = world.delivered("test/merchant")
    order(world, Action.RENEW, "test/merchant")
    assert [("renew", "test/merchant", "done")] == statuses(world.apply())
    world.orders = {}
    new = world.delivered("test/merchant")
    assert old["MERCHANT_CLIENT_ID"] == new["MERCHANT_CLIENT_ID"]
    assert old["MERCHANT_CLIENT_SECRET"] != new["MERCHANT_CLIENT_SECRET"]
    assert world.works("test/merchant", "paynet", MERCHANT)
    states = [generation.state for generation in world.record("test/merchant").generations]
    assert [GenerationState.RETIRED, GenerationState.ACTIVE] == states
    assert () == world.plan().changes


@pytest.mark.parametrize("first", [payspace, paynet])
def test_renew_in_place_leaves_the_overlap_of_a_replace(world: World, first: Declare) -> None:
    """What a replace left behind is another credential: renewing the new one in place does not end it, and it
    is retired once its own overlap is over."""
    first(world, "test/key", deliver=deliver("key", *CLIENT))
    world.apply()
    paynet(world, "test/key", fields={"scopes": ["duitnow:read"]})
    world.apply()
    order(world, Action.RENEW, "test/key")
    assert [("renew", "test/key", "done")] == statuses(world.apply())
    world.orders = {}
    live = (GenerationState.RETIRING, GenerationState.RETIRED, GenerationState.ACTIVE)
    assert live == tuple(generation.state for generation in world.record("test/key").generations)
    world.sandbox.advance(24 * 3600)
    assert [("retire", "test/key", "done")] == statuses(world.apply())
    assert 1 == len(world.live("payspace", "test")) + len(world.live("paynet", "test"))
    assert world.works("test/key", "paynet", {"scopes": ["duitnow:read"]})


def test_replace_ends_the_old_one_after_its_overlap(world: World) -> None:
    """A replace is create, deliver, retire the old: with no overlap, at once."""
    paynet(world)
    world.apply()
    paynet(world, fields={"scopes": ["duitnow:read"]}, rotate={"overlap": "0s"})
    assert [("replace", "test/merchant", "done")] == statuses(world.apply())
    assert 1 == len(world.live("paynet", "test"))
    assert world.works("test/merchant", "paynet", {"scopes": ["duitnow:read"]})
    assert () == world.plan().changes


def test_replace_by_another_vendor(world: World) -> None:
    """A credential that moves to another vendor ends at the first one, which issued it."""
    payspace(world, "test/key", rotate={"overlap": "0s"})
    world.apply()
    paynet(world, "test/key", rotate={"overlap": "0s"})
    assert [("replace", "test/key", "done")] == statuses(world.apply())
    assert [] == world.live("payspace", "test")
    assert 1 == len(world.live("paynet", "test"))
    assert () == world.plan().changes


def test_revoke_ends_every_live_generation(world: World) -> None:
    """Deleting an entry ends the active one and the one whose overlap still runs."""
    payspace(world)
    world.apply()
    order(world, Action.RENEW, "test/payroll")
    world.apply()
    world.orders = {}
    world.forget("test/payroll")
    assert [("revoke", "test/payroll", "done")] == statuses(world.apply())
    assert [] == world.live("payspace", "test")
    assert () == world.plan().changes


def test_declared_again_takes_the_next_generation(world: World) -> None:
    """Numbers of generations are never used twice."""
    payspace(world)
    world.apply()
    world.forget("test/payroll")
    world.apply()
    payspace(world)
    world.apply()
    assert [1, 2] == [generation.number for generation in world.record("test/payroll").generations]


def test_gone_at_the_vendor_is_created_again(world: World) -> None:
    """What somebody deleted in the portal comes back, delivered."""
    payspace(world)
    world.apply()
    lost = world.live("payspace", "test")[0]
    with world.store() as store:
        context = world.context(store)
        import asyncio

        asyncio.run(context.providers["payspace", "test"].revoke(lost))
    assert [("create", "test/payroll", "done")] == statuses(world.apply())
    assert world.works("test/payroll", "payspace", SCOPES)
    assert () == world.plan().changes


def test_rename_keeps_the_credential(world: World) -> None:
    """A rename moves the record, its generations and its history; the vendor is not asked."""
    payspace(world)
    world.apply()
    before = world.sandbox.writes()
    world.forget("test/payroll")
    payspace(world, "test/payroll-export", previously="payroll", deliver=deliver("payroll", *CLIENT))
    assert [("update", "test/payroll-export", "done")] == statuses(world.apply())
    assert before == world.sandbox.writes()
    assert {Address("test", "payroll-export")} == set(world.records())
    assert () == world.plan().changes


def test_production_waits_for_approval(world: World) -> None:
    """PN2: a production key waits, which is no failure; once approved the same key goes on."""
    paynet(world, "production/merchant")
    first = world.apply()
    assert [("create", "production/merchant", "waiting")] == statuses(first)
    assert 5 == first.exit_code
    assert {} == world.delivered("production/merchant")
    again = world.apply()
    assert [("wait", "production/merchant", "waiting")] == statuses(again)
    (key,) = world.live("paynet", "production")
    world.sandbox.approve("paynet", key)
    assert [("activate", "production/merchant", "done")] == statuses(world.apply())
    assert [key] == world.live("paynet", "production")
    assert world.works("production/merchant", "paynet", MERCHANT)
    assert () == world.plan().changes


def test_one_failure_stops_that_credential_only(world: World) -> None:
    """A vendor's refusal closes one operation; the others are done; the next apply tries again."""
    payspace(world, "test/bad", fields={"scopes": ["full-access"], "user": "nobody"})
    payspace(world, "test/good")
    summary = world.apply()
    assert 1 == summary.exit_code
    assert [("create", "test/bad", "failed"), ("create", "test/good", "done")] == statuses(summary)
    payspace(world, "test/bad")
    assert [("create", "test/bad", "done")] == statuses(world.apply())
    assert () == world.plan().changes


def test_deliver_elsewhere_with_an_identity(world: World) -> None:
    """A new name for a delivered value is a new delivery of the same secret."""
    payspace(world)
    world.apply()
    old = world.delivered("test/payroll")
    payspace(world, deliver=[{"to": "app-env", "as": {"OTHER_ID": "client_id"}}])
    assert [("update", "test/payroll", "done")] == statuses(world.apply())
    assert old["PAYROLL_CLIENT_ID"] == world.delivered("test/payroll")["OTHER_ID"]


def test_deliver_elsewhere_without_an_identity_waits(world: World) -> None:
    """Runners hold only public keys: what they cannot open waits for somebody who can (PS2)."""
    payspace(world)
    world.apply()
    payspace(world, deliver=[{"to": "app-env", "as": {"OTHER_ID": "client_id"}}])
    world.with_identity = False
    summary = world.apply()
    assert [("update", "test/payroll", "waiting")] == statuses(summary)
    with world.store() as store:
        (operation,) = store.operations(["test"])
    assert (Phase.VERIFIED, "identity") == (operation.phase, operation.waiting)
    world.with_identity = True
    assert [("recover", "test/payroll", "done")] == statuses(world.apply())
    assert "OTHER_ID" in world.delivered("test/payroll")


def test_deliver_elsewhere_where_the_vendor_shows_it_again(world: World) -> None:
    """PN4: a retrievable secret needs no identity."""
    paynet(world)
    world.apply()
    world.with_identity = False
    paynet(world, deliver=[{"to": "app-env", "as": {"OTHER_ID": "client_id"}}])
    assert [("update", "test/merchant", "done")] == statuses(world.apply())
    assert "OTHER_ID" in world.delivered("test/merchant")


def test_nothing_is_begun_once_stopping(world: World) -> None:
    """Ctrl-C lets what is in flight finish and begins nothing more."""
    import asyncio

    from provisioner.engine.apply import apply

    payspace(world)
    made = world.plan()
    with world.store() as store:
        summary = asyncio.run(apply(world.context(store), made, [], holder="test", stopping=lambda: True))
    assert [Status.NOT_STARTED] == [outcome.status for outcome in summary.outcomes]
    assert 1 == summary.exit_code
    assert [] == world.live("payspace", "test")


def test_compromised_ends_the_old_one_first(world: World) -> None:
    """Somebody else may have the secret: it is dead before a new one is asked for, overlap or not."""
    payspace(world)
    world.apply()
    (old,) = world.live("payspace", "test")
    address = Address.parse("test/payroll")
    world.orders = {address: Order(Action.RENEW, "laptop lost", compromised=True)}
    assert [("renew", "test/payroll", "done")] == statuses(world.apply())
    world.orders = {}
    (new,) = world.live("payspace", "test")
    assert old != new
    assert world.works("test/payroll", "payspace", SCOPES)
    assert () == world.plan().changes


def test_pending_sink_has_both_until_the_cut_over(world: World) -> None:
    """A sink with `pending` gets a renewed secret beside the present one first, then in its place."""
    target = {**deliver("payroll", *CLIENT)[0], "pending": True}
    payspace(world, deliver=[target])
    world.apply()
    first = world.delivered("test/payroll")
    assert {"PAYROLL_CLIENT_ID", "PAYROLL_CLIENT_SECRET"} == set(first)
    order(world, Action.RENEW, "test/payroll")
    world.apply()
    both = world.delivered("test/payroll")
    assert both["PAYROLL_CLIENT_ID"] == both["PAYROLL_CLIENT_ID_PENDING"] != first["PAYROLL_CLIENT_ID"]
    with world.store() as store:
        acks = list(store.deliveries(Address("test", "payroll"), 2))
    assert {"app-env (pending)", "app-env"} == set(acks)
