"""The provider `oauth2` opened on an authorization server, with a keyring that outlives it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
from oidc_server import OidcServer

from provisioner.core.model import Address, JsonObject, Tag
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Issued, Spec
from provisioner.core.secret import Secret
from provisioner.errors import IdentityMissing, StateUnavailable
from provisioner.providers.http import Http, Timing
from provisioner.providers.oauth2 import OAuth2

T = TypeVar("T")
READ = {"scopes": ["ledger:read"]}
TAG = Tag("payments", "test", "ledger-export", 1, "n0")
NAMES = ("client_id", "client_secret")


@dataclass
class Keys:
    """A keyring in memory. `opens`: an identity is at hand; `takes`: the store can be written."""

    held: dict[str, Issued] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    """Every registration access token that was held, oldest first."""
    opens: bool = True
    takes: bool = True

    async def load(self, remote_id: str) -> Secret:
        if not self.opens:
            raise IdentityMissing(f"the secret of {remote_id} is sealed")
        return self.held[remote_id].secret

    async def save(self, issued: Issued) -> None:
        if not self.takes:
            raise StateUnavailable("the store is full")
        self.held[issued.remote_id] = issued
        self.tokens.append(issued.secret.reveal("registration_access_token"))


@dataclass(frozen=True)
class Opened:
    """One run: a provider, and the keyring that it was lent."""

    server: OidcServer
    provider: OAuth2
    keys: Keys

    async def made(self, fields: JsonObject = READ) -> Issued:
        """A new client, captured."""
        issued = await self.provider.create(spec(fields), TAG)
        await self.keys.save(issued)
        return issued

    async def managed(self, method: str, client_id: str, token: str | None = None) -> httpx.Response:
        """Manage a client past the provider, with the token that is held or another one."""
        secret = self.keys.held[client_id].secret
        bearer = token or secret.reveal("registration_access_token")
        async with httpx.AsyncClient() as client:
            return await client.request(
                method,
                secret.reveal("registration_client_uri"),
                headers={"authorization": f"Bearer {bearer}", "accept": "application/json"},
            )

    async def seen(self, client_id: str) -> JsonObject:
        """What the server itself shows of a client; the token that is then valid is held."""
        shown = (await self.managed("GET", client_id)).raise_for_status().json()
        before = self.keys.held[client_id].secret
        parts = {part: before.reveal(part) for part in before}
        parts["registration_access_token"] = shown["registration_access_token"]
        await self.keys.save(Issued(client_id, Secret(parts)))
        return shown

    async def grant(self, secret: Secret, *, basic: bool = True, **form: str) -> httpx.Response:
        """What a consumer gets from the token endpoint."""
        pair = tuple(secret.reveal(name) for name in NAMES)
        body = {"grant_type": "client_credentials", **form}
        async with httpx.AsyncClient(base_url=self.server.issuer) as client:
            if basic:
                return await client.post("/token", data=body, auth=pair)
            return await client.post("/token", data=body | dict(zip(NAMES, pair, strict=True)))


def spec(fields: JsonObject = READ) -> Spec:
    """What to ask for."""
    return Spec(Address("test", "ledger-export"), fields)


@asynccontextmanager
async def opened(
    server: OidcServer, *, policy: str = "plain", keys: Keys | None = None, options: JsonObject | None = None
) -> AsyncIterator[Opened]:
    """One run, with the initial access token of this policy (see tests/oidc/server.mjs)."""
    config = ProviderConfig("oauth2", "test", server.issuer, options=options or {})
    http = Http(config, Secret({"token": server.tokens[policy]}), timing=Timing(sleep=_at_once))
    provider = OAuth2(config, http)
    keys = keys or Keys()
    provider.lend(keys)
    try:
        yield Opened(server, provider, keys)
    finally:
        await provider.close()


def play(server: OidcServer, scene: Callable[[Opened], Awaitable[T]], **how: object) -> T:
    """Play a scene in one run; `how` is what `opened` takes."""

    async def within() -> T:
        async with opened(server, **how) as it:  # type: ignore[arg-type]  # handed through
            return await scene(it)

    return asyncio.run(within())


def parts(secret: Secret) -> Mapping[str, str]:
    """Every part in clear."""
    return {part: secret.reveal(part) for part in secret}


def registered(secret: Secret) -> JsonObject:
    """What the server registered, as the sealed answer tells."""
    told: JsonObject = json.loads(secret.reveal("registered"))
    return told


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0)
