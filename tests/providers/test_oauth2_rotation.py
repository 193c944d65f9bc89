"""OA4, OA12: what replaces a management token is kept first, and a lost one is never taken for an end."""

from __future__ import annotations

import asyncio

import pytest
from oauth2_harness import Keys, Opened, parts, play, spec
from oidc_server import OidcServer
from scripted_vendor import CUT, Vendor, answer, vendor

from provisioner.core.model import JsonObject
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Issued, Outcome
from provisioner.core.secret import Secret
from provisioner.errors import (
    IdentityMissing,
    NotAuthorised,
    OutcomeUnknown,
    ProviderError,
    StateUnavailable,
)
from provisioner.providers.oauth2 import OAuth2

TOKEN = "registration_access_token"


def test_every_read_and_update_brings_a_token_that_is_kept(oidc: OidcServer) -> None:
    """A read replaces the token once, an update twice, and only the last one works."""

    async def scene(it: Opened) -> None:
        made = await it.made()
        await it.provider.get(made.remote_id)
        await it.provider.update(made.remote_id, spec())
        assert 4 == len(set(it.keys.tokens))
        refused = [(await it.managed("GET", made.remote_id, old)).status_code for old in it.keys.tokens[:3]]
        assert [401, 401, 401] == refused
        assert 200 == (await it.managed("GET", made.remote_id)).status_code

    play(oidc, scene)


def test_what_an_answer_does_not_bring_stays(oidc: OidcServer) -> None:
    """A replaced token leaves every other part of the secret as it was."""

    async def scene(it: Opened) -> None:
        made = await it.made()
        await it.provider.get(made.remote_id)
        before, after = parts(made.secret), parts(it.keys.held[made.remote_id].secret)
        assert {TOKEN} == {part for part in before | after if before.get(part) != after.get(part)}

    play(oidc, scene)


def test_a_secret_that_an_update_replaces_is_kept_too(oidc: OidcServer) -> None:
    """RFC 7592 §2.2 lets an update issue another client secret: the new one is held, the old one is dead."""

    async def scene(it: Opened) -> None:
        made = await it.made()
        await it.provider.update(made.remote_id, spec())
        newest = it.keys.held[made.remote_id].secret
        outcomes = [(await it.provider.verify(one, spec())).outcome for one in (made.secret, newest)]
        assert [Outcome.REJECTED, Outcome.WORKS] == outcomes

    play(oidc, scene, policy="reissuing")


def test_verbs_at_the_same_time_take_turns(oidc: OidcServer) -> None:
    """Several verbs asked of one client at once never use a token that another one has just spent."""

    async def scene(it: Opened) -> int:
        made = await it.made()
        await asyncio.gather(*(it.provider.get(made.remote_id) for _ in range(5)))
        return len(set(it.keys.tokens))

    assert 6 == play(oidc, scene)


def test_a_lost_token_is_told_and_is_no_end(oidc: OidcServer) -> None:
    """A crash between an answer and its keeping loses the token: the client lives, and every verb says so."""
    keys = Keys()
    made = play(oidc, Opened.made, keys=keys)
    old = dict(keys.held)
    play(oidc, lambda it: it.provider.get(made.remote_id), keys=keys)
    lost = Keys(held=old)  # as a run finds it that comes after one killed before it kept the answer

    async def scene(it: Opened) -> None:
        for verb in (it.provider.get, it.provider.revoke, lambda id: it.provider.update(id, spec())):
            with pytest.raises(NotAuthorised, match="the client is not proved gone") as caught:
                await verb(made.remote_id)
            assert "renew the credential, and delete this client at the server itself" == caught.value.remedy
        assert Outcome.WORKS is (await it.provider.verify(made.secret, spec())).outcome

    play(oidc, scene, keys=lost)


def test_a_token_that_cannot_be_kept_stops_the_verb(oidc: OidcServer) -> None:
    """Where the store takes nothing the verb fails before an update is sent, and the run still knows."""

    async def scene(it: Opened) -> None:
        made = await it.made()
        it.keys.takes = False
        with pytest.raises(StateUnavailable):
            await it.provider.update(made.remote_id, spec({"scopes": ["admin"]}))
        it.keys.takes = True
        seen = await it.provider.get(made.remote_id)
        assert seen is not None
        assert ["ledger:read"] == seen.fields["scopes"]

    play(oidc, scene)


def test_without_an_identity_only_new_clients_are_managed(oidc: OidcServer) -> None:
    """A runner without an identity can take back what it has just made, and asks for one for all others."""
    keys = Keys()
    earlier = play(oidc, Opened.made, keys=keys)
    keys.opens = False

    async def scene(it: Opened) -> None:
        made = await it.made()
        await it.provider.revoke(made.remote_id)
        assert None is await it.provider.get(made.remote_id)
        with pytest.raises(IdentityMissing):
            await it.provider.revoke(earlier.remote_id)

    play(oidc, scene, keys=keys)


def test_without_a_keyring_nothing_is_managed(oidc: OidcServer) -> None:
    """A provider that was lent no keyring reads nothing, since it could not keep what an answer replaces."""

    async def scene(it: Opened) -> None:
        made = await it.made()
        it.provider.lend(None)  # type: ignore[arg-type]  # as before anybody lent one
        with pytest.raises(ProviderError, match="no keyring was lent"):
            await it.provider.get("another client")
        with pytest.raises(ProviderError, match="no keyring was lent"):
            await it.provider.get(made.remote_id)
        assert 200 == (await it.managed("GET", made.remote_id)).status_code

    play(oidc, scene)


WIRE = {
    "client_id": "c1",
    "client_secret": "canary-secret",
    "client_secret_expires_at": 0,
    "scope": "ledger:read",
    "grant_types": ["client_credentials"],
    TOKEN: "canary-rat-1",
}


def _wired(it: Vendor, **changes: object) -> dict[str, object]:
    return {**WIRE, "registration_client_uri": f"http://127.0.0.1:{it.port}/base/c1?v=1", **changes}


async def _on_the_wire(it: Vendor, keys: Keys, held: JsonObject) -> OAuth2:
    provider = OAuth2(ProviderConfig("oauth2", "test", f"http://127.0.0.1:{it.port}/base"), it.http())
    texts = {name: value for name, value in held.items() if isinstance(value, str)}
    keys.held["c1"] = Issued("c1", Secret(texts))
    provider.lend(keys)
    return provider


@pytest.mark.parametrize(
    "odd",
    [
        {"scope": 7, "grant_types": "client_credentials", "client_name": None},
        {"token_endpoint_auth_method": [], "redirect_uris": [1], "client_id_issued_at": "x"},
        {"client_secret_expires_at": "soon"},
        {"client_secret_expires_at": 10**15, "client_secret": ""},
    ],
)
def test_no_oddity_of_an_answer_loses_its_token(odd: JsonObject) -> None:
    """Whatever else an answer holds, the token in it is kept: the one before may be dead by now."""

    async def scene() -> str:
        keys = Keys()
        async with vendor([]) as it:
            provider = await _on_the_wire(it, keys, _wired(it))
            it.script.append(answer(200, _wired(it, **odd, **{TOKEN: "canary-rat-2"})))
            assert await provider.get("c1") is not None
            await provider.close()
        return keys.held["c1"].secret.reveal(TOKEN)

    assert "canary-rat-2" == asyncio.run(scene())


def test_an_answer_about_another_client_is_not_kept() -> None:
    """Metadata of another client is no answer to what was asked: it changes nothing of what is held."""

    async def scene() -> str:
        keys = Keys()
        async with vendor([]) as it:
            provider = await _on_the_wire(it, keys, _wired(it))
            it.script.extend([answer(200, _wired(it, client_id="c2", **{TOKEN: "canary-rat-2"}))] * 5)
            with pytest.raises(OutcomeUnknown, match="answered what its contract does not allow"):
                await provider.get("c1")
            await provider.close()
        return keys.held["c1"].secret.reveal(TOKEN)

    assert "canary-rat-1" == asyncio.run(scene())


def test_an_update_whose_answer_is_lost_is_unsure() -> None:
    """An update that is cut off and then refused may have taken effect: it is unknown, not a no."""

    async def scene() -> None:
        async with vendor([]) as it:
            provider = await _on_the_wire(it, Keys(), _wired(it))
            it.script.extend([answer(200, _wired(it)), CUT, answer(401, {"error": "invalid_token"})])
            with pytest.raises(OutcomeUnknown, match="an earlier attempt may have taken effect"):
                await provider.update("c1", spec())
            await provider.close()

    asyncio.run(scene())


def test_the_url_of_a_client_is_used_as_it_was_told() -> None:
    """A client is managed at the very URL that its server told, query and all, with its own token only."""

    async def scene() -> bytes:
        async with vendor([]) as it:
            provider = await _on_the_wire(it, Keys(), _wired(it))
            it.script.append(answer(204))
            await provider.revoke("c1")
            await provider.close()
            return it.requests[0]

    request = asyncio.run(scene())
    assert request.startswith(b"DELETE /base/c1?v=1 HTTP/1.1\r\n")
    assert (True, False) == (b"Bearer canary-rat-1" in request, b"canary-management" in request)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({TOKEN: None}, "gave client c1 no registration access token"),
        ({"registration_client_uri": None}, "gave client c1 no registration access token"),
        ({"registration_client_uri": "/relative"}, "gave client c1 no registration access token"),
        ({"registration_client_uri": "http://server.invalid/c1"}, "would get secrets in clear"),
    ],
)
def test_a_client_that_cannot_be_managed_says_so(held: JsonObject, words: str) -> None:
    """Without a token, or a URL that a token may go to, nothing is sent and the error says why."""

    async def scene() -> int:
        async with vendor([]) as it:
            provider = await _on_the_wire(it, Keys(), _wired(it, **held))
            for verb in (provider.get, provider.revoke):
                with pytest.raises(ProviderError, match=words):
                    await verb("c1")
            await provider.close()
            return len(it.requests)

    assert 0 == asyncio.run(scene())
