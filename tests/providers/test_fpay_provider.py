"""FPay's rules FP1 to FP11, seen through its provider on the vendor's twin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from provider_on_twin import Twin, opened
from scripted_vendor import answer, vendor

from provisioner.core.capabilities import field_rules
from provisioner.core.model import Address, JsonObject, RemoteStatus, Tag
from provisioner.core.privilege import covers
from provisioner.core.provider import Authority, Outcome, Spec, Verification
from provisioner.core.secret import Secret
from provisioner.errors import NotAuthorised, ProviderError, VendorRejected
from provisioner.providers.fpay import FPay
from provisioner.providers.registry import load
from provisioner.sandbox import fpay_console
from provisioner.sandbox.world import Sandbox

T = TypeVar("T")

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PERMISSIONS = ("FullAccess", "MoneyInOnly", "ReadMoneyIn", "ReadOnly", "ReadWriteNoMoneyOut")
READ: JsonObject = {"scopes": ["ReadOnly"]}
SPEC = Spec(Address("test", "crm"), READ)
TAG = Tag("payments", "test", "crm", 1, "n0")
EMPTY = {"items": [], "pagination": {"nextPage": None}}
NOTED: JsonObject = {**READ, "description": "CRM", "settings": {"foreign_data": "{}"}}


def _play(tmp_path: Path, play: Callable[[Twin], Awaitable[T]], *, token: str = "") -> T:
    async def within() -> T:
        with Sandbox(tmp_path / "sandbox", clock=lambda: START) as sandbox:
            async with opened(sandbox, "fpay", "test", token=token) as twin:
                return await play(twin)

    return asyncio.run(within())


async def _made(twin: Twin, fields: JsonObject = READ, nonce: str = "n0") -> str:
    """A new AuthAccess's token."""
    return (await twin.provider.create(twin.spec(fields), twin.tag(nonce=nonce))).remote_id


def _keys(twin: Twin, remote_id: str) -> Secret:
    """What a person reads in the console (FP9)."""
    with twin.sandbox.tenancy("fpay", "test") as data:
        keys = fpay_console.reveal(data, remote_id)
    return Secret({"token": keys.token, "secret_key": keys.secret_key})


async def _tried(twin: Twin, secret: Secret, fields: JsonObject) -> Verification:
    return await twin.provider.verify(secret, twin.spec(fields))


def _manager(twin: Twin) -> dict[str, str]:
    return {"authorization": f"Bearer {twin.sandbox.token('fpay', 'test')}"}


def test_what_is_declared_is_created(tmp_path: Path) -> None:
    """FP1 FP11: name, description and foreignData are set, our tag is the foreignId; no secret comes."""

    async def play(twin: Twin) -> tuple[dict[str, object], list[str]]:
        made = await twin.provider.create(twin.spec(NOTED), twin.tag())
        raw = await twin.call("GET", f"authAccess/{made.remote_id}", headers=_manager(twin))
        wanted = ("name", "description", "foreignData", "foreignId")
        return {name: raw.json()[name] for name in wanted}, list(made.secret)

    tag = "provision/payments/test/payroll-export/1/n0"
    shown = {"name": "payroll-export", "description": "CRM", "foreignData": "{}", "foreignId": tag}
    assert (shown, []) == _play(tmp_path, play)


def test_the_longest_tag_still_fits(tmp_path: Path) -> None:
    """FP1: a tag of 128 characters is a foreignId, one of 129 is refused."""

    async def play(twin: Twin) -> int:
        longest = twin.tag(nonce="n" * (128 - len(str(twin.tag(nonce="")))))
        await twin.provider.create(twin.spec(READ), longest)
        with pytest.raises(VendorRejected, match="foreignId"):
            await twin.provider.create(twin.spec(READ), twin.tag(nonce=longest.nonce + "n"))
        return len(str(longest))

    assert 128 == _play(tmp_path, play)


def test_a_repeated_create_makes_one(tmp_path: Path) -> None:
    """FP1 FP11: the foreignId is unique, so what a first attempt made is found instead of made again."""

    async def play(twin: Twin) -> tuple[set[str], int]:
        before = len((await twin.provider.observe()).observed)
        tokens = {await _made(twin) for _ in range(3)}
        return tokens, len((await twin.provider.observe()).observed) - before

    tokens, made = _play(tmp_path, play)
    assert (1, 1) == (len(tokens), made)


def test_an_identifier_that_is_not_ours_is_told(tmp_path: Path) -> None:
    """FP1: a foreignId that is taken by something that is not found under it is a refusal with the words."""

    async def play() -> VendorRejected:
        async with vendor(
            [answer(409, {"detail": "/foreignId is taken"}), answer(404), answer(200, EMPTY)]
        ) as it:
            http = it.http()
            with pytest.raises(VendorRejected) as caught:
                await FPay(http).create(SPEC, TAG)
            await http.close()
            return caught.value

    error = asyncio.run(play())
    assert (409, "fpay refused to create test/crm: /foreignId is taken") == (error.status, error.message)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_the_permission_is_told(permission: str, tmp_path: Path) -> None:
    """FP2: verifying tells the permission; one that may not read is known to work, and is told as such."""

    async def play(twin: Twin) -> Verification:
        token = await _made(twin, {"scopes": [permission]})
        return await _tried(twin, _keys(twin, token), {"scopes": [permission]})

    seen = _play(tmp_path, play)
    told = frozenset({permission}) if permission != "MoneyInOnly" else None
    assert (Outcome.WORKS, told) == (seen.outcome, seen.scopes)
    assert (permission == "MoneyInOnly") == bool(seen.detail)


def test_more_than_asked_is_told(tmp_path: Path) -> None:
    """FP2: an access that may do more than asked is told as wider; one that may read nothing is rejected."""

    async def play(twin: Twin) -> list[Verification]:
        tokens = [await _made(twin, {"scopes": [one]}, one) for one in ("FullAccess", "MoneyInOnly")]
        return [await _tried(twin, _keys(twin, token), READ) for token in tokens]

    full, blind = _play(tmp_path, play)
    words = "granted beyond what was asked: FullAccess; asked but not granted: ReadOnly"
    assert (frozenset({"FullAccess"}), words) == (full.scopes, full.detail)
    assert Outcome.REJECTED is blind.outcome


@pytest.mark.parametrize("permission", ["ReadOnly", "MoneyInOnly", "ReadMoneyIn", "ReadWriteNoMoneyOut"])
def test_nothing_is_created_that_may_do_more(permission: str, tmp_path: Path) -> None:
    """FP3: what our own AuthAccess may not create is refused in words that say so, and what to do."""

    async def manager(twin: Twin) -> str:
        keys = _keys(twin, await _made(twin, {"scopes": [permission]}))
        return f"{keys.reveal('token')}:{keys.reveal('secret_key')}"

    async def refused(twin: Twin) -> tuple[str, str]:
        with pytest.raises(NotAuthorised) as caught:
            await _made(twin, {"scopes": ["FullAccess"]}, "n1")
        return caught.value.message, caught.value.remedy

    message, remedy = _play(tmp_path, refused, token=_play(tmp_path, manager))
    assert message.startswith(
        f"fpay: the AuthAccess that provision works with may not create FullAccess (FP3): {permission}"
    )
    assert remedy.startswith("ask for a narrower permission")


@pytest.mark.parametrize("identifier", ["token", "id", "foreignId"])
def test_one_is_got_by_each_of_its_identifiers(identifier: str, tmp_path: Path) -> None:
    """FP4: id, token and foreignId all name the same AuthAccess; nothing else does."""

    async def play(twin: Twin) -> tuple[str, object, object]:
        token = await _made(twin)
        raw = (await twin.call("GET", f"authAccess/{token}", headers=_manager(twin))).json()
        seen = await twin.provider.get(raw[identifier])
        return token, seen and seen.remote_id, await twin.provider.get("nobody")

    token, seen, nobody = _play(tmp_path, play)
    assert (token, None) == (seen, nobody)


def test_every_page_is_read(tmp_path: Path) -> None:
    """FP5 FP6: pages are as large as they may be, and nextPage is followed until there is none."""

    async def play() -> tuple[list[str], list[bytes]]:
        pages = [_page("a", "page=2/+"), _page("b", "p3"), _page("c", None)]
        async with vendor([answer(200, page) for page in pages]) as it:
            http = it.http()
            seen = list((await FPay(http).observe()).observed)
            await http.close()
            return seen, [request.split()[1] for request in it.requests]

    seen, asked = asyncio.run(play())
    assert ["a", "b", "c"] == seen
    list_, page = b"/base/authAccess?limit=500", b"/base/authAccess?page="
    assert [list_, page + b"page%3D2%2F%2B", page + b"p3"] == asked


def test_a_list_that_does_not_end_is_refused() -> None:
    """FP6: a page that was read before is no next page."""

    async def play() -> str:
        async with vendor([answer(200, _page("a", "p2")), *[answer(200, _page("b", "p2"))] * 5]) as it:
            http = it.http()
            with pytest.raises(ProviderError) as caught:
                await FPay(http).observe()
            await http.close()
            return caught.value.message

    assert "answered what its contract does not allow" in asyncio.run(play())


def _page(token: str, following: str | None) -> dict[str, object]:
    created = {"iso8601": "2026-11-02T14:00:00.000Z"}
    access = {"token": token, "isEnabled": True, "permission": {"name": "ReadOnly"}, "createdTime": created}
    return {"items": [access], "pagination": {"nextPage": following}}


def test_an_update_changes_and_removes(tmp_path: Path) -> None:
    """FP7: what is declared is changed, what is not is removed, and nothing else is asked for."""

    async def play(twin: Twin) -> list[object]:
        token = await _made(twin, NOTED)
        seen = []
        for fields in (READ, NOTED, {**READ, "description": "only this"}):
            await twin.provider.update(token, twin.spec(fields))
            found = await twin.provider.get(token)
            seen.append(found and found.fields)
        return seen

    bare = {"scopes": ["ReadOnly"], "settings": {}}
    assert [bare, NOTED, {**bare, "description": "only this"}] == _play(tmp_path, play)


def test_a_disabled_one_stays_and_is_told(tmp_path: Path) -> None:
    """FP8: only the console disables; what it disabled is shown as such, found, and rejected."""

    async def play(twin: Twin) -> list[object]:
        token = await _made(twin)
        with pytest.raises(ProviderError, match=r"in its console only \(FP8\)"):
            await twin.provider.revoke(token)
        secret = _keys(twin, token)
        with twin.sandbox.tenancy("fpay", "test") as data:
            fpay_console.disable(data, token)
        listed = (await twin.provider.observe()).observed[token]
        (found,) = await twin.provider.find(twin.tag(), twin.spec(READ))
        return [listed.status, found.status, (await _tried(twin, secret, READ)).outcome]

    disabled = RemoteStatus.DISABLED
    assert [disabled, disabled, Outcome.REJECTED] == _play(tmp_path, play)


def test_no_call_reveals_a_secret_key(tmp_path: Path) -> None:
    """FP9: reading it is a person's step; the mask that answers show is rejected like any wrong key."""

    async def play(twin: Twin) -> list[Outcome]:
        token = await _made(twin)
        with pytest.raises(ProviderError, match=r"in its console only \(FP9\)"):
            await twin.provider.reveal(token)
        raw = (await twin.call("GET", f"authAccess/{token}", headers=_manager(twin))).json()
        masked = Secret({"token": token, "secret_key": raw["secretKey"]})
        return [(await _tried(twin, one, READ)).outcome for one in (masked, _keys(twin, token))]

    assert [Outcome.REJECTED, Outcome.WORKS] == _play(tmp_path, play)


def test_the_moment_of_creation_is_utc(tmp_path: Path) -> None:
    """FP10: createdTime is read as the moment that it is."""

    async def play(twin: Twin) -> object:
        twin.sandbox.advance(90.5)
        found = await twin.provider.get(await _made(twin))
        return found and found.created_at

    assert datetime(2026, 11, 21, 12, 1, 30, 500000, tzinfo=UTC) == _play(tmp_path, play)


def test_renewal_is_another_beside_it(tmp_path: Path) -> None:
    """FP11: a renewal in place does not exist; two accesses of one credential work side by side."""

    async def play(twin: Twin) -> set[Outcome]:
        old, new = await _made(twin), await _made(twin, nonce="n1")
        with pytest.raises(ProviderError, match=r"never in place \(FP11\)"):
            await twin.provider.renew(old, twin.spec(READ), twin.tag(2))
        return {(await _tried(twin, _keys(twin, token), READ)).outcome for token in (old, new)}

    assert {Outcome.WORKS} == _play(tmp_path, play)


@pytest.mark.parametrize("own", PERMISSIONS)
def test_our_own_authority_is_what_the_vendor_lets_us_do(tmp_path: Path, own: str) -> None:
    """FP3, FP4: what our own access is said to be, and to give, is what creating with it shows."""
    includes = field_rules(load().declarations["fpay"].schema).includes

    async def play(twin: Twin) -> tuple[Authority | None, str, set[str]]:
        token = _keys(twin, await _made(twin, {"scopes": [own]}))
        bearer = f"{token.reveal('token')}:{token.reveal('secret_key')}"
        made: set[str] = set()
        async with opened(twin.sandbox, "fpay", "test", token=bearer) as narrow:
            assert isinstance(narrow.provider, FPay)
            for wanted in PERMISSIONS:
                try:
                    await _made(narrow, {"scopes": [wanted]}, nonce=wanted)
                    made.add(wanted)
                except NotAuthorised:
                    continue
            return await narrow.provider.authority(), token.reveal("token"), made

    said, remote_id, made = _play(tmp_path, play)
    assert said is not None
    assert (remote_id, frozenset({own}), "FP3") == (said.remote_id, said.scopes, said.rule)
    within = {one for one in PERMISSIONS if said.writes and covers([one], [own], includes)}
    assert made == within


def test_a_token_of_another_form_stays_out_of_urls(tmp_path: Path) -> None:
    """What is not TOKEN:SECRETKEY may be a secret as a whole: nothing is asked with it as an id."""

    async def play(twin: Twin) -> Authority | None:
        assert isinstance(twin.provider, FPay)
        return await twin.provider.authority()

    assert None is _play(tmp_path, play, token="all-of-it-secret")
