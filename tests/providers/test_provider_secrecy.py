"""Canaries: no error, log line, repr or traceback of the way to a vendor ever holds a secret."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable

import pytest
from scripted_vendor import CUT, Script, answer, truncated, vendor

from provisioner.core.model import Address, Tag
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Spec
from provisioner.core.secret import Secret
from provisioner.errors import NotAuthorised, ProviderError, VendorRejected
from provisioner.providers.answers import words
from provisioner.providers.attempt import judged
from provisioner.providers.http import Http
from provisioner.providers.paynet import PayNet
from provisioner.providers.route import Route, Safety

CANARIES = ("canary-management", "canary-id", "canary-secret", "canary-token")
TAG = Tag("payments", "test", "rpp", 1, "n0")
SPEC = Spec(Address("test", "rpp"), {"scopes": ["rpp:merchant"]})
SECRET = Secret({"client_id": "canary-id", "client_secret": "canary-secret"})
SHOWN = {"id": "k1", "client_id": "canary-id", "client_secret": "canary-secret"}
ECHO = {"title": "No", "detail": "canary-management canary-secret", "error_description": "canary-secret"}

Ask = Callable[[PayNet], Awaitable[object]]
CREATE: Ask = lambda it: it.create(SPEC, TAG)  # noqa: E731 - rows of the table below
REVEAL: Ask = lambda it: it.reveal("k1")  # noqa: E731 - as above
RENEW: Ask = lambda it: it.renew("k1", SPEC, TAG)  # noqa: E731 - as above
VERIFY: Ask = lambda it: it.verify(SECRET, SPEC)  # noqa: E731 - as above
OBSERVE: Ask = lambda it: it.observe()  # noqa: E731 - as above

TABLE: list[tuple[Ask, Script]] = [
    (CREATE, [answer(201, {**SHOWN, "id": 7})]),  # a secret in an answer that breaks the contract
    (CREATE, [answer(201, {"id": "canary-id", "client_secret": ["canary-secret"]})]),
    (CREATE, [truncated(SHOWN)]),
    (CREATE, [answer(500, SHOWN)]),
    (CREATE, [answer(401, ECHO)]),
    (CREATE, [CUT]),
    (REVEAL, [answer(200, {**SHOWN, "client_id": None})] * 5),
    (REVEAL, [answer(409, ECHO)]),
    (RENEW, [answer(200, [SHOWN])]),
    (RENEW, [answer(409, ECHO)]),
    (VERIFY, [answer(400, {"error": "canary-secret", **ECHO})]),
    (VERIFY, [answer(403, ECHO)]),
    (VERIFY, [answer(404, ECHO)]),
    (VERIFY, [answer(200, {"access_token": ["canary-token"]})] * 5),
    (VERIFY, [answer(500, {"error_description": "canary-token"})] * 5),
    (OBSERVE, [answer(200, {"items": [SHOWN], "next": None})] * 5),
    (OBSERVE, [answer(400, {"detail": "no good: Bearer canary-management"})]),  # as some gateways do
    (OBSERVE, [answer(302, Location="https://x/?token=canary-token", Set_Cookie="s=canary-token")]),
]


async def _fail(ask: Ask, script: Script) -> tuple[ProviderError, Http]:
    async with vendor(script) as it:
        http = it.http()
        with pytest.raises(ProviderError) as caught:
            await ask(PayNet(http))
        await http.close()
        return caught.value, http


def _told(error: ProviderError, http: Http, log: str) -> str:
    # With the locals of every frame of ours: what a debugging person could make a traceback show.
    ours = error.__traceback__
    while ours is not None and "/provisioner/" not in ours.tb_frame.f_code.co_filename:
        ours = ours.tb_next  # a test's own frames know the canaries
    deep = traceback.TracebackException(type(error), error, ours, capture_locals=True)
    assert deep.stack
    return "\n".join([*deep.format(), repr(error), str(error), error.remedy, repr(http), log])


@pytest.mark.parametrize(("ask", "script"), TABLE)
def test_no_failure_tells_a_secret(ask: Ask, script: Script, caplog: pytest.LogCaptureFixture) -> None:
    """A failure's error, chain, traceback with locals, and the log at its most verbose hold no secret."""
    caplog.set_level(logging.DEBUG)
    error, http = asyncio.run(_fail(ask, script))
    assert (None, None) == (error.__cause__, error.__context__)
    told = _told(error, http, caplog.text)
    assert [] == [canary for canary in CANARIES if canary in told]


def test_success_logs_routes_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """At the most verbose level a call is one line with its route, without ids, queries or headers."""
    caplog.set_level(logging.DEBUG)
    for loud in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection"):
        caplog.set_level(logging.DEBUG, loud)

    async def play() -> None:
        async with vendor([answer(200, SHOWN, Set_Cookie="s=canary-token")]) as it:
            http = it.http()
            await PayNet(http).reveal("canary-id")
            await http.close()

    asyncio.run(play())
    ours = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    assert ["acme GET developer/v1/keys/{id}/secret, attempt 1: answered"] == ours


def test_a_refusal_is_told_in_the_vendors_words() -> None:
    """Where no secret is in reach, a refusal repeats the vendor's words, as one line of bounded length."""
    said = {"title": "no", "detail": "/user is\n\x1b[31mrequired " + "x" * 1000, "other": "unread"}
    error, _ = asyncio.run(_fail(CREATE, [answer(422, said)]))
    assert isinstance(error, VendorRejected)
    assert 422 == error.status
    start = "acme in test: POST developer/v1/keys: the vendor refused (422): /user is [31mrequired x"
    assert start == error.message[: len(start)]
    assert len(start) + 300 > len(error.message)


def test_the_management_token_does_not_go_to_the_token_endpoint() -> None:
    """A secret is tried as its consumer would: without our own authority (PN5)."""

    async def play() -> tuple[bytes, bytes]:
        grant = {"access_token": "canary-token", "scope": "rpp:merchant"}
        async with vendor([answer(200, grant), answer(200, {"items": [], "next": None})]) as it:
            http = it.http()
            provider = PayNet(http)
            await provider.verify(SECRET, SPEC)
            await provider.observe()
            await http.close()
            return it.requests[0], it.requests[1]

    tried, managed = asyncio.run(play())
    assert b"grant_type=client_credentials&client_id=canary-id&client_secret=canary-secret" in tried
    assert b"application/x-www-form-urlencoded" in tried
    assert (False, True) == (b"authorization" in tried.lower(), b"Bearer canary-management" in managed)


@pytest.mark.parametrize("token", ["", "canary secret", "canary\nsecret", "canary-é"])
def test_a_token_that_is_none_is_refused_unseen(token: str) -> None:
    """A management token that no header can carry is refused before anything is sent, and not repeated."""
    config = ProviderConfig("acme", "test", "https://vendor.invalid")
    with pytest.raises(ProviderError) as caught:
        Http(config, Secret({"token": token}))
    assert "acme in test: its management token is empty or not a token" == str(caught.value)


@pytest.mark.parametrize(
    ("endpoint", "fine"),
    [
        ("https://vendor.invalid/x", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://[::1]:8080/x", True),
        ("http://localhost/x", True),
        ("http://vendor.invalid/x", False),
        ("http://127.0.0.1.vendor.invalid/x", False),
        ("http://localhost@vendor.invalid/x", False),
        ("ftp://vendor.invalid", False),
        ("sandbox", False),
    ],
)
def test_no_secret_travels_in_clear(endpoint: str, fine: bool) -> None:
    """An endpoint that is neither https nor this machine is refused before anything is sent."""

    def opened() -> bool:
        try:
            Http(ProviderConfig("acme", "test", endpoint), Secret({"token": "t"}))
        except ProviderError:
            return False
        return True

    assert fine == opened()


@pytest.mark.parametrize("remote_id", ["", ".", ".."])
def test_an_id_reaches_no_other_resource(remote_id: str) -> None:
    """An id that would mean the collection or its parent is refused before anything is sent."""

    async def play() -> int:
        async with vendor([]) as it:
            http = it.http()
            with pytest.raises(ProviderError):
                await PayNet(http).revoke(remote_id)
            await http.close()
            return len(it.requests)

    assert 0 == asyncio.run(play())


def test_an_id_is_one_segment() -> None:
    """An id with slashes, dots and question marks stays one segment of the path."""

    async def play() -> bytes:
        async with vendor([answer(204)]) as it:
            http = it.http()
            await PayNet(http).revoke("../users?x=1#y")
            await http.close()
            return it.requests[0]

    first = asyncio.run(play()).split(b"\r\n")[0]
    assert b"DELETE /base/developer/v1/keys/..%2Fusers%3Fx%3D1%23y HTTP/1.1" == first


def test_a_wrong_endpoint_is_not_a_revoked_credential() -> None:
    """A 404 counts as gone only where the same endpoint answers its list: a wrong URL says 404 to all."""

    async def play(remote: Ask) -> type[object]:
        async with vendor([answer(404), answer(404)]) as it:
            http = it.http()
            try:
                return type(await remote(PayNet(http)))
            except ProviderError as error:
                return type(error)
            finally:
                await http.close()

    assert VendorRejected is asyncio.run(play(lambda it: it.revoke("k1")))
    assert VendorRejected is asyncio.run(play(lambda it: it.get("k1")))


def test_losing_our_authority_revokes_nothing() -> None:
    """A revoke that is answered 401 or 403 is never taken for done."""
    for status in (401, 403):
        error, _ = asyncio.run(_fail(lambda it: it.revoke("k1"), [answer(status)]))
        assert isinstance(error, NotAuthorised)


def test_strangers_with_another_label_are_not_found() -> None:
    """A gateway that ignores the filter does not make other people's keys ours."""
    key = {"id": "k1", "status": "active", "description": None, "scopes": ["rpp:merchant"]}
    dated = {**key, "created_at": "2026-11-02T14:00:00Z"}
    items = [{**dated, "label": "somebody's"}, {**dated, "id": "k2", "label": str(TAG)}]

    async def play() -> list[str]:
        async with vendor([answer(200, {"items": items, "next": None})]) as it:
            http = it.http()
            found = await PayNet(http).find(TAG, SPEC)
            await http.close()
            return [one.remote_id for one in found]

    assert ["k2"] == asyncio.run(play())


def test_a_list_without_an_end_is_refused() -> None:
    """A list whose next page is not a later one is an answer that the contract does not allow."""
    error, _ = asyncio.run(_fail(OBSERVE, [answer(200, {"items": [], "next": 1})] * 5))
    assert "answered what its contract does not allow" in error.message


def test_a_renewal_whose_tag_cannot_be_written_keeps_its_secret() -> None:
    """The secret of a renewal is handed out even where the vendor then fails to take the new tag (PN7)."""

    async def play() -> str:
        async with vendor([answer(200, SHOWN), *[answer(500)] * 5]) as it:
            http = it.http()
            renewed = await PayNet(http).renew("k1", SPEC, TAG)
            await http.close()
            return renewed.secret.reveal("client_secret")

    assert "canary-secret" == asyncio.run(play())


@pytest.mark.parametrize("accept", [frozenset(), frozenset({409})])
def test_a_refusal_that_repeats_the_token_is_not_told(accept: frozenset[int]) -> None:
    """Also where a provider reads a refusal by itself, words that repeat what it was asked with are gone."""
    route = Route("POST", "keys", Safety.ONCE, accept=accept)
    raw = b'{"title": "taken", "detail": "no good: Bearer canary-management"}'
    attempt = judged(route, lambda _, body: words(body), 409, None, raw, "canary-management")
    assert "taken" == (attempt.value if accept else attempt.words)
