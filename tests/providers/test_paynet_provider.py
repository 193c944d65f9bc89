"""PayNet's rules PN1 to PN7, seen through its provider on the vendor's twin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from provider_on_twin import Twin, opened

from provisioner.core.model import RemoteStatus
from provisioner.core.provider import Outcome
from provisioner.errors import VendorRejected
from provisioner.providers.paynet import PROVIDER
from provisioner.sandbox.world import Sandbox

T = TypeVar("T")
FIELDS = {"scopes": ["rpp:merchant"]}
MERCHANT = "rpp/v1/merchants/m1"


def _play(folder: Path, play: Callable[[Twin], Awaitable[T]], tenant: str = "test") -> T:
    async def within() -> T:
        with Sandbox(folder) as sandbox:
            async with opened(sandbox, "paynet", tenant) as twin:
                return await play(twin)

    return asyncio.run(within())


def test_rules_are_told() -> None:
    """The provider tells the rules PN1 to PN7, and that only PN7 is ours."""
    assert [f"PN{n}" for n in range(1, 8)] == [rule.id for rule in PROVIDER.declaration.rules]
    assert ["PN7"] == [rule.id for rule in PROVIDER.declaration.rules if rule.source == "ours"]


def test_a_development_key_works_at_once(tmp_path: Path) -> None:
    """PN1: in the Development environment a new client id and secret get a token."""

    async def play(twin: Twin) -> Outcome:
        made = await twin.provider.create(twin.spec(FIELDS), twin.tag())
        return (await twin.provider.verify(made.secret, twin.spec(FIELDS))).outcome

    assert Outcome.WORKS is _play(tmp_path, play)


@pytest.mark.parametrize(
    ("decision", "status", "outcome"),
    [
        (None, RemoteStatus.WAITING, Outcome.WAITING),
        ("approved", RemoteStatus.LIVE, Outcome.WORKS),
        ("denied", RemoteStatus.DENIED, Outcome.DENIED),
    ],
)
def test_a_production_key_waits_for_the_decision(
    decision: str | None, status: RemoteStatus, outcome: Outcome, tmp_path: Path
) -> None:
    """PN2: a production key is there at once and works once approved; waiting and denied are told apart."""

    async def play(twin: Twin) -> tuple[RemoteStatus | None, Outcome]:
        made = await twin.provider.create(twin.spec(FIELDS), twin.tag())
        if decision:
            twin.sandbox.approve("paynet", made.remote_id, decision)  # type: ignore[arg-type]  # a row of the table
        seen = await twin.provider.get(made.remote_id)
        verified = await twin.provider.verify(made.secret, twin.spec(FIELDS))
        return seen and seen.status, verified.outcome

    assert (status, outcome) == _play(tmp_path, play, "production")


def test_a_waiting_key_that_was_revoked_is_rejected(tmp_path: Path) -> None:
    """PN2, PN3: a key that is gone is rejected, not waiting, whatever it waited for."""

    async def play(twin: Twin) -> Outcome:
        made = await twin.provider.create(twin.spec(FIELDS), twin.tag())
        await twin.provider.revoke(made.remote_id)
        return (await twin.provider.verify(made.secret, twin.spec(FIELDS))).outcome

    assert Outcome.REJECTED is _play(tmp_path, play, "production")


def test_a_revoke_is_at_once_and_for_good(tmp_path: Path) -> None:
    """PN3: a revoked key is gone, can be revoked again in peace, and cannot be renewed or changed."""

    async def play(twin: Twin) -> None:
        made = await twin.provider.create(twin.spec(FIELDS), twin.tag())
        await twin.provider.revoke(made.remote_id)
        await twin.provider.revoke(made.remote_id)
        assert None is await twin.provider.get(made.remote_id)
        with pytest.raises(VendorRejected):
            await twin.provider.renew(made.remote_id, twin.spec(FIELDS), twin.tag(2))
        with pytest.raises(VendorRejected):
            await twin.provider.update(made.remote_id, twin.spec(FIELDS))
        with pytest.raises(VendorRejected):
            await twin.provider.reveal(made.remote_id)

    _play(tmp_path, play)


def test_the_secret_can_be_revealed_again(tmp_path: Path) -> None:
    """PN4: what is revealed is the secret as it is now, also after a renewal."""

    async def play(twin: Twin) -> list[str]:
        made = await twin.provider.create(twin.spec(FIELDS), twin.tag())
        first = await twin.provider.reveal(made.remote_id)
        renewed = await twin.provider.renew(made.remote_id, twin.spec(FIELDS), twin.tag(2))
        second = await twin.provider.reveal(made.remote_id)
        assert made.remote_id == first.remote_id == second.remote_id
        return [one.secret.reveal("client_secret") for one in (made, first, renewed, second)]

    made, first, renewed, second = _play(tmp_path, play)
    assert (made, renewed) == (first, second)


def test_the_granted_scopes_are_told(tmp_path: Path) -> None:
    """PN5: verifying tells the scopes that the token endpoint granted, and what lies beyond those asked."""

    async def play(twin: Twin) -> tuple[frozenset[str] | None, str]:
        wide = twin.spec({"scopes": ["rpp:merchant", "duitnow:read"]})
        made = await twin.provider.create(wide, twin.tag())
        verified = await twin.provider.verify(made.secret, twin.spec(FIELDS))
        return verified.scopes, verified.detail

    told = "granted beyond what was asked: duitnow:read"
    assert (frozenset({"rpp:merchant", "duitnow:read"}), told) == _play(tmp_path, play)


def test_a_delivered_secret_carries_calls(tmp_path: Path) -> None:
    """PN6: with the delivered secret a consumer gets a bearer token, and a new one after a day."""

    async def play(twin: Twin) -> list[int]:
        made = await twin.provider.create(twin.spec(FIELDS), twin.tag())
        token = await twin.session("auth/token", made.secret)
        stored = await twin.status("PUT", MERCHANT, token, json={"name": "Kedai"})
        twin.sandbox.advance(86_400)
        expired = await twin.status("GET", MERCHANT, token)
        again = await twin.session("auth/token", made.secret)
        return [stored, expired, await twin.status("GET", MERCHANT, again)]

    assert [200, 401, 200] == _play(tmp_path, play)


def test_a_renewal_keeps_the_client_id(tmp_path: Path) -> None:
    """PN7: a renewal keeps id and client id, replaces the secret, ends the old one, and takes the new tag."""

    async def play(twin: Twin) -> None:
        it, spec = twin.provider, twin.spec(FIELDS)
        old = await it.create(spec, twin.tag(1))
        new = await it.renew(old.remote_id, spec, twin.tag(2))
        assert old.remote_id == new.remote_id
        assert old.secret.reveal("client_id") == new.secret.reveal("client_id")
        assert old.secret.reveal("client_secret") != new.secret.reveal("client_secret")
        tried = [(await it.verify(one.secret, spec)).outcome for one in (old, new)]
        assert [Outcome.REJECTED, Outcome.WORKS] == tried
        assert ((), 1) == (await it.find(twin.tag(1), spec), len(await it.find(twin.tag(2), spec)))

    _play(tmp_path, play)


def test_nobody_is_linked(tmp_path: Path) -> None:
    """PayNet's keys are linked to no users."""
    assert () == _play(tmp_path, lambda twin: twin.provider.users())
