"""What becomes of a request: (safety, what the wire does) → (attempts, outcome), as one table."""

from __future__ import annotations

import asyncio

import pytest
from scripted_vendor import CUT, DRIP, HANG, NOW, Script, answer, truncated, vendor

from provisioner.core.model import JsonValue
from provisioner.core.project import ProviderConfig
from provisioner.core.secret import Secret
from provisioner.errors import (
    NotAuthorised,
    OutcomeUnknown,
    ProviderError,
    VendorBusy,
    VendorRejected,
    VendorUnreachable,
)
from provisioner.providers.http import Http
from provisioner.providers.retry import Fate, Policy, seconds_asked
from provisioner.providers.route import Route, Safety

READ = Route("GET", "things", Safety.READ)
UPDATE = Route("PATCH", "things", Safety.IDEMPOTENT)
REVOKE = Route("DELETE", "things", Safety.IDEMPOTENT, accept=frozenset({404}), body=False)
CREATE = Route("POST", "things", Safety.ONCE)

STUMBLES = (408, 500, 502, 503, 504)
NO_JSON = (b"", b"{", b"<html>", b"[]", b"null", b"\xff")
FINE = answer(200, {"id": "a"})
BUSY = answer(429)
BUSY_UNTIL = answer(503, Retry_After="7")

TABLE: list[tuple[Route, Script, int, object]] = [
    # what is answered, is answered
    (READ, [FINE], 1, "a"),
    (CREATE, [FINE], 1, "a"),
    # a server that stumbles: what is safe is sent again, a create never
    *[(route, [answer(code), FINE], 2, "a") for route in (READ, UPDATE) for code in STUMBLES],
    *[(CREATE, [answer(code)], 1, OutcomeUnknown) for code in (*STUMBLES, 501, 505, 599)],
    *[(READ, [answer(code)], 1, OutcomeUnknown) for code in (501, 505)],
    (READ, [answer(500)] * 5, 5, OutcomeUnknown),
    # a lost or cut answer
    *[(route, [lost, FINE], 2, "a") for route in (READ, UPDATE) for lost in (CUT, truncated({"id": "a"}))],
    *[(CREATE, [lost], 1, OutcomeUnknown) for lost in (CUT, truncated({"id": "a"}), HANG)],
    # 2xx by vendors that write what a strict reader of JSON refuses
    (CREATE, [answer(201, raw=b'\xef\xbb\xbf{"id": "a"}')], 1, "a"),
    (CREATE, [answer(201, raw=b'{"id": "a", "name": "cut in half \\ud83d"}')], 1, "a"),
    # 2xx that is not what the contract says
    *[(READ, [answer(200, raw=raw), FINE], 2, "a") for raw in NO_JSON],
    *[(CREATE, [answer(200, raw=raw)], 1, OutcomeUnknown) for raw in NO_JSON],
    (CREATE, [answer(201, {"other": "a"})], 1, OutcomeUnknown),
    (CREATE, [answer(200, raw=b"[" * 100_000)], 1, OutcomeUnknown),
    (CREATE, [answer(202)], 1, OutcomeUnknown),
    # too many requests: not executed, so even a create may go again
    *[(route, [busy, FINE], 2, "a") for route in (READ, UPDATE, CREATE) for busy in (BUSY, BUSY_UNTIL)],
    *[(route, [BUSY] * 5, 5, VendorBusy) for route in (READ, UPDATE, CREATE)],
    (CREATE, [answer(503, Retry_After="rubbish")], 1, OutcomeUnknown),
    (CREATE, [answer(429, Retry_After="3600")], 1, VendorBusy),
    # the vendor says no
    *[(route, [answer(code)], 1, NotAuthorised) for route in (READ, CREATE) for code in (401, 403)],
    *[(route, [answer(code)], 1, VendorRejected) for route in (UPDATE, CREATE) for code in (400, 409, 422)],
    *[(CREATE, [answer(code, Location="/")], 1, VendorRejected) for code in (301, 302, 307, 308)],
    (CREATE, [answer(303, Location="/")], 1, OutcomeUnknown),
    # an idempotent call whose first attempt may have taken effect proves nothing by a later no
    *[
        (UPDATE, [answer(500), answer(code)], 2, OutcomeUnknown)
        for code in (400, 401, 403, 404, 422)
    ],
    (UPDATE, [CUT, *[BUSY] * 4], 5, OutcomeUnknown),
    (READ, [answer(500), answer(403)], 2, NotAuthorised),
    # a revoke whose answer was lost finds that the thing is gone
    (REVOKE, [answer(204)], 1, "status 204"),
    (REVOKE, [CUT, answer(404)], 2, "status 404"),
    (REVOKE, [answer(401)], 1, NotAuthorised),
    (REVOKE, [answer(403)], 1, NotAuthorised),
]  # fmt: skip


def _read(status: int, body: JsonValue) -> str:
    return str(body["id"]) if body is not None else f"status {status}"


async def _send(http: Http, route: Route) -> object:
    try:
        return await http.send(route, _read)
    except ProviderError as error:
        return type(error)
    finally:
        await http.close()


async def _play(route: Route, script: Script) -> tuple[int, object]:
    async with vendor(script) as it:
        outcome = await _send(it.http(timeout=0.3 if HANG in script else 5.0), route)
        return len(it.requests), outcome


@pytest.mark.parametrize(("route", "script", "attempts", "outcome"), TABLE)
def test_every_answer_has_its_outcome(route: Route, script: Script, attempts: int, outcome: object) -> None:
    """An answer ends as its row says, after as many attempts as its safety allows."""
    assert (attempts, outcome) == asyncio.run(_play(route, script))


@pytest.mark.parametrize("route", [READ, UPDATE, CREATE])
def test_a_closed_port_means_nothing_was_sent(route: Route) -> None:
    """A refused connection is tried again, even for a create, and then known to have sent nothing."""

    async def play() -> tuple[int, object]:
        async with vendor([]) as it:
            port = it.port
        it.port = port  # nobody listens there any more
        outcome = await _send(it.http(), route)
        return len(it.slept), outcome

    assert (4, VendorUnreachable) == asyncio.run(play())


def test_a_create_goes_through_once_the_vendor_is_back() -> None:
    """A create that could not be sent is sent, once, when the vendor listens again."""

    async def play() -> tuple[int, object]:
        async with vendor([]) as gone:
            port = gone.port
        back = None

        async def listen_again(_seconds: float) -> None:
            nonlocal back
            gone.script.append(FINE)
            back = back or await asyncio.start_server(gone.serve, "127.0.0.1", port)

        gone.sleep = listen_again  # type: ignore[method-assign]  # the vendor comes back while its client sleeps
        outcome = await _send(gone.http(), CREATE)
        assert back is not None
        back.close()
        await back.wait_closed()
        await asyncio.gather(*gone.talks)
        return len(gone.requests), outcome

    assert (1, "a") == asyncio.run(play())


def test_pauses_grow_and_honour_the_vendor() -> None:
    """A pause doubles up to its cap, comes on top of Retry-After, and all together have an end."""

    async def play(script: Script, policy: Policy) -> list[float]:
        async with vendor(script) as it:
            await _send(it.http(policy=policy), READ)
            return it.slept

    policy = Policy(attempts=6, base=1.0, cap=5.0, patience=60.0)
    date = "Mon, 02 Nov 2026 14:00:20 GMT"
    assert [1.0, 2.0, 4.0, 5.0, 5.0] == asyncio.run(play([answer(500)] * 6, policy))
    assert [8.0, 22.0] == asyncio.run(play([BUSY_UNTIL, answer(429, Retry_After=date), FINE], policy))
    assert [31.0] == asyncio.run(play([answer(429, Retry_After="30")] * 2, policy))


def test_jitter_is_full() -> None:
    """Clients that failed together do not come back together: a pause is anything from 0 to its bound."""

    def pause(jitter: float) -> float | None:
        return Policy().pause(Safety.READ, Fate.STUMBLED, attempt=2, waited=0, asked=None, jitter=jitter)

    assert [0.0, 0.5, 1.0] == [pause(0.0), pause(0.5), pause(1.0)]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Mon, 02 Nov 2026 14:02:00 GMT", 120.0),
        ("Mon, 02 Nov 2026 13:00:00 GMT", 0.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """Retry-After is a number of seconds or an HTTP date, never before now; anything else says nothing."""
    assert seconds == seconds_asked(header, NOW)


def test_a_busy_vendor_says_until_when() -> None:
    """An error for a busy vendor carries the time that the vendor asked for."""

    async def play() -> VendorBusy:
        async with vendor([answer(429, Retry_After="3600")]) as it:
            http = it.http()
            with pytest.raises(VendorBusy) as caught:
                await http.send(CREATE, _read)
            await http.close()
            return caught.value

    error = asyncio.run(play())
    assert (429, 3600.0) == (error.status, error.retry_after)


def test_at_most_so_many_calls_at_once() -> None:
    """However many calls wait, the vendor sees no more at once than its `parallelism`."""
    now, most = 0, 0

    async def app(scope: JsonValue, receive: JsonValue, send: JsonValue) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        for _ in range(5):
            await asyncio.sleep(0)
        now -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"id": "a"}'})

    async def play() -> None:
        config = ProviderConfig("acme", "test", "http://twin/base", parallelism=3)
        http = Http(config, Secret({"token": "t"}), app=app)
        await asyncio.gather(*(http.send(READ, _read) for _ in range(20)))
        await http.close()

    asyncio.run(play())
    assert 3 == most


def test_an_answer_that_never_ends_is_lost() -> None:
    """`timeout` bounds the whole of a request: a vendor that drips bytes is given up like a silent one."""

    async def play() -> object:
        async with vendor([DRIP]) as it:
            return await asyncio.wait_for(_send(it.http(timeout=0.3), CREATE), 30)

    assert OutcomeUnknown is asyncio.run(play())


def test_an_answer_beyond_measure_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer longer than any of ours is not kept, and means what an unreadable one means."""
    monkeypatch.setattr("provisioner.providers.wire.LONGEST_ANSWER", 10)
    assert (1, OutcomeUnknown) == asyncio.run(_play(CREATE, [FINE]))


def test_an_app_that_breaks_is_a_vendor_that_breaks() -> None:
    """An exception of the application in process leaves the outcome unknown, as a cut connection does."""

    async def app(scope: JsonValue, receive: JsonValue, send: JsonValue) -> None:
        raise RuntimeError("after the effect")

    config = ProviderConfig("acme", "test", "http://twin/base")
    assert OutcomeUnknown is asyncio.run(_send(Http(config, Secret({"token": "t"}), app=app), CREATE))


@pytest.mark.parametrize(("address", "outcome"), [("127.0.0.1", "a"), ("192.0.2.1", VendorUnreachable)])
def test_calls_leave_from_the_address_that_was_asked_for(address: str, outcome: object) -> None:
    """`local_address` is where calls come from; one that this machine lacks reaches nobody."""

    async def play() -> object:
        async with vendor([FINE]) as it:
            return await _send(it.http(local_address=address), CREATE)

    assert outcome == asyncio.run(play())
