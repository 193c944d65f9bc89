"""TimeClock's rules TC1 to TC8, seen through its provider on the vendor's twin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from provider_on_twin import Twin, opened
from scripted_vendor import answer, vendor

from provisioner.core.model import Address
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Issued, Outcome, Spec, Verification
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError, VendorRejected
from provisioner.providers.http import Http, Timing
from provisioner.providers.timeclock import TimeClock
from provisioner.sandbox.world import Sandbox

T = TypeVar("T")

BOT = {"user": 17}
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def _play(tmp_path: Path, play: Callable[[Twin], Awaitable[T]], tenant: str = "test") -> T:
    async def within() -> T:
        with Sandbox(tmp_path / "sandbox", clock=lambda: START) as sandbox:
            async with opened(sandbox, "timeclock", tenant) as twin:
                return await play(twin)

    return asyncio.run(within())


async def _made(twin: Twin, user: int = 17, nonce: str = "n0") -> Issued:
    return await twin.provider.create(twin.spec({"user": user}), twin.tag(nonce=nonce))


def _manager(twin: Twin) -> dict[str, str]:
    return {"authorization": f"Bearer {twin.sandbox.token('timeclock', twin.tenant)}"}


async def _by_hand(twin: Twin, method: str, path: str, **options: object) -> None:
    """Somebody else does this to an access."""
    done = await twin.call(method, f"admin/v1/users/{path}", headers=_manager(twin), **options)
    assert done.is_success


def test_an_access_is_its_users(tmp_path: Path) -> None:
    """TC1 TC8: it is granted to the linked user, whose id is its identifier, and shown with no key."""

    async def play(twin: Twin) -> tuple[str, object]:
        made = await _made(twin)
        seen = await twin.provider.get(made.remote_id)
        return made.secret.reveal("identifier"), seen and (seen.fields, seen.tag == twin.tag())

    assert ("17", (BOT, True)) == _play(tmp_path, play)


def test_a_change_of_key_keeps_the_identifier(tmp_path: Path) -> None:
    """TC2: in place, the same identifier and another key, which carries the new tag; the old key is dead."""

    async def play(twin: Twin) -> list[object]:
        old = await _made(twin)
        new = await twin.provider.renew(old.remote_id, twin.spec(BOT), twin.tag(2))
        tried = [(await twin.provider.verify(one.secret, twin.spec(BOT))).outcome for one in (old, new)]
        same = [old.secret.reveal(part) == new.secret.reveal(part) for part in ("identifier", "key")]
        (found,) = await twin.provider.find(twin.tag(2), twin.spec(BOT))
        return [*tried, *same, found.remote_id == old.remote_id]

    assert [Outcome.REJECTED, Outcome.WORKS, True, False, True] == _play(tmp_path, play)


def test_a_revoked_access_is_gone(tmp_path: Path) -> None:
    """TC3: access and key are gone; that it was gone before is fine."""

    async def play(twin: Twin) -> list[object]:
        made = await _made(twin)
        for _ in range(2):
            await twin.provider.revoke(made.remote_id)
        seen = (await twin.provider.verify(made.secret, twin.spec(BOT))).outcome
        return [seen, await twin.provider.get(made.remote_id)]

    assert [Outcome.REJECTED, None] == _play(tmp_path, play)


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(-61, "rejected"), (-59, "works"), (59, "works"), (61, "rejected")]
)
def test_a_signature_names_the_moment(seconds: int, outcome: str, tmp_path: Path) -> None:
    """TC4 TC5: a clock that is a minute off is told from a good one, and named as a cause."""

    async def play(twin: Twin) -> Verification:
        made = await _made(twin)
        config = ProviderConfig("timeclock", "test", "http://twin/timeclock/test")
        skewed = Timing(now=lambda: twin.sandbox.now() + timedelta(seconds=seconds))
        http = Http(config, None, app=twin.sandbox.app, timing=skewed)
        seen = await TimeClock(http).verify(made.secret, twin.spec(BOT))
        await http.close()
        return seen

    seen = _play(tmp_path, play)
    assert (outcome, outcome == "rejected") == (seen.outcome.value, "a clock here" in seen.detail)


def test_the_documents_header_to_the_letter() -> None:
    """TC4 TC5: `Bearer IDENTIFIER:TIMESTAMP:SHA1`, each attempt's timestamp its own, and no other token."""
    moments = iter([1547212119, 1547212130])
    profile = answer(200, {"id": 1, "name": "n", "email": None})

    async def play() -> list[bytes]:
        async with vendor([answer(503), profile]) as it:
            timing = Timing(sleep=it.sleep, now=lambda: datetime.fromtimestamp(next(moments), UTC))
            config = ProviderConfig("timeclock", "test", f"http://127.0.0.1:{it.port}")
            http = Http(config, Secret({"token": "canary-management"}), timing=timing)
            secret = Secret({"identifier": "1", "key": "canary-key"})
            spec = Spec(Address("test", "clock"), {"user": 1})
            assert Outcome.WORKS is (await TimeClock(http).verify(secret, spec)).outcome
            await http.close()
            return it.requests

    first, second = asyncio.run(play())
    # printf '1547212119canary-key' | sha1sum
    assert b"Authorization: Bearer 1:1547212119:5ae2b115babdbe8a5f1990b79e36aaacd969be5e" in _titled(first)
    assert b"Bearer 1:1547212130:" in second
    assert b"canary" not in first + second


def _titled(request: bytes) -> bytes:
    return request.replace(b"authorization:", b"Authorization:")


def test_signing_in_by_pin_gives_what_is_revealed(tmp_path: Path) -> None:
    """TC1 TC6: what the profile shows again is what a PIN gives; and no PIN is generated for it."""

    async def play(twin: Twin) -> tuple[dict[str, str], dict[str, str], list[object]]:
        made = await _made(twin)
        again = await twin.provider.reveal(made.remote_id)
        pins = [one["pin"] for one in (await _users(twin)) if one["id"] == 17]
        pin = (await twin.call("POST", "admin/v1/users/17/pin", headers=_manager(twin))).json()["pin"]
        by_pin = (await twin.call("POST", "api/sign-in", json={"pin": pin})).json()
        shown = {part: again.secret.reveal(part) for part in again.secret}
        return shown, {"identifier": str(by_pin["user_id"]), "key": by_pin["api_key"]}, pins

    shown, by_pin, pins = _play(tmp_path, play)
    assert by_pin == shown
    assert [False] == pins


async def _users(twin: Twin) -> list[dict[str, object]]:
    listed = await twin.call("GET", "admin/v1/users", headers=_manager(twin))
    return list(listed.json())


def test_a_key_of_another_user_is_rejected(tmp_path: Path) -> None:
    """TC7 TC8: the profile that a key opens has to be the linked user's."""

    async def play(twin: Twin) -> Verification:
        return await twin.provider.verify((await _made(twin, 18)).secret, twin.spec(BOT))

    seen = _play(tmp_path, play)
    assert (Outcome.REJECTED, "it is the key of user 18, not of the linked user (TC8)") == (
        seen.outcome,
        seen.detail,
    )


def test_a_grant_that_is_not_ours_is_never_adopted(tmp_path: Path) -> None:
    """TC1 TC8: a create says whose the user's access is, and leaves it as it is."""

    async def play(twin: Twin) -> list[str]:
        await _by_hand(twin, "POST", "17/api-access", json={"label": "tablet"})
        await _made(twin, 18)
        told = []
        for user in (17, 18):
            assert () == await twin.provider.find(twin.tag(nonce="n1"), twin.spec({"user": user}))
            with pytest.raises(VendorRejected) as caught:
                await _made(twin, user, nonce="n1")
            told.append(f"{caught.value.message}; {caught.value.remedy}")
        assert 2 == len((await twin.provider.observe()).observed)
        return told

    strange, ours = _play(tmp_path, play)
    assert (
        "timeclock: user 17 has API access that provision did not grant; import it, or revoke it" == strange
    )
    assert "user 18 has API access already, granted by provision for test/payroll-export" in ours


def test_a_later_grant_of_the_same_user_is_left_alone(tmp_path: Path) -> None:
    """TC1 TC3: once ours was revoked and another granted, ours is gone; the other is not ended for it."""

    async def play(twin: Twin) -> list[object]:
        made = await _made(twin)
        await _by_hand(twin, "DELETE", "17/api-access")
        twin.sandbox.advance(1)
        await _by_hand(twin, "POST", "17/api-access", json={"label": "tablet"})
        gone = await twin.provider.get(made.remote_id)
        await twin.provider.revoke(made.remote_id)
        for verb in (twin.provider.reveal(made.remote_id), _renewed(twin, made)):
            with pytest.raises(VendorRejected, match="any more"):
                await verb
        return [gone, made.remote_id in (await twin.provider.observe()).observed, await _count(twin)]

    assert [None, False, 1] == _play(tmp_path, play)


async def _renewed(twin: Twin, made: Issued) -> Issued:
    return await twin.provider.renew(made.remote_id, twin.spec(BOT), twin.tag(2))


async def _count(twin: Twin) -> int:
    return len((await twin.provider.observe()).observed)


def test_users_are_told_before_they_are_linked(tmp_path: Path) -> None:
    """TC8: who can be linked is listed; who is not active is refused in the vendor's words."""

    async def play(twin: Twin) -> dict[object, tuple[bool, str]]:
        await _made(twin)
        with pytest.raises(
            VendorRejected, match="does not grant user 21 API access: this user is not active"
        ):
            await _made(twin, 21)
        return {user.id: (user.active, user.detail) for user in await twin.provider.users()}

    users = _play(tmp_path, play)
    assert (True, "Payroll bot, has API access") == users[17]
    assert (False, "Former kiosk, no API access yet") == users[21]


def test_an_access_has_nothing_to_update(tmp_path: Path) -> None:
    """TC8: another user takes another access; an update of one that is there changes nothing."""

    async def play(twin: Twin) -> int:
        made = await _made(twin)
        before = twin.sandbox.writes()
        await twin.provider.update(made.remote_id, twin.spec(BOT))
        return twin.sandbox.writes() - before

    assert 0 == _play(tmp_path, play)


def test_a_pasted_key_that_no_header_can_carry_is_told_unseen(tmp_path: Path) -> None:
    """What a person pasted may hold anything: it is refused by the name of the header, and not repeated."""

    async def play(twin: Twin) -> ProviderError:
        secret = Secret({"identifier": "17\u200b", "key": "canary-key"})
        with pytest.raises(ProviderError) as caught:
            await twin.provider.verify(secret, twin.spec(BOT))
        return caught.value

    assert "timeclock: no authorization header can carry this secret" == str(_play(tmp_path, play))
