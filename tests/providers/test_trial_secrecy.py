"""Canaries: trying a bundle, a signed request or a bearer pair tells none of it, whatever is answered."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback

import pytest
from scripted_vendor import CUT, Script, answer, vendor

from provisioner.core.model import Address
from provisioner.core.provider import Provider, Spec, Verification
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError
from provisioner.providers.fpay import FPay
from provisioner.providers.http import Http
from provisioner.providers.paytia import PARTS, Paytia
from provisioner.providers.timeclock import TimeClock

CANARY = "canary"
BUNDLE = {part: f"canary-{part}" for part in PARTS}
KEY = {"identifier": "17", "key": "canary-key"}
PAIR = {"token": "t1", "secret_key": "canary-key"}
FIELDS = {"user": 17, "scopes": ["ReadOnly"]}
ECHO = {"detail": "canary-echo", "error_description": "canary-echo"}

FAILURES: list[Script] = [
    [CUT] * 5,
    [answer(409, ECHO)],
    [answer(500, ECHO)] * 5,
    [answer(302, Location="https://x/?canary-echo")],
]
UNREADABLE: Script = [answer(200, {"id": "canary-echo", "permission": ["canary-echo"]})] * 5

TRIALS = [(Paytia, BUNDLE), (TimeClock, KEY), (FPay, PAIR)]
BROKEN = [
    *[(kind, parts, script) for kind, parts in TRIALS for script in FAILURES],
    (TimeClock, KEY, UNREADABLE),
    (FPay, PAIR, UNREADABLE),
    (Paytia, {**BUNDLE, "api_key": "canary\u200b"}, []),
    (TimeClock, {**KEY, "identifier": "canary\n"}, []),
    (FPay, {**PAIR, "secret_key": "canary\x00"}, []),
]


async def _failure(kind: type[Provider], parts: dict[str, str], script: Script) -> tuple[ProviderError, Http]:
    async with vendor(script) as it:
        http = it.http(token="canary-management")
        with pytest.raises(ProviderError) as caught:
            await kind(http).verify(Secret(parts), Spec(Address("test", "x"), FIELDS))  # type: ignore[call-arg]  # each takes an Http
        await http.close()
        return caught.value, http


@pytest.mark.parametrize(("kind", "parts", "script"), BROKEN)
def test_no_failed_trial_tells_a_secret(
    kind: type[Provider], parts: dict[str, str], script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """PY6 TC4 FP4: error, chain, traceback with locals and the log at its most verbose hold no secret."""
    caplog.set_level(logging.DEBUG)
    error, http = asyncio.run(_failure(kind, parts, script))
    assert (None, None) == (error.__cause__, error.__context__)
    ours = error.__traceback__
    while ours is not None and "/provisioner/" not in ours.tb_frame.f_code.co_filename:
        ours = ours.tb_next  # a test's own frames know the canaries
    deep = traceback.TracebackException(type(error), error, ours, capture_locals=True)
    assert deep.stack
    told = "\n".join([*deep.format(), repr(error), str(error), error.remedy, repr(http), caplog.text])
    assert CANARY not in told


@pytest.mark.parametrize(("kind", "parts"), TRIALS)
def test_a_trial_takes_no_authority_of_ours(kind: type[Provider], parts: dict[str, str]) -> None:
    """PY6 TC4 FP4: a secret is tried as its consumer would, without the management token."""
    body = {"id": 17, "permission": {"name": "ReadOnly"}}

    async def play() -> tuple[Verification, bytes]:
        async with vendor([answer(200, body)]) as it:
            http = it.http(token="canary-management")
            seen = await kind(http).verify(Secret(parts), Spec(Address("test", "x"), FIELDS))  # type: ignore[call-arg]  # as above
            await http.close()
            return seen, it.requests[0]

    seen, request = asyncio.run(play())
    assert ("works", False) == (seen.outcome.value, b"canary-management" in request)


def test_the_documents_request_to_the_letter() -> None:
    """PY6: POST /api/authorize with X-API-KEY, ACCESS-TOKEN, and JSON of client_id and client_secret."""

    async def play() -> bytes:
        async with vendor([answer(204)]) as it:
            http = it.http()
            await Paytia(http).verify(Secret(BUNDLE), Spec(Address("test", "x"), {}))
            await http.close()
            return it.requests[0]

    head, _, body = asyncio.run(play()).partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert b"post /base/api/authorize http/1.1" == lines[0]
    assert {b"x-api-key: canary-api_key", b"access-token: canary-access_token"} < set(lines)
    assert {"client_id": "canary-client_id", "client_secret": "canary-client_secret"} == json.loads(body)
    assert b"refresh" not in head + body
