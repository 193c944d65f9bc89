"""PaySpace's rules PS1 to PS8, seen through its provider on the vendor's twin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from provider_on_twin import Twin, opened

from provisioner.core.provider import Outcome
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError, VendorRejected
from provisioner.providers.payspace import PROVIDER
from provisioner.sandbox.world import Sandbox

T = TypeVar("T")
FULL = {"scopes": ["full-access"], "user": "svc.payroll"}
READ = {"scopes": ["read-only"]}
MASKING = {"settings": {"development_mode": True}}


def _play(folder: Path, play: Callable[[Twin], Awaitable[T]], tenant: str = "test") -> T:
    async def within() -> T:
        with Sandbox(folder) as sandbox:
            async with opened(sandbox, "payspace", tenant) as twin:
                return await play(twin)

    return asyncio.run(within())


def test_rules_are_told() -> None:
    """The provider tells the rules PS1 to PS8, and that only PS8 is ours."""
    assert [f"PS{n}" for n in range(1, 9)] == [rule.id for rule in PROVIDER.declaration.rules]
    assert ["PS8"] == [rule.id for rule in PROVIDER.declaration.rules if rule.source == "ours"]


def test_id_and_secret_are_unique_and_shown_once(tmp_path: Path) -> None:
    """PS1, PS2: each credential has its own id and secret, and nothing shows them a second time."""

    async def play(twin: Twin) -> None:
        made = [await twin.provider.create(twin.spec(READ), twin.tag()) for _ in range(3)]
        parts = {one.secret.reveal(part) for one in made for part in ("client_id", "client_secret")}
        assert 6 == len(parts)
        shown = (await twin.call("GET", "api/v1/credentials", headers=_management(twin))).text
        assert [] == [part for part in parts if part in shown]
        with pytest.raises(ProviderError, match="never shows a secret again \\(PS2\\)"):
            await twin.provider.reveal(made[0].remote_id)

    _play(tmp_path, play)


def _management(twin: Twin) -> dict[str, str]:
    return {"authorization": f"Bearer {twin.sandbox.token(twin.name, twin.tenant)}"}


def test_full_access_needs_a_linked_user(tmp_path: Path) -> None:
    """PS3: full-access without a user is refused in the vendor's words, on create and on update."""

    async def play(twin: Twin) -> None:
        alone = twin.spec({"scopes": ["full-access"]})
        with pytest.raises(VendorRejected, match="/user is required with full-access") as caught:
            await twin.provider.create(alone, twin.tag())
        assert 422 == caught.value.status
        made = await twin.provider.create(twin.spec(FULL), twin.tag())
        with pytest.raises(VendorRejected, match="/user is required with full-access"):
            await twin.provider.update(made.remote_id, alone)

    _play(tmp_path, play)


def test_users_tell_their_role(tmp_path: Path) -> None:
    """PS4: the users a credential can be linked to come with what their security role allows and denies."""

    async def play(twin: Twin) -> dict[str | int, tuple[bool, str]]:
        return {user.id: (user.active, user.detail) for user in await twin.provider.users()}

    users = _play(tmp_path, play)
    rights = "allows employees, pay_rates and denies payslips"
    assert (True, f"role Reports without payslips {rights}") == users["svc.reports"]
    assert not users["svc.former"][0]


def test_users_tell_their_rights(tmp_path: Path) -> None:
    """PS4: what a role allows and denies comes as data too, for comparing two of them."""

    async def play(twin: Twin) -> dict[str | int, tuple[set[str], set[str]]]:
        return {user.id: (set(user.allows or ()), set(user.denies)) for user in await twin.provider.users()}

    users = _play(tmp_path, play)
    assert ({"employees", "pay_rates"}, {"payslips"}) == users["svc.reports"]
    assert ({"employees", "pay_rates", "payslips"}, set()) == users["svc.payroll"]


def test_the_role_binds_the_secret(tmp_path: Path) -> None:
    """PS4: a credential works, and yet reads no payslips where its user's role denies them."""

    async def play(twin: Twin) -> None:
        spec = twin.spec({**FULL, "user": "svc.reports"})
        made = await twin.provider.create(spec, twin.tag())
        assert Outcome.WORKS is (await twin.provider.verify(made.secret, spec)).outcome
        token = await twin.session("oauth/token", made.secret)
        assert 403 == await twin.status("GET", "api/v1/payslips", token)
        assert 200 == await twin.status("GET", "api/v1/pay-rates", token)

    _play(tmp_path, play)


def test_development_mode_is_for_test_only(tmp_path: Path) -> None:
    """PS5: Development Mode is refused in production; in test it is set, read back and cleared."""

    async def refused(twin: Twin) -> None:
        with pytest.raises(VendorRejected, match="/development_mode exists in the test environment only"):
            await twin.provider.create(twin.spec({**READ, **MASKING}), twin.tag())

    async def switched(twin: Twin) -> list[object]:
        made = await twin.provider.create(twin.spec({**READ, **MASKING}), twin.tag())
        before = await twin.provider.get(made.remote_id)
        await twin.provider.update(made.remote_id, twin.spec(READ))
        after = await twin.provider.get(made.remote_id)
        return [one and one.fields["settings"] for one in (before, after)]

    _play(tmp_path, refused, "production")
    modes = [{"development_mode": True}, {"development_mode": False}]
    assert modes == _play(tmp_path, switched)


def test_each_environment_has_its_own(tmp_path: Path) -> None:
    """PS6: a credential of test is not there in production, and its secret is worth nothing there."""

    async def make(twin: Twin) -> tuple[str, Secret]:
        made = await twin.provider.create(twin.spec(READ), twin.tag())
        return made.remote_id, made.secret

    remote_id, secret = _play(tmp_path, make)

    async def look(twin: Twin) -> tuple[object, Outcome]:
        verified = await twin.provider.verify(secret, twin.spec(READ))
        return await twin.provider.get(remote_id), verified.outcome

    assert (None, Outcome.REJECTED) == _play(tmp_path, look, "production")


def test_renewal_is_a_new_credential(tmp_path: Path) -> None:
    """PS7: a renewal in place does not exist; the new credential and the old one work side by side."""

    async def play(twin: Twin) -> set[Outcome]:
        old = await twin.provider.create(twin.spec(READ), twin.tag(1))
        with pytest.raises(ProviderError, match="never in place \\(PS7\\)"):
            await twin.provider.renew(old.remote_id, twin.spec(READ), twin.tag(2))
        new = await twin.provider.create(twin.spec(READ), twin.tag(2))
        return {(await twin.provider.verify(one.secret, twin.spec(READ))).outcome for one in (old, new)}

    assert {Outcome.WORKS} == _play(tmp_path, play)


@pytest.mark.parametrize(
    ("made", "asked", "detail"),
    [
        (READ, READ, ""),
        (FULL, FULL, ""),
        (FULL, READ, "granted beyond what was asked: full-access; asked but not granted: read-only"),
    ],
)
def test_the_granted_scope_is_told(
    made: dict[str, object], asked: dict[str, object], detail: str, tmp_path: Path
) -> None:
    """PS8: verifying tells the scope that the vendor granted, and how it differs from what was asked."""

    async def play(twin: Twin) -> tuple[frozenset[str] | None, str]:
        issued = await twin.provider.create(twin.spec(made), twin.tag())
        verified = await twin.provider.verify(issued.secret, twin.spec(asked))
        return verified.scopes, verified.detail

    assert (frozenset(made["scopes"]), detail) == _play(tmp_path, play)  # type: ignore[call-overload]  # a list
