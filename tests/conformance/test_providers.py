"""Every provider keeps its word: one suite, one row for each vendor's tenant, one proof for each capability.

A new vendor is one row in `CASES`; a provider without a row, and a capability without a proof, fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from provider_on_twin import Twin, opened
from vendor_cases import CASES, Case, captured, ended, made, make

from provisioner.core.capabilities import (
    Capabilities,
    Identity,
    Observe,
    Renewal,
    SecretAccess,
    Sessions,
    Verb,
    field_rules,
)
from provisioner.core.diff import declared_only, differences
from provisioner.core.model import JsonObject, Kind, RemoteStatus
from provisioner.core.provider import Outcome, TellsAuthority
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError, VendorRejected
from provisioner.providers.registry import load
from provisioner.sandbox.world import Sandbox

T = TypeVar("T")


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.tenant}")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox") as it:
        yield it


def _play(sandbox: Sandbox, case: Case, play: Callable[[Twin, Case], Awaitable[None]]) -> None:
    async def within() -> None:
        async with opened(sandbox, case.name, case.tenant) as twin:
            await play(twin, case)

    asyncio.run(within())


async def _settled(twin: Twin, look: Callable[[], Awaitable[T]], good: Callable[[T], bool]) -> T:
    """What is seen once the vendor's consistency has passed; the sandbox's clock does the waiting."""
    for _ in range(5):
        if good(seen := await look()):
            break
        twin.sandbox.advance(twin.capabilities.consistency / 4)
    return seen


async def _outcome(twin: Twin, case: Case, secret: Secret, expected: Outcome) -> Outcome:
    async def look() -> Outcome:
        return (await twin.provider.verify(secret, twin.spec(case.fields))).outcome

    return await _settled(twin, look, lambda seen: seen is expected)


def _parts(secret: Secret) -> dict[str, str]:
    return {part: secret.reveal(part) for part in secret}


REAL = frozenset({"oauth2"})
"""Providers without a twin: their own tests hold them against a real server."""


def test_every_provider_has_its_rows() -> None:
    """A provider is held against this suite for each kind of environment, or against a real server."""
    twins = load().adapters.keys() - REAL
    assert {(name, kind) for name in twins for kind in Kind} == {(c.name, c.tenant) for c in CASES}


@each_case
def test_a_whole_life(case: Case, sandbox: Sandbox) -> None:
    """What is created is found, listed, read and works; what is revoked is dead, however often."""

    async def play(twin: Twin, case: Case) -> None:
        it, tag = twin.provider, twin.tag()
        assert () == await it.find(tag, twin.spec(case.fields))
        issued = await made(twin, case)
        (found,) = await it.find(tag, twin.spec(case.fields))
        listed = (await it.observe()).observed[issued.remote_id]
        assert (found, found, issued.remote_id) == (listed, await it.get(issued.remote_id), found.remote_id)
        assert (RemoteStatus.LIVE, tag) == (found.status, found.tag)
        assert found.created_at is not None
        seen = await it.verify(issued.secret, twin.spec(case.fields))
        granted = frozenset(case.fields["scopes"]) if "scopes" in case.fields else None
        assert (Outcome.WORKS, granted, "") == (seen.outcome, seen.scopes, seen.detail)
        await ended(twin, case, issued.remote_id)
        await ended(twin, case, issued.remote_id)
        assert Outcome.REJECTED is await _outcome(twin, case, issued.secret, Outcome.REJECTED)
        gone = await it.get(issued.remote_id)
        if Verb.REVOKE in twin.capabilities.portal:  # FP8: there is no delete
            assert gone is not None
            assert RemoteStatus.DISABLED is gone.status
        else:
            assert None is gone
            assert () == await it.find(tag, twin.spec(case.fields))
            assert issued.remote_id not in (await it.observe()).observed

    _play(sandbox, case, play)


@each_case
def test_changes_then_none(case: Case, sandbox: Sandbox) -> None:
    """What is read back equals what was asked for, after a create, an update, and the same update again."""
    sets = field_rules(load().declarations[case.name].schema).sets

    async def play(twin: Twin, case: Case) -> None:
        issued = await made(twin, case)

        async def open_changes(asked: JsonObject) -> tuple[object, ...]:
            observed = await twin.provider.get(issued.remote_id)
            assert observed is not None
            return differences(asked, declared_only(asked, observed.fields), sets=sets)

        assert () == await open_changes(case.fields)
        for _ in range(2):
            await twin.provider.update(issued.remote_id, twin.spec(case.changed))
            assert () == await open_changes(case.changed)
        kept = await twin.provider.get(issued.remote_id)
        assert kept is not None
        assert twin.tag() == kept.tag
        assert set() == (kept.fields.keys() - case.changed.keys()) - {"settings"}  # undeclared: cleared

    _play(sandbox, case, play)


@each_case
def test_looking_writes_nothing(case: Case, sandbox: Sandbox) -> None:
    """A plan is read-only: no verb that looks counts as a write at the vendor."""

    async def play(twin: Twin, case: Case) -> None:
        issued = await made(twin, case)
        before = twin.sandbox.writes()
        it, spec = twin.provider, twin.spec(case.fields)
        await it.observe()
        await it.find(twin.tag(), spec)
        await it.get(issued.remote_id)
        await it.get("nowhere")
        await it.verify(issued.secret, spec)
        await it.users()
        assert before == twin.sandbox.writes()

    _play(sandbox, case, play)


@each_case
def test_a_vendors_no_is_a_no(case: Case, sandbox: Sandbox) -> None:
    """What a vendor refuses is an error that says so, and nothing is made."""

    async def play(twin: Twin, case: Case) -> None:
        before = (await twin.provider.observe()).observed
        with pytest.raises(VendorRejected, match=r"the vendor refused|does not grant"):
            await twin.provider.create(twin.spec(case.wrong), twin.tag())
        with pytest.raises(VendorRejected):
            await twin.provider.update("nowhere", twin.spec(case.changed))
        assert before == (await twin.provider.observe()).observed

    _play(sandbox, case, play)


@each_case
def test_schema_speaks_of_what_is_read_back(case: Case, sandbox: Sandbox) -> None:
    """Every field that a vendor shows is one that a manifest may declare."""
    schema = load().declarations[case.name].schema

    async def play(twin: Twin, case: Case) -> None:
        issued = await made(twin, case)
        seen = await twin.provider.get(issued.remote_id)
        assert seen is not None
        assert set() == seen.fields.keys() - schema["properties"].keys()

    _play(sandbox, case, play)


async def _prove_secret(twin: Twin, case: Case) -> None:
    """A retrievable secret is revealed as it is; any other one stays unseen, and lists show none."""
    issued = await made(twin, case)
    if twin.capabilities.secret is SecretAccess.RETRIEVABLE:
        again = await twin.provider.reveal(issued.remote_id)
        assert (issued.remote_id, _parts(issued.secret)) == (again.remote_id, _parts(again.secret))
    else:
        with pytest.raises(ProviderError):
            await twin.provider.reveal(issued.remote_id)
    shown = repr([await twin.provider.observe(), await twin.provider.get(issued.remote_id)])
    assert issued.secret.reveal(case.secret) not in shown
    assert set(twin.parts) == set(issued.secret)


async def _prove_identity(twin: Twin, case: Case) -> None:
    """An interrupted create is found by what the vendor keeps of it, and nothing else is found."""
    await IDENTITIES[twin.capabilities.identity](twin, case)


async def _by_label(twin: Twin, case: Case) -> None:
    """A label may repeat: both of an interrupted and a repeated create are found, and no other."""
    both = {(await make(twin, case)).remote_id for _ in range(2)}
    await make(twin, case, nonce="n1")
    await make(twin, case, generation=2)
    assert both == {one.remote_id for one in await twin.provider.find(twin.tag(), twin.spec(case.fields))}


async def _by_unique_tag(twin: Twin, case: Case) -> None:
    """A tag does not repeat: a repeated create is answered with what the first one made."""
    first, second = await make(twin, case), await make(twin, case)
    await make(twin, case, nonce="n1")
    (found,) = await twin.provider.find(twin.tag(), twin.spec(case.fields))
    assert {found.remote_id} == {first.remote_id, second.remote_id}


async def _by_user(twin: Twin, case: Case) -> None:
    """A user has one: a repeated create is answered with it, and one of another tag is not touched."""
    first, second = await make(twin, case), await make(twin, case)
    assert (first.remote_id, _parts(first.secret)) == (second.remote_id, _parts(second.secret))
    with pytest.raises(VendorRejected, match="has API access already"):
        await make(twin, case, nonce="n1")
    spec = twin.spec(case.fields)
    assert [first.remote_id] == [one.remote_id for one in await twin.provider.find(twin.tag(), spec)]
    assert () == await twin.provider.find(twin.tag(nonce="n1"), spec)
    assert () == await twin.provider.find(twin.tag(), twin.spec(case.another(twin, case.fields, 1)))


IDENTITIES = {
    Identity.LABEL: _by_label,
    Identity.UNIQUE_TAG: _by_unique_tag,
    Identity.USER: _by_user,
}


async def _prove_renew(twin: Twin, case: Case) -> None:
    """In place, the old secret is dead with the answer; with overlap, old and new work side by side."""
    old = await made(twin, case)
    if twin.capabilities.renew is Renewal.OVERLAP:
        new = await made(twin, case, generation=2)
        expected = Outcome.WORKS
        with pytest.raises(ProviderError):
            await twin.provider.renew(old.remote_id, twin.spec(case.fields), twin.tag(2))
    else:
        new = await twin.provider.renew(old.remote_id, twin.spec(case.fields), twin.tag(2))
        expected = Outcome.REJECTED
        assert old.remote_id == new.remote_id
        (found,) = await twin.provider.find(twin.tag(2), twin.spec(case.fields))
        assert old.remote_id == found.remote_id
    assert _parts(old.secret) != _parts(new.secret)
    assert Outcome.WORKS is await _outcome(twin, case, new.secret, Outcome.WORKS)
    assert expected is await _outcome(twin, case, old.secret, expected)


async def _prove_observe(twin: Twin, case: Case) -> None:
    """A list shows all that is there, beyond one page, ours and strangers."""
    assert Observe.LIST is twin.capabilities.observe
    before = (await twin.provider.observe()).observed.keys()
    all_of_them = {(await make(twin, case, nonce=f"n{n}", number=n)).remote_id for n in range(502)}
    assert all_of_them == (await twin.provider.observe()).observed.keys() - before


async def _prove_max_live(twin: Twin, case: Case) -> None:
    """As many as declared live at once, and no more; without a limit, several do."""
    most, before = twin.capabilities.max_live, len((await twin.provider.observe()).observed)
    for generation in range(1, (most or 5) + 1):
        issued = await made(twin, case, generation)
        assert Outcome.WORKS is await _outcome(twin, case, issued.secret, Outcome.WORKS)
    if most is not None:
        with pytest.raises(VendorRejected):
            await make(twin, case, most + 1)
    assert before + (most or 5) == len((await twin.provider.observe()).observed)


async def _prove_client_secret_choice(twin: Twin, case: Case) -> None:
    """The vendor chooses the secret: the same request gives another one each time."""
    assert False is twin.capabilities.client_secret_choice
    first, second = await made(twin, case), await made(twin, case, generation=2, number=1)
    assert set() == set(_parts(first.secret).values()) & set(_parts(second.secret).values())


async def _prove_portal(twin: Twin, case: Case) -> None:
    """A person's verb is refused by the provider; all others ran by calls in the whole life above."""
    issued = await made(twin, case)
    calls = {Verb.CAPTURE: twin.provider.reveal, Verb.REVOKE: twin.provider.revoke}
    assert set() == twin.capabilities.portal - calls.keys()
    for verb in twin.capabilities.portal:
        with pytest.raises(ProviderError, match="in its console only"):
            await calls[verb](issued.remote_id)


async def _prove_approval(twin: Twin, case: Case) -> None:
    """Where a vendor approves, a new secret waits until then, or is denied; elsewhere it works at once."""
    spec = twin.spec(case.fields)
    issued = await captured(twin, case, await make(twin, case))

    async def seen(remote_id: str, secret: Secret) -> tuple[RemoteStatus, Outcome]:
        observed = await twin.provider.get(remote_id)
        assert observed is not None
        return observed.status, (await twin.provider.verify(secret, spec)).outcome

    if Kind(case.tenant) not in twin.capabilities.approval:
        assert (RemoteStatus.LIVE, Outcome.WORKS) == await seen(issued.remote_id, issued.secret)
        return
    assert (RemoteStatus.WAITING, Outcome.WAITING) == await seen(issued.remote_id, issued.secret)
    twin.sandbox.approve(case.name, issued.remote_id)
    assert (RemoteStatus.LIVE, Outcome.WORKS) == await seen(issued.remote_id, issued.secret)
    denied = await twin.provider.create(spec, twin.tag(nonce="n1"))
    twin.sandbox.approve(case.name, denied.remote_id, "denied")
    assert (RemoteStatus.DENIED, Outcome.DENIED) == await seen(denied.remote_id, denied.secret)
    wrong = Secret({**_parts(denied.secret), "client_secret": "0" * 64})
    assert Outcome.REJECTED is await _outcome(twin, case, wrong, Outcome.REJECTED)


async def _prove_consistency(twin: Twin, case: Case) -> None:
    """New and dead look so after `consistency` seconds at the latest."""
    issued = await made(twin, case)
    twin.sandbox.advance(twin.capabilities.consistency)
    spec = twin.spec(case.fields)
    assert Outcome.WORKS is (await twin.provider.verify(issued.secret, spec)).outcome
    await ended(twin, case, issued.remote_id)
    twin.sandbox.advance(twin.capabilities.consistency)
    assert Outcome.REJECTED is (await twin.provider.verify(issued.secret, spec)).outcome


async def _prove_sessions(twin: Twin, case: Case) -> None:
    """Where sessions die, a consumer is shut out with its credential, whatever it holds."""
    assert Sessions.DIE is twin.capabilities.sessions
    issued = await made(twin, case)
    use = await case.use(twin, issued.secret)
    assert 401 != await use()
    await ended(twin, case, issued.remote_id)
    assert 401 == await use()


async def _prove_session_lifetime(twin: Twin, case: Case) -> None:
    """A session that dies with its credential has no life of its own."""
    assert 0.0 == twin.capabilities.session_lifetime


async def _prove_authority(twin: Twin, case: Case) -> None:
    """Where the vendor says what our own credential is, that is one which it lists; elsewhere nobody asks."""
    it = twin.provider
    assert twin.capabilities.authority is isinstance(it, TellsAuthority)
    if isinstance(it, TellsAuthority):
        own = await it.authority()
        assert own is not None
        assert own.writes
        assert own.remote_id in (await twin.provider.observe()).observed


async def _prove_survives_refresh(twin: Twin, case: Case) -> None:
    """PS6: test credentials outlive a copy of production over test, or production's stand in their place.

    Production itself stays as it is.
    """
    original = next(one for one in CASES if (one.name, one.tenant) == (case.name, "production"))
    issued = await made(twin, case)
    async with opened(twin.sandbox, case.name, "production") as production:
        theirs = issued if case.tenant == "production" else await made(production, original)
        before = await production.provider.observe()
        twin.sandbox.refresh()
        assert before == await production.provider.observe()
        kept = case.tenant == "production" or twin.capabilities.survives_refresh
        assert kept is (await twin.provider.get(issued.remote_id) is not None)
        seen = await twin.provider.verify(issued.secret, twin.spec(case.fields))
        assert (Outcome.WORKS if kept else Outcome.REJECTED) is seen.outcome or case.name == "paytia"
        if not kept:  # what opens production opens test
            original_there = await production.provider.get(theirs.remote_id)
            assert original_there == await twin.provider.get(theirs.remote_id)
            there = await twin.provider.verify(theirs.secret, twin.spec(original.fields))
            assert Outcome.WORKS is there.outcome


PROOFS: dict[str, Callable[[Twin, Case], Awaitable[None]]] = {
    "secret": _prove_secret,
    "identity": _prove_identity,
    "renew": _prove_renew,
    "observe": _prove_observe,
    "max_live": _prove_max_live,
    "client_secret_choice": _prove_client_secret_choice,
    "portal": _prove_portal,
    "approval": _prove_approval,
    "consistency": _prove_consistency,
    "sessions": _prove_sessions,
    "session_lifetime": _prove_session_lifetime,
    "authority": _prove_authority,
    "survives_refresh": _prove_survives_refresh,
}


def test_every_capability_has_its_proof() -> None:
    """A capability is proved, not believed."""
    assert set(Capabilities.__struct_fields__) == PROOFS.keys()


@each_case
@pytest.mark.parametrize("capability", PROOFS)
def test_declared_is_proved(case: Case, capability: str, sandbox: Sandbox) -> None:
    """The vendor does what the provider declares of it."""
    _play(sandbox, case, PROOFS[capability])
