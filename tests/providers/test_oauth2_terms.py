"""OA3, OA7, OA13: a server is held to what it was asked, and to being who the manifest says it is."""

from __future__ import annotations

import asyncio

import pytest
from oauth2_harness import READ, TAG, Opened, play, spec
from oidc_server import OidcServer, running_oidc
from scripted_vendor import CUT, Script, answer, vendor

from provisioner.core.model import JsonObject
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Outcome, Verification
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError, VendorUnreachable
from provisioner.providers.http import Http
from provisioner.providers.oauth2 import PROVIDER, OAuth2
from provisioner.providers.oauth2_discovery import places


def _verified(server: OidcServer, policy: str, fields: JsonObject = READ, **options: object) -> Verification:
    async def scene(it: Opened) -> Verification:
        made = await it.made(fields)
        found = await it.provider.verify(made.secret, spec(fields))
        await it.provider.revoke(made.remote_id)  # whatever it is, it can be taken back
        assert None is await it.provider.get(made.remote_id)
        return found

    return play(server, scene, policy=policy, options=options)


def test_wider_scopes_than_asked_show(oidc: OidcServer) -> None:
    """OA3: scopes that the server added are among those verified, so that the engine refuses them."""
    found = _verified(oidc, "widening")
    assert (Outcome.WORKS, {"admin", "ledger:read"}) == (found.outcome, found.scopes)
    assert "granted beyond what was asked: admin" == found.detail


def test_fewer_scopes_than_asked_are_no_use(oidc: OidcServer) -> None:
    """OA3: a client that may not have a token for all that was declared is rejected, with the reason."""
    found = _verified(oidc, "narrowing", {"scopes": ["ledger:read", "ledger:write"]})
    assert (Outcome.REJECTED, "invalid_scope") == (found.outcome, found.detail)


@pytest.mark.parametrize(
    ("options", "scopes"),
    [
        ({}, {"ledger:read", "ledger:write"}),
        ({"implied_scopes": ["ledger:write", "openid"]}, {"ledger:read"}),
    ],
)
def test_implied_scopes_are_not_counted(oidc: OidcServer, options: JsonObject, scopes: set[str]) -> None:
    """OA13: what a server adds to every client is no widening, where the manifest's options name it."""
    assert scopes == _verified(oidc, "implying", **options).scopes


def test_implied_scopes_that_were_asked_for_count(oidc: OidcServer) -> None:
    """OA13: a scope that was declared is compared, whatever the options name."""
    fields = {"scopes": ["ledger:read", "ledger:write"]}
    assert {"ledger:read", "ledger:write"} == _verified(
        oidc, "plain", fields, implied_scopes=["ledger:write"]
    ).scopes


def test_another_way_to_authenticate_is_refused(oidc: OidcServer) -> None:
    """OA3: a client that its consumer could not use as declared is rejected, with the difference."""
    found = _verified(oidc, "otherMethod")
    expected = "token_endpoint_auth_method is client_secret_post, not client_secret_basic"
    assert (Outcome.REJECTED, expected) == (found.outcome, found.detail)


def test_a_client_without_a_secret_is_refused(oidc: OidcServer) -> None:
    """OA3: a server that issues no secret has not made a credential; what it made can be taken back."""

    async def scene(it: Opened) -> Verification:
        made = await it.made()
        found = await it.provider.verify(made.secret, spec())
        await it.provider.revoke(made.remote_id)
        assert 401 == (await it.managed("GET", made.remote_id)).status_code
        return found

    found = play(oidc, scene, policy="public")
    assert (Outcome.REJECTED, "the server issued no client secret") == (found.outcome, found.detail)


def test_an_update_that_ends_otherwise_is_told(oidc: OidcServer) -> None:
    """OA3: after an update the server must hold what was asked, or the error says what it holds instead."""

    async def scene(it: Opened) -> None:
        made = await it.made()
        with pytest.raises(ProviderError, match="scope is ledger:read, not ledger:read ledger:write"):
            await it.provider.update(made.remote_id, spec({"scopes": ["ledger:write", "ledger:read"]}))
        await it.provider.update(made.remote_id, spec())

    play(oidc, scene, policy="narrowing")


@pytest.mark.parametrize("path", ["", "/tenant/one"])
@pytest.mark.parametrize("document", ["oauth-authorization-server", "openid-configuration"])
def test_endpoints_are_found(path: str, document: str) -> None:
    """OA7: by either document and for an issuer with a path, registering and trying a secret works."""
    with running_oidc(path=path, wellKnown=[document]) as server:
        assert server.issuer.endswith(path)
        assert Outcome.WORKS is _verified(server, "plain").outcome


def test_where_metadata_is_looked_for() -> None:
    """OA7: RFC 8414 puts an issuer's path behind the document's name, OpenID Connect before."""
    expected = (
        "https://as.example.com/.well-known/oauth-authorization-server/a/b",
        "https://as.example.com/a/b/.well-known/openid-configuration",
    )
    assert expected == places("https://as.example.com/a/b")


def test_another_issuer_is_refused() -> None:
    """OA7: metadata that names another issuer is not believed, and our token is not sent anywhere."""
    with (
        running_oidc(issuer="https://other.example.com") as server,
        pytest.raises(ProviderError, match="tells the metadata of another issuer"),
    ):
        play(server, Opened.made)


def test_a_server_without_metadata_is_told() -> None:
    """OA7: where neither document is served, the error says so, and the remedy is the issuer."""
    with (
        running_oidc(wellKnown=[]) as server,
        pytest.raises(ProviderError, match="has no metadata of an authorization server") as caught,
    ):
        play(server, Opened.made)
    assert "write the issuer as `endpoint`" in caught.value.remedy


def test_a_server_that_dropped_our_tag_still_serves(oidc: OidcServer) -> None:
    """OA9: where software_id and software_version are not kept, a client is managed as any other."""
    with running_oidc(keepsSoftware=False) as server:

        async def scene(it: Opened) -> None:
            made = await it.made()
            await it.provider.update(made.remote_id, spec())
            seen = await it.provider.get(made.remote_id)
            assert seen is not None
            assert None is seen.tag

        play(server, scene)


def _metadata(port: int, **changes: object) -> dict[str, object]:
    base = f"http://127.0.0.1:{port}/base"
    return {"issuer": base, "registration_endpoint": f"{base}/reg", "token_endpoint": f"{base}/t", **changes}


async def _create(changes: JsonObject, then: Script) -> tuple[Exception, list[bytes]]:
    async with vendor([]) as it:
        it.script.extend([answer(200, _metadata(it.port, **changes)), *then])
        provider = OAuth2(ProviderConfig("oauth2", "test", f"http://127.0.0.1:{it.port}/base"), it.http())
        with pytest.raises(ProviderError) as caught:
            await provider.create(spec(), TAG)
        await provider.close()
        return caught.value, it.requests


@pytest.mark.parametrize(
    "value", [None, 7, "", "/reg", "http:///reg", "http://[x/reg", "http://a b/", "ftp://x/"]
)
@pytest.mark.parametrize("name", ["registration_endpoint", "token_endpoint"])
def test_an_endpoint_that_is_none_is_told(name: str, value: object) -> None:
    """OA7: a server whose metadata lacks an endpoint, or tells no URL, is refused, and nothing is sent."""
    error, requests = asyncio.run(_create({name: value}, []))
    assert f"tells no {name} in its metadata" in str(error)
    assert 1 == len(requests)


def test_secrets_go_nowhere_in_clear() -> None:
    """An endpoint that metadata tells is held to the same rule as the manifest's: https, or this machine."""
    error, requests = asyncio.run(_create({"registration_endpoint": "http://server.invalid/reg"}, []))
    assert "would get secrets in clear" in str(error)
    assert [False] == [b"canary-management" in request for request in requests]


def test_a_lost_answer_of_the_metadata_is_no_unknown_outcome() -> None:
    """Where the metadata cannot be read nothing was registered, so nothing has to be found out."""

    async def scene() -> Exception:
        async with vendor([CUT] * 5) as it:
            http = it.http()
            provider = OAuth2(ProviderConfig("oauth2", "test", f"http://127.0.0.1:{it.port}/base"), http)
            with pytest.raises(VendorUnreachable) as caught:
                await provider.create(spec(), TAG)
            await provider.close()
            return caught.value

    error = asyncio.run(scene())
    assert (None, None) == (error.__cause__, error.__context__)


def test_metadata_is_asked_for_once(oidc: OidcServer) -> None:
    """The metadata is read when it is first needed, without our token, and then remembered."""

    async def scene() -> list[bytes]:
        async with vendor([]) as it:
            refusal = answer(400, {"error": "invalid_client_metadata"})
            it.script.extend([answer(200, _metadata(it.port)), refusal, refusal])
            provider = OAuth2(ProviderConfig("oauth2", "test", f"http://127.0.0.1:{it.port}/base"), it.http())
            for _ in range(2):
                with pytest.raises(ProviderError):
                    await provider.create(spec(), TAG)
            await provider.close()
            return it.requests

    lines = [
        (request.split(b" ", 2)[:2], b"canary-management" in request) for request in asyncio.run(scene())
    ]
    document = b"/.well-known/oauth-authorization-server/base"
    assert [([b"GET", document], False), *[([b"POST", b"/base/reg"], True)] * 2] == lines


@pytest.mark.parametrize("options", [{"implied_scope": []}, {"implied_scopes": "openid"}])
def test_options_that_are_not_known_are_refused(options: JsonObject) -> None:
    """A misspelt option is an error, not a rule that silently does not hold."""
    config = ProviderConfig("oauth2", "test", "https://as.example.com", options=options)
    with pytest.raises(ProviderError, match="has options that it does not know"):
        PROVIDER.open(config, Http(config, Secret({"token": "canary"})))
