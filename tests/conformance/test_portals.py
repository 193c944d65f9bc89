"""Every vendor by its portal: what is declared of that way, proved. Whole lives are in tests/engine.

A person works in the twin's console, as a handoff says; all that the provider does is to try what they bring.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import asdict
from provider_on_twin import Twin, opened
from vendor_cases import CASES, Case, at_the_portal

from provisioner.core.capabilities import (
    Declaration,
    Identity,
    Observe,
    Renewal,
    SecretAccess,
    Verb,
)
from provisioner.core.handoff import STEPS_OF, instructions, verbs_of
from provisioner.core.journal import Action
from provisioner.core.model import Kind, Via
from provisioner.core.provider import Outcome, Verification
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError
from provisioner.providers.registry import load
from provisioner.sandbox.world import Sandbox

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.tenant}")

REMOTE_IDS = {"payspace": "client_id", "paynet": "client_id", "paytia": "client_id",
              "timeclock": "identifier", "fpay": "token"}  # fmt: skip


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox") as it:
        yield it


def _play(sandbox: Sandbox, case: Case, play: Callable[[Twin, Case], Awaitable[None]]) -> None:
    async def within() -> None:
        async with opened(sandbox, case.name, case.tenant, via=Via.PORTAL) as twin:
            await play(twin, case)

    asyncio.run(within())


def _declaration(case: Case) -> Declaration:
    return load().declarations[case.name]


async def _made(twin: Twin, case: Case) -> Secret:
    """What a person brings back; of a credential that works, where the vendor has to approve it."""
    shown = await at_the_portal(twin, case, Verb.CREATE, None, case.fields)
    if Kind(case.tenant) in twin.capabilities.approval:
        twin.sandbox.approve(case.name, shown["remote_id"])
    return Secret({part: shown[part] for part in twin.parts})


async def _tried(twin: Twin, case: Case, secret: Secret) -> Verification:
    return await twin.provider.verify(secret, twin.spec(case.fields))


@each_case
def test_what_a_person_brings_is_tried(case: Case, sandbox: Sandbox) -> None:
    """PS8 PN5 PY6 TC4 FP4: without a management token, what works is told from what does not."""

    async def play(twin: Twin, case: Case) -> None:
        secret = await _made(twin, case)
        granted = frozenset(case.fields["scopes"]) if "scopes" in case.fields else None
        seen = await _tried(twin, case, secret)
        assert (Outcome.WORKS, granted, "") == (seen.outcome, seen.scopes, seen.detail)
        parts = {part: secret.reveal(part) for part in secret}
        wrong = await _tried(twin, case, Secret({**parts, case.secret: "wrong"}))
        await at_the_portal(twin, case, Verb.REVOKE, parts[REMOTE_IDS[case.name]])
        dead = await _tried(twin, case, secret)
        # PY5: of a refused bundle nobody can say whether it is wrong, or only its access token too old.
        refused = Outcome.INCONCLUSIVE if case.name == "paytia" else Outcome.REJECTED
        assert (refused, refused) == (wrong.outcome, dead.outcome)

    _play(sandbox, case, play)


@each_case
def test_a_persons_verbs_are_refused(case: Case, sandbox: Sandbox) -> None:
    """Every verb that is declared as a person's is no call: it is refused, and the vendor is not asked."""

    async def play(twin: Twin, case: Case) -> None:
        it, spec, tag = twin.provider, twin.spec(case.fields), twin.tag()
        calls: dict[Verb, Callable[[], Awaitable[object]]] = {
            Verb.OBSERVE: lambda: it.get("x"),
            Verb.FIND: lambda: it.find(tag, spec),
            Verb.CREATE: lambda: it.create(spec, tag),
            Verb.CAPTURE: lambda: it.reveal("x"),
            Verb.UPDATE: lambda: it.update("x", spec),
            Verb.RENEW: lambda: it.renew("x", spec, tag),
            Verb.REVOKE: lambda: it.revoke("x"),
        }
        before = twin.sandbox.writes()
        for verb in twin.capabilities.portal:
            with pytest.raises(
                ProviderError, match=f"{case.name} is managed in its portal: {verb} is a person's"
            ):
                await calls[verb]()
        listing = await it.observe()
        assert ({}, "managed in its portal, where only people can look") == (
            listing.observed,
            listing.unseen,
        )
        assert (before, ()) == (twin.sandbox.writes(), await it.users())

    _play(sandbox, case, play)


@each_case
def test_a_portal_changes_what_we_see_and_not_the_vendor(case: Case) -> None:
    """By the portal nothing is observed, found, read again or told of us; all else is as by the API."""
    by_api, by_hand = (_declaration(case).capabilities[via] for via in Via)
    seen = {
        "secret": SecretAccess.PORTAL,
        "identity": Identity.NONE,
        "observe": Observe.NONE,
        "authority": False,
    }
    always = {Verb.CREATE, Verb.CAPTURE, Verb.UPDATE, Verb.REVOKE, Verb.OBSERVE, Verb.FIND}
    renewing = {Verb.RENEW} if by_api.renew is Renewal.IN_PLACE else set()
    expected = asdict(by_api)
    assert {**expected, **seen, "portal": always | renewing} == asdict(by_hand)


@each_case
@pytest.mark.parametrize("via", list(Via))
def test_every_handoff_has_its_screen(case: Case, via: Via) -> None:
    """PS1 PN3 PY1 TC1 TC2 TC3 FP8: each step that a plan can hand over is told by path, steps and asks."""
    declaration = _declaration(case)
    capabilities = declaration.capabilities[via]
    verbs = {verb for action in STEPS_OF for verb in verbs_of(action, capabilities)}
    # TC8: all that an access holds is its user, and another user takes a replace.
    unchangeable = {Verb.UPDATE} if case.name == "timeclock" else set()
    assert set() == verbs - declaration.screens.keys() - unchangeable
    for verb in verbs & declaration.screens.keys():
        screen = declaration.screens[verb]
        known = {"remote_id": "R", "tag": "T", "name": "N", **case.fields}
        steps = instructions(declaration, verb, known, case.fields)
        assert [] == [step for step in steps if re.search(r"\{[a-z_]+\}", step)]
        brings = verb in (Verb.CREATE, Verb.CAPTURE, Verb.RENEW)
        assert (declaration.parts if brings else ()) == screen.asks
        assert not brings or screen.remote_id == REMOTE_IDS[case.name]
        assert verb is Verb.CREATE or any("R" in step for step in steps)
    if via is Via.PORTAL:
        assert (Verb.CREATE,) == verbs_of(Action.CREATE, capabilities)
