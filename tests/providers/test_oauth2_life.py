"""A client's life by RFC 7591 and RFC 7592, on an authorization server that nobody here wrote."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from oauth2_harness import READ, TAG, Keys, Opened, parts, play, registered, spec
from oidc_server import OidcServer

from provisioner.core.capabilities import Sessions, field_rules
from provisioner.core.diff import declared_only, differences
from provisioner.core.model import RemoteStatus, Tag, Via
from provisioner.core.provider import KeepsSecrets, Outcome
from provisioner.core.secret import Secret
from provisioner.errors import NotAuthorised, ProviderError, VendorRejected
from provisioner.providers.oauth2 import PROVIDER, OAuth2

WHOLE = {
    "description": "nightly export",
    "scopes": ["ledger:write", "ledger:read"],
    "settings": {
        "grant_types": ["refresh_token", "client_credentials", "authorization_code"],
        "token_endpoint_auth_method": "client_secret_post",
        "redirect_uris": ["https://b.example.com/back", "https://a.example.com/back"],
        "contacts": ["ops@example.com"],
        "client_uri": "https://example.com/export",
    },
}
SETS = field_rules(PROVIDER.declaration.schema).sets


def test_a_whole_life(rotating: OidcServer) -> None:
    """A client is registered, works, is read, updated, works on, is deleted, and then proved gone, twice."""

    async def scene(it: Opened) -> None:
        made = await it.made()
        assert Outcome.WORKS is (await it.provider.verify(made.secret, spec())).outcome
        seen = await it.provider.get(made.remote_id)
        assert seen is not None
        assert (made.remote_id, RemoteStatus.LIVE, TAG) == (seen.remote_id, seen.status, seen.tag)
        await it.provider.update(made.remote_id, spec({"scopes": ["ledger:write"]}))
        newest = it.keys.held[made.remote_id].secret
        assert Outcome.WORKS is (await it.provider.verify(newest, spec({"scopes": ["ledger:write"]}))).outcome
        await it.provider.revoke(made.remote_id)
        assert "invalid_client" == (await it.grant(made.secret)).json()["error"]
        assert Outcome.REJECTED is (await it.provider.verify(newest, spec())).outcome
        assert None is await it.provider.get(made.remote_id)
        await it.provider.revoke(made.remote_id)

    play(rotating, scene)


def test_each_run_goes_on_where_the_one_before_stopped(rotating: OidcServer) -> None:
    """What one run kept is all that the next one needs: reading, updating and deleting go on for ever."""
    keys = Keys()
    client_id = play(rotating, Opened.made, keys=keys).remote_id

    async def scene(it: Opened) -> None:
        assert None is not await it.provider.get(client_id)
        await it.provider.update(client_id, spec())

    for _ in range(3):
        play(rotating, scene, keys=keys)
    play(rotating, lambda it: it.provider.revoke(client_id), keys=keys)
    assert None is play(rotating, lambda it: it.provider.get(client_id), keys=keys)


@pytest.mark.parametrize(
    "fields", [READ, {"description": "x"}, WHOLE, {}], ids=["read", "named", "whole", "bare"]
)
def test_what_was_asked_is_what_is_read(oidc: OidcServer, fields: dict[str, object]) -> None:
    """What is read back equals what was declared, in any order and with whatever else the server adds."""

    async def scene(it: Opened) -> None:
        made = await it.made(fields)
        seen = await it.provider.get(made.remote_id)
        assert seen is not None
        assert () == differences(fields, declared_only(fields, seen.fields), sets=SETS)

    play(oidc, scene)


def test_an_update_changes_what_is_declared_and_keeps_the_rest(oidc: OidcServer) -> None:
    """OA5: fields that are not declared any more are cleared, what others hold on the client stays."""

    keys = Keys()
    client_id = play(oidc, lambda it: it.made(WHOLE), keys=keys).remote_id
    before = play(oidc, lambda it: it.seen(client_id), keys=keys)
    changed = spec({"description": "daily", "scopes": ["admin"]})
    play(oidc, lambda it: it.provider.update(client_id, changed), keys=keys)
    after = play(oidc, lambda it: it.seen(client_id), keys=keys)
    expected = ("daily", "admin", ["client_credentials"], [], "client_secret_basic")
    names = ("client_name", "scope", "grant_types", "redirect_uris", "token_endpoint_auth_method")
    assert expected == tuple(after[name] for name in names)
    assert {"contacts", "client_uri"} == before.keys() - after.keys()
    kept = ("client_id", "client_secret", "client_id_issued_at", "software_id", "software_version")
    assert [before[name] for name in kept] == [after[name] for name in kept]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_secret_is_tried_the_way_it_was_registered(oidc: OidcServer, method: str) -> None:
    """OA8: a secret works, and a wrong one is rejected, by Basic as in the form; neither tells a secret."""
    fields = {**READ, "settings": {"token_endpoint_auth_method": method}}

    async def scene(it: Opened) -> None:
        made = await it.made(fields)
        found = await it.provider.verify(made.secret, spec(fields))
        assert (Outcome.WORKS, {"ledger:read"}, "") == (found.outcome, found.scopes, found.detail)
        wrong = Secret({**parts(made.secret), "client_secret": "canary: %+/="})
        found = await it.provider.verify(wrong, spec(fields))
        assert (Outcome.REJECTED, "invalid_client") == (found.outcome, found.detail)

    play(oidc, scene)


def test_a_client_without_client_credentials_is_known_all_the_same(oidc: OidcServer) -> None:
    """A client that gets its tokens by a person's consent is proved by how the server refuses it."""
    settings = {"grant_types": ["authorization_code"], "redirect_uris": ["https://a.example.com/back"]}
    fields = {**READ, "settings": settings}

    async def scene(it: Opened) -> None:
        made = await it.made(fields)
        assert Outcome.WORKS is (await it.provider.verify(made.secret, spec(fields))).outcome
        wrong = Secret({**parts(made.secret), "client_secret": "canary"})
        assert Outcome.REJECTED is (await it.provider.verify(wrong, spec(fields))).outcome

    play(oidc, scene)


def test_a_secret_that_never_expires_says_so(oidc: OidcServer) -> None:
    """OA2: a client_secret_expires_at of 0 means never."""
    assert None is play(oidc, Opened.made).expires_at


def test_when_a_secret_expires_is_known_from_the_answer(oidc: OidcServer) -> None:
    """OA2: the moment is told when a client is made, read and updated, and stays until another is told."""
    moment = datetime(2100, 1, 1, tzinfo=UTC)

    async def scene(it: Opened) -> None:
        made = await it.made()
        assert moment == made.expires_at
        seen = await it.provider.get(made.remote_id)
        assert seen is not None
        assert moment == seen.expires_at
        await it.provider.update(made.remote_id, spec())
        assert moment == it.keys.held[made.remote_id].expires_at

    play(oidc, scene, policy="expiring")


def test_an_expired_secret_is_rejected(oidc: OidcServer) -> None:
    """OA2: once it has expired, a secret is rejected and its client can still be deleted."""

    async def scene(it: Opened) -> None:
        made = await it.made()
        assert datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC) == made.expires_at
        assert Outcome.REJECTED is (await it.provider.verify(made.secret, spec())).outcome
        await it.provider.revoke(made.remote_id)
        assert 401 == (await it.managed("GET", made.remote_id)).status_code

    play(oidc, scene, policy="expired")


def test_the_tag_is_what_the_software_is(oidc: OidcServer) -> None:
    """OA9: software_id is the same for all generations of an address, software_version tells them apart."""

    async def scene(it: Opened) -> tuple[str, str]:
        made = await it.provider.create(spec(), Tag("payments", "test", "ledger-export", 7, "n7"))
        await it.keys.save(made)
        shown = await it.seen(made.remote_id)
        return shown["software_id"], shown["software_version"]

    assert ("provision/payments/test/ledger-export", "7/n7") == play(oidc, scene)


def test_nothing_is_listed_or_found(oidc: OidcServer) -> None:
    """OA9, OA11: listing reads no client, so it spends no token; nothing is ever found by its tag."""

    async def scene(it: Opened) -> None:
        made = await it.made()
        listing = await it.provider.observe()
        assert ({}, True) == (listing.observed, bool(listing.unseen))
        assert () == await it.provider.find(TAG, spec())
        assert 200 == (await it.managed("GET", made.remote_id)).status_code

    play(oidc, scene)


def test_what_is_not_offered_says_so(oidc: OidcServer) -> None:
    """OA2, OA10: there is no renewal in place and no second look at a secret."""

    async def scene(it: Opened) -> None:
        with pytest.raises(ProviderError, match="\\(OA10\\)"):
            await it.provider.renew("x", spec(), TAG)
        with pytest.raises(ProviderError, match="\\(OA2\\)"):
            await it.provider.reveal("x")
        assert () == await it.provider.users()

    play(oidc, scene)


def test_old_and_new_live_side_by_side(oidc: OidcServer) -> None:
    """OA10: a second client beside the first leaves the first one's secret as it is."""

    async def scene(it: Opened) -> None:
        made = [await it.made(), await it.made()]
        assert 2 == len({one.remote_id for one in made})
        outcomes = [(await it.provider.verify(one.secret, spec())).outcome for one in made]
        assert [Outcome.WORKS, Outcome.WORKS] == outcomes

    play(oidc, scene)


def test_a_token_that_may_not_register_is_refused(oidc: OidcServer) -> None:
    """OA1: without the right initial access token nothing is registered, and the remedy names our token."""
    stranger = OidcServer(oidc.issuer, {"plain": "canary"})
    with pytest.raises(NotAuthorised, match="\\(401\\)") as caught:
        play(stranger, Opened.made)
    assert "check the management token of this provider" == caught.value.remedy


def test_a_refusal_is_told_in_the_servers_words(oidc: OidcServer) -> None:
    """A scope that the server does not have is refused with its own explanation, on create and on update."""
    words = "scope must only contain Authorization Server supported scope values"

    async def scene(it: Opened) -> None:
        with pytest.raises(VendorRejected, match=words) as caught:
            await it.made({"scopes": ["nobody:knows"]})
        assert 400 == caught.value.status
        made = await it.made()
        with pytest.raises(VendorRejected, match=words):
            await it.provider.update(made.remote_id, spec({"scopes": ["nobody:knows"]}))
        await it.provider.update(made.remote_id, spec())

    play(oidc, scene)


def test_an_update_of_what_is_gone_is_refused(oidc: OidcServer) -> None:
    """A client that somebody deleted cannot be updated, and the remedy says how to get another one."""

    async def scene(it: Opened) -> None:
        made = await it.made()
        assert 204 == (await it.managed("DELETE", made.remote_id)).status_code
        with pytest.raises(VendorRejected, match="is not there any more") as caught:
            await it.provider.update(made.remote_id, spec())
        assert "renew it: a new client takes its place" == caught.value.remedy

    play(oidc, scene)


def test_an_access_token_may_outlive_its_client(oidc: OidcServer) -> None:
    """An access token of a deleted client goes on, as the capability `sessions: outlive` says it may."""

    async def scene(it: Opened) -> None:
        made, watcher = await it.made(), await it.made()
        access = (await it.grant(made.secret, scope="ledger:read")).json()["access_token"]
        await it.provider.revoke(made.remote_id)
        assert True is await _active(it, watcher.secret, access)
        assert False is await _active(it, watcher.secret, "no such token")

    play(oidc, scene)
    assert Sessions.OUTLIVE is PROVIDER.declaration.capabilities[Via.API].sessions


async def _active(it: Opened, watcher: Secret, access: str) -> bool:
    import httpx

    async with httpx.AsyncClient(base_url=it.server.issuer) as client:
        pair = (watcher.reveal("client_id"), watcher.reveal("client_secret"))
        told = await client.post("/token/introspection", data={"token": access}, auth=pair)
    active: bool = told.raise_for_status().json()["active"]
    return active


def test_rules_are_told() -> None:
    """The provider tells the rules OA1 to OA13, each with its RFC or as ours, and asks for a keyring."""
    rules = PROVIDER.declaration.rules
    assert [f"OA{n}" for n in range(1, 14)] == [rule.id for rule in rules]
    assert {"OA9", "OA10", "OA11", "OA12", "OA13"} == {rule.id for rule in rules if rule.source == "ours"}
    assert issubclass(OAuth2, KeepsSecrets)


def test_what_is_sealed_beside_the_secret(oidc: OidcServer) -> None:
    """OA4: the answer is captured whole: the secret, its end, how to manage the client, what it may."""
    made = play(oidc, Opened.made)
    expected = {"client_id", "client_secret", "client_secret_expires_at", "registered"}
    assert expected | {"registration_access_token", "registration_client_uri"} == set(made.secret)
    assert "ledger:read" == registered(made.secret)["scope"]
    assert ("client_id", "client_secret") == PROVIDER.declaration.parts
