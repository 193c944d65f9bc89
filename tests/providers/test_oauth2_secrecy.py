"""Canaries: nothing that goes wrong, and nothing that goes right, tells a secret of an OAuth client."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable

import pytest
from oauth2_harness import NAMES, TAG, Keys, Opened, parts, play, spec
from oidc_server import OidcServer
from scripted_vendor import CUT, Script, answer, truncated, vendor

from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Issued
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError
from provisioner.providers.oauth2 import OAuth2

CANARIES = ("canary-management", "canary-secret", "canary-rat", "canary-access", "Basic YzE6")
SHOWN = {"client_id": "c1", "client_secret": "canary-secret", "registration_access_token": "canary-rat"}
ECHO = {"error": "canary-secret", "error_description": "canary-rat canary-management"}
NO = {"error": "invalid_client", "error_description": "canary-secret"}

Ask = Callable[[OAuth2, Secret], Awaitable[object]]
CREATE: Ask = lambda it, _: it.create(spec(), TAG)  # noqa: E731 - rows of the table below
GET: Ask = lambda it, _: it.get("c1")  # noqa: E731 - as above
UPDATE: Ask = lambda it, _: it.update("c1", spec())  # noqa: E731 - as above
REVOKE: Ask = lambda it, _: it.revoke("c1")  # noqa: E731 - as above
VERIFY: Ask = lambda it, secret: it.verify(secret, spec())  # noqa: E731 - as above

FOUND = None
"""Stands for the metadata, which is asked for first."""

TABLE: list[tuple[Ask, list[bytes | None]]] = [
    (CREATE, [FOUND, answer(201, {**SHOWN, "client_id": 7})]),
    (CREATE, [FOUND, answer(201, [SHOWN])]),
    (CREATE, [FOUND, truncated(SHOWN)]),
    (CREATE, [FOUND, answer(500, SHOWN)]),
    (CREATE, [FOUND, answer(401, ECHO)]),
    (CREATE, [FOUND, CUT]),
    (GET, [answer(200, {**SHOWN, "client_id": "c2"})] * 5),
    (GET, [truncated(SHOWN)] * 5),
    (GET, [answer(403, ECHO)]),
    (GET, [answer(401, ECHO), FOUND, answer(200, {"access_token": "canary-access"}), answer(401, NO)]),
    (UPDATE, [answer(200, SHOWN), CUT, answer(401, ECHO)]),
    (UPDATE, [answer(200, SHOWN), answer(200, {**SHOWN, "scope": "admin"})]),
    (REVOKE, [answer(405, {"error": "canary"})]),
    (REVOKE, [answer(404, ECHO), FOUND, answer(400, ECHO), answer(401, NO)]),
    (VERIFY, [FOUND, answer(400, ECHO)]),
    (VERIFY, [FOUND, answer(200, {"access_token": ["canary-access"]})] + [answer(500, ECHO)] * 4),
]


async def _fail(ask: Ask, script: Script) -> ProviderError:
    async with vendor([]) as it:
        base = f"http://127.0.0.1:{it.port}/base"
        metadata = {"issuer": base, "registration_endpoint": f"{base}/r", "token_endpoint": f"{base}/t"}
        it.script.extend(answer(200, metadata) if line is FOUND else line for line in script)
        provider = OAuth2(ProviderConfig("oauth2", "test", base), it.http())
        secret = Secret({**SHOWN, "registration_client_uri": f"{base}/c1"})
        provider.lend(Keys(held={"c1": Issued("c1", secret)}))
        with pytest.raises(ProviderError) as caught:
            await ask(provider, secret)
        await provider.close()
        assert [] == it.script, "the whole script was played"
        return caught.value


@pytest.mark.parametrize(("ask", "script"), TABLE)
def test_no_failure_tells_a_clients_secret(
    ask: Ask, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure's error, chain, traceback with locals, and the log at its most verbose hold no secret."""
    caplog.set_level(logging.DEBUG)
    error = asyncio.run(_fail(ask, script))
    assert (None, None) == (error.__cause__, error.__context__)
    told = "\n".join([_deep(error), repr(error), str(error), error.remedy, caplog.text])
    assert [] == [canary for canary in CANARIES if canary in told]


def _deep(error: ProviderError) -> str:
    # With the locals of every frame of ours; a test's own frames know the canaries.
    ours = error.__traceback__
    while ours is not None and "/provisioner/" not in ours.tb_frame.f_code.co_filename:
        ours = ours.tb_next
    deep = traceback.TracebackException(type(error), error, ours, capture_locals=True)
    assert deep.stack
    return "\n".join(deep.format())


def test_a_whole_life_logs_no_secret(oidc: OidcServer, caplog: pytest.LogCaptureFixture) -> None:
    """At the most verbose level, no secret that a real server issued stands in the log, nor a client's id."""
    caplog.set_level(logging.DEBUG)
    issued: list[str] = []

    async def scene(it: Opened) -> None:
        made = await it.made()
        await it.provider.verify(made.secret, spec())
        await it.provider.update(made.remote_id, spec({"scopes": ["admin"]}))
        issued.extend([*it.keys.tokens, *(parts(made.secret)[name] for name in NAMES)])
        await it.provider.revoke(made.remote_id)
        assert None is await it.provider.get(made.remote_id)

    play(oidc, scene)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name != "asyncio")
    assert "oauth2 PUT (registration_client_uri), attempt 1: answered" in ours
    assert [] == [value for value in (*issued, *oidc.tokens.values()) if value in ours]
