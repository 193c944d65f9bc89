"""Adoption by the engine: what a vendor has is taken over whatever happens, and nothing of it is touched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from engine_world import CLIENT, World, deliver
from msgspec.structs import replace

from provisioner.core.journal import Action
from provisioner.core.model import Address, Tag
from provisioner.core.project import Import
from provisioner.core.provider import Issued, Spec
from provisioner.core.secret import Secret
from provisioner.core.situation import Order
from provisioner.engine import failpoints
from provisioner.engine.apply import Status

KEY = Address("test", "key")
FIELDS: Mapping[str, dict[str, Any]] = {
    "payspace": {"scopes": ["read-only"]},
    "paynet": {"scopes": ["rpp:merchant"]},
}


class Killed(BaseException):
    """What a kill looks like from within."""


def made_elsewhere(world: World, provider: str, **fields: Any) -> Issued:
    """A credential that another project made, and forgot."""

    async def make() -> Issued:
        opened = world._provider(provider, "test")
        try:
            spec = Spec(KEY, {**FIELDS[provider], **fields})
            return await opened.create(spec, Tag("elsewhere", "test", "key", 1, "n1"))
        finally:
            await opened.close()

    return asyncio.run(make())


def adopting(world: World, provider: str, issued: Issued, **given: Any) -> World:
    """The world, whose manifests say that `test/key` is this."""
    fields = given.pop("fields", FIELDS[provider])
    world.declare("test/key", provider=provider, fields=fields, deliver=deliver("key", *CLIENT), **given)
    world.imports = [Import(KEY, issued.remote_id)]
    return world


def brought(secret: Secret) -> Callable[[Any], Any]:
    """Surroundings in which somebody gave this secret."""
    return lambda context: replace(context, brought={KEY: secret})


POINTS = [
    f"{when}-{phase}" for phase in ("intent", "cut_over", "delivery", "done") for when in ("before", "after")
]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("provider", FIELDS)
def test_killed_at_any_step(world: World, provider: str, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever an import is killed, the next run takes the same over once, and no vendor was written to."""
    issued = made_elsewhere(world, provider)
    adopting(world, provider, issued)
    writes = world.sandbox.writes()

    def hit(name: str) -> None:
        if name == point:
            raise Killed

    with monkeypatch.context() as armed:
        armed.setattr(failpoints, "hit", hit)
        try:
            world.apply()
        except Killed:
            pass
        else:  # what the vendor never shows again is not captured, and not delivered
            assert (provider, point.partition("-")[2] in {"cut_over", "delivery"}) == ("payspace", True)
    world.apply()
    assert () == world.plan().changes
    record = world.record("test/key")
    assert [issued.remote_id] == [generation.remote_id for generation in record.generations]
    assert (provider == "paynet", writes) == (record.secret_known, world.sandbox.writes())
    if provider == "paynet":
        assert world.works("test/key", provider, FIELDS[provider])


def test_a_secret_that_was_given(world: World) -> None:
    """It is tried, sealed and delivered; the credential is whole, and renews by itself from then on."""
    issued = made_elsewhere(world, "payspace")
    adopting(world, "payspace", issued, rotate={"every": "30d"}).wrap = brought(issued.secret)
    assert 0 == world.apply().exit_code
    assert (True, True) == (
        world.record("test/key").secret_known,
        world.works("test/key", "payspace", FIELDS["payspace"]),
    )
    world.sandbox.advance(31 * 86400)
    assert [Action.RENEW] == [change.action for change in world.plan().changes]


@pytest.mark.parametrize("provider", FIELDS)
def test_a_wrong_secret(world: World, provider: str) -> None:
    """A secret that does not work, or is another credential's, is refused, and nothing is recorded."""
    issued, other = made_elsewhere(world, provider), made_elsewhere(world, provider)
    wrong = Secret({"client_id": issued.secret.reveal("client_id"), "client_secret": "made up"})
    given = wrong if provider == "payspace" else other.secret
    adopting(world, provider, issued).wrap = brought(given)
    summary = world.apply()
    assert (3, True) == (summary.exit_code, summary.outcomes[0].refused)
    assert ({}, {}) == (dict(world.records()), world.delivered("test/key"))
    with world.store() as store:
        assert [] == store.operations(["test"])


def test_what_is_gone_meanwhile(world: World) -> None:
    """What was there for the plan and is not for the apply is refused; nothing is created instead."""
    issued = made_elsewhere(world, "payspace")
    plan = adopting(world, "payspace", issued).plan()

    async def end() -> None:
        opened = world._provider("payspace", "test")
        await opened.revoke(issued.remote_id)
        await opened.close()

    asyncio.run(end())
    summary = world.apply(plan)
    assert (3, f"import of {issued.remote_id}: PaySpace has no credential {issued.remote_id}") == (
        summary.exit_code,
        summary.outcomes[0].text,
    )
    waits = world.apply()
    assert ([Status.WAITING], []) == ([one.status for one in waits.outcomes], world.live("payspace", "test"))


def test_an_edit_while_it_is_unknown(world: World) -> None:
    """Fields, and where it is delivered, can be changed; nothing is delivered before a renewal."""
    issued = made_elsewhere(world, "payspace")
    adopting(world, "payspace", issued).apply()
    world.declare(
        "test/key", fields={**FIELDS["payspace"], "description": "edited"}, deliver=deliver("other", *CLIENT)
    )
    assert 0 == world.apply().exit_code
    assert ({}, False) == (world.delivered("test/key"), world.record("test/key").secret_known)
    world.orders = {KEY: Order(Action.RENEW, "asked for")}
    assert 0 == world.apply().exit_code
    world.orders = {}
    assert world.record("test/key").secret_known
    assert {"OTHER_CLIENT_ID", "OTHER_CLIENT_SECRET"} == world.delivered("test/key").keys()
    assert 2 == len(world.live("payspace", "test"))  # the one before has its overlap
    world.sandbox.advance(90000)
    world.apply()
    assert 1 == len(world.live("payspace", "test"))


def test_undeclared_and_unknown(world: World) -> None:
    """Deleting its block ends nothing: others may use it. It waits for a person to say what is meant."""
    issued = made_elsewhere(world, "payspace")
    adopting(world, "payspace", issued).apply()
    world.imports = []
    world.forget("test/key")
    assert 5 == world.apply().exit_code
    assert [issued.remote_id] == world.live("payspace", "test")
    world.orders = {KEY: Order(Action.REVOKE, "asked for")}
    assert 0 == world.apply().exit_code
    assert [] == world.live("payspace", "test")
