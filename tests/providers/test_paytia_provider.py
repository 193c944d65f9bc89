"""Paytia's rules PY1 to PY9, seen through its provider on the vendor's twin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from provider_on_twin import Twin, opened
from scripted_vendor import CUT, Script, answer, vendor

from provisioner.core.model import Address, Tag
from provisioner.core.provider import Issued, Outcome, Spec, Verification
from provisioner.core.secret import Secret
from provisioner.errors import NotAuthorised, OutcomeUnknown, ProviderError, VendorRejected
from provisioner.providers.paytia import PARTS, Paytia
from provisioner.sandbox.world import Sandbox

T = TypeVar("T")

HOUR = 3600
PLAIN: dict[str, object] = {}
AWAY = {"allow_ips": ["203.0.113.0/28"]}


def _play(tmp_path: Path, play: Callable[[Twin], Awaitable[T]], tenant: str = "test") -> T:
    async def within() -> T:
        with Sandbox(tmp_path / "sandbox") as sandbox:
            async with opened(sandbox, "paytia", tenant) as twin:
                return await play(twin)

    return asyncio.run(within())


async def _made(twin: Twin, fields: dict[str, object] = PLAIN, generation: int = 1) -> Issued:
    return await twin.provider.create(twin.spec(fields), twin.tag(generation))


async def _tried(twin: Twin, secret: Secret, fields: dict[str, object] = PLAIN) -> Verification:
    return await twin.provider.verify(secret, twin.spec(fields))


def _with(secret: Secret, **changed: str) -> Secret:
    return Secret({**{part: secret.reveal(part) for part in secret}, **changed})


async def _refresh(twin: Twin, secret: Secret) -> int:
    """What a consumer does each hour (PY7)."""
    names = ("client_id", "client_secret", "refresh_token")
    headers = {"x-api-key": secret.reveal("api_key")}
    body = {name: secret.reveal(name) for name in names}
    return (await twin.call("POST", "api/tokens/refresh", headers=headers, json=body)).status_code


def test_a_key_is_the_whole_bundle(tmp_path: Path) -> None:
    """PY1 PY5 PY9: one create gives API key, client id and secret, both tokens; one key is listed."""

    async def play(twin: Twin) -> tuple[tuple[str, ...], list[str]]:
        made = await _made(twin)
        return tuple(made.secret), list((await twin.provider.observe()).observed)

    parts, listed = _play(tmp_path, play)
    assert PARTS == parts
    assert 1 == len(listed)


def test_addresses_are_compared_after_one_normalisation(tmp_path: Path) -> None:
    """PY2: as manifests write networks, so they are read back, whatever the vendor makes of them."""
    declared = ["127.0.0.0/8", "203.0.113.7/32", "2001:db8::/48", "2001:db8:1::1/128"]

    async def play(twin: Twin) -> tuple[object, object]:
        made = await _made(twin, {"allow_ips": declared})
        shown = (await twin.call("GET", f"admin/v1/api-keys/{made.remote_id}", headers=_manager(twin))).json()
        seen = await twin.provider.get(made.remote_id)
        return shown["allow_ips"], seen and seen.fields["allow_ips"]

    raw, seen = _play(tmp_path, play)
    assert ["127.0.0.0/8", "203.0.113.7", "2001:db8::/48", "2001:db8:1::1"] == raw
    assert declared == seen


def _manager(twin: Twin) -> dict[str, str]:
    return {"authorization": f"Bearer {twin.sandbox.token('paytia', twin.tenant)}"}


def test_a_key_for_other_addresses_counts_as_known(tmp_path: Path) -> None:
    """PY2: from elsewhere only the API key can be recognised: known is told, unknown is rejected."""

    async def play(twin: Twin) -> list[Verification]:
        made = await _made(twin, AWAY)
        strange = _with(made.secret, api_key="0" * 64)
        nobody = _with(made.secret, client_id="nobody")
        return [await _tried(twin, one, AWAY) for one in (made.secret, strange, nobody)]

    known, strange, nobody = _play(tmp_path, play)
    assert (Outcome.WORKS, True) == (known.outcome, "can only be tried from its allow_ips" in known.detail)
    assert [Outcome.REJECTED] * 2 == [strange.outcome, nobody.outcome]


def test_an_address_that_nobody_restricted_is_no_excuse(tmp_path: Path) -> None:
    """PY2: a key that is restricted although no addresses are declared is not what was asked for."""

    async def play(twin: Twin) -> Verification:
        return await _tried(twin, (await _made(twin, AWAY)).secret)

    seen = _play(tmp_path, play)
    assert (Outcome.REJECTED, True) == (seen.outcome, "none are declared" in seen.detail)


def test_settings_take_effect_and_go_back(tmp_path: Path) -> None:
    """PY3 PY4 PY6: format and switch are set by a create, changed by an update, cleared to their defaults."""
    multiple = {"webhook_format": "multiple", "enhance_security": True}

    async def play(twin: Twin) -> list[object]:
        made = await _made(twin, {"settings": multiple})
        seen = [await twin.provider.get(made.remote_id)]
        for settings in ({"enhance_security": True}, {}):
            await twin.provider.update(made.remote_id, twin.spec({"settings": settings}))
            seen.append(await twin.provider.get(made.remote_id))
        return [one and one.fields["settings"] for one in seen]

    single = {**multiple, "webhook_format": "single"}
    assert [multiple, single, {**single, "enhance_security": False}] == _play(tmp_path, play)


def test_a_trial_pre_authorizes(tmp_path: Path) -> None:
    """PY6: verifying is the document's own request, after which a key with Enhance Security reads data."""

    async def play(twin: Twin) -> list[int]:
        made = await _made(twin, {"settings": {"enhance_security": True}})
        headers = {"x-api-key": made.secret.reveal("api_key")}
        before = await twin.call("GET", "api/v1/transactions", headers=headers)
        await _tried(twin, made.secret)
        after = await twin.call("GET", "api/v1/transactions", headers=headers)
        return [before.status_code, after.status_code]

    assert [403, 200] == _play(tmp_path, play)


def test_a_trial_spends_nothing(tmp_path: Path) -> None:
    """PY7 PY8: however often a bundle is tried, its consumer can still refresh, and then once only."""

    async def play(twin: Twin) -> list[int]:
        made = await _made(twin)
        for _ in range(3):
            await _tried(twin, made.secret)
        return [await _refresh(twin, made.secret), await _refresh(twin, made.secret)]

    assert [200, 401] == _play(tmp_path, play)


@pytest.mark.parametrize("part", ["api_key", "client_id", "client_secret", "access_token"])
def test_within_the_hour_a_wrong_part_is_rejected(part: str, tmp_path: Path) -> None:
    """PY5 PY6: while the access token must be good, whatever is refused is wrong."""

    async def play(twin: Twin) -> Outcome:
        made = await _made(twin)
        twin.sandbox.advance(HOUR - 120)
        assert Outcome.WORKS is (await _tried(twin, made.secret)).outcome
        return (await _tried(twin, _with(made.secret, **{part: "wrong"}))).outcome

    assert Outcome.REJECTED is _play(tmp_path, play)


def test_after_the_hour_a_refusal_proves_nothing(tmp_path: Path) -> None:
    """PY5: an access token that expired by itself makes no good bundle a bad one; a revoked key does."""

    async def play(twin: Twin) -> list[Outcome]:
        made = await _made(twin)
        twin.sandbox.advance(HOUR)
        late = await _tried(twin, made.secret)
        await twin.provider.revoke(made.remote_id)
        return [late.outcome, (await _tried(twin, made.secret)).outcome]

    assert [Outcome.INCONCLUSIVE, Outcome.REJECTED] == _play(tmp_path, play)


def test_renewal_is_a_new_key(tmp_path: Path) -> None:
    """PY9: a renewal in place does not exist, and a bundle is never shown again."""

    async def play(twin: Twin) -> set[Outcome]:
        old, new = await _made(twin), await _made(twin, generation=2)
        with pytest.raises(ProviderError, match=r"never in place \(PY9\)"):
            await twin.provider.renew(old.remote_id, twin.spec(PLAIN), twin.tag(2))
        with pytest.raises(ProviderError, match=r"never shows a bundle again \(PY9\)"):
            await twin.provider.reveal(old.remote_id)
        return {(await _tried(twin, one.secret)).outcome for one in (old, new)}

    assert {Outcome.WORKS} == _play(tmp_path, play)


def test_a_create_that_was_cut_short_is_found(tmp_path: Path) -> None:
    """PY5 PY9: a key that got no tokens yet carries our tag, so that an interrupted create is found by it."""

    async def play(twin: Twin) -> list[str]:
        body = {"label": str(twin.tag())}
        made = await twin.call("POST", "admin/v1/api-keys", headers=_manager(twin), json=body)
        found = await twin.provider.find(twin.tag(), twin.spec(PLAIN))
        return [made.json()["id"], *(one.remote_id for one in found)]

    made, found = _play(tmp_path, play)
    assert made == found


KEY = {"id": "k1", "api_key": "canary-key"}
TOKENS = {"id": "k1", "client_id": "c", "client_secret": "s", "access_token": "a", "refresh_token": "r"}
GONE: list[bytes | None] = [answer(204)]

SECOND_STEP: list[tuple[Script, type[ProviderError], int]] = [
    ([answer(409), *GONE], VendorRejected, 3),  # refused, and the key is removed
    ([answer(401), *GONE], NotAuthorised, 3),
    ([answer(409), answer(403)], OutcomeUnknown, 3),  # refused, and the key is still there
    ([CUT] * 5, OutcomeUnknown, 6),  # nobody knows: it is left for the next look
]


@pytest.mark.parametrize(("script", "error", "requests"), SECOND_STEP)
def test_no_half_made_key_is_forgotten(script: Script, error: type[ProviderError], requests: int) -> None:
    """PY5: a refusal after which a key is left behind never looks like one that changed nothing."""
    spec, tag = Spec(Address("test", "pay"), {}), Tag("payments", "test", "pay", 1, "n0")

    async def play() -> tuple[ProviderError, int]:
        async with vendor([answer(201, KEY), *script]) as it:
            http = it.http()
            with pytest.raises(ProviderError) as caught:
                await Paytia(http).create(spec, tag)
            await http.close()
            return caught.value, len(it.requests)

    found, asked = asyncio.run(play())
    assert (error, requests) == (type(found), asked)
    assert "canary-key" not in str(found)


def test_tokens_that_were_answered_late_are_asked_for_again() -> None:
    """PY5: generating tokens again replaces what a lost answer gave, so the second answer is the bundle."""
    spec, tag = Spec(Address("test", "pay"), {}), Tag("payments", "test", "pay", 1, "n0")

    async def play() -> Issued:
        async with vendor([answer(201, KEY), CUT, answer(201, TOKENS)]) as it:
            http = it.http()
            made = await Paytia(http).create(spec, tag)
            await http.close()
            return made

    made = asyncio.run(play())
    assert ("k1", "canary-key", "r") == (
        made.remote_id,
        made.secret.reveal("api_key"),
        made.secret.reveal("refresh_token"),
    )
