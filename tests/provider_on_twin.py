"""A provider opened on its vendor's twin, in process: what the engine uses, and what a consumer does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from provisioner.core.capabilities import Capabilities
from provisioner.core.model import Address, JsonObject, Tag, Via
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Provider, Spec
from provisioner.core.secret import Secret
from provisioner.providers.http import Http, Timing
from provisioner.providers.registry import load
from provisioner.sandbox.world import Sandbox


@dataclass(frozen=True)
class Twin:
    """One tenant of a vendor's twin, and the provider that speaks to it."""

    sandbox: Sandbox
    name: str
    tenant: str
    provider: Provider
    capabilities: Capabilities
    parts: tuple[str, ...]

    def tag(self, generation: int = 1, nonce: str = "n0") -> Tag:
        """A tag of ours in this tenant."""
        return Tag("payments", self.tenant, "payroll-export", generation, nonce)

    def spec(self, fields: JsonObject) -> Spec:
        """What to ask for."""
        return Spec(Address(self.tenant, "payroll-export"), fields)

    async def call(self, method: str, path: str, **options: object) -> httpx.Response:
        """Speak to the vendor as a consumer would, past the provider."""
        transport = httpx.ASGITransport(self.sandbox.app)
        async with httpx.AsyncClient(transport=transport) as client:
            url = f"http://twin/{self.name}/{self.tenant}/{path}"
            return await client.request(method, url, **options)  # type: ignore[arg-type]  # handed through

    async def session(self, token_path: str, secret: Secret) -> str:
        """An access token, as a consumer gets one."""
        names = ("client_id", "client_secret")
        form = {"grant_type": "client_credentials", **{name: secret.reveal(name) for name in names}}
        answer = await self.call("POST", token_path, data=form)
        return str(answer.raise_for_status().json()["access_token"])

    async def status(self, method: str, path: str, token: str, **options: object) -> int:
        """The status of a consumer's call with this access token."""
        answer = await self.call(method, path, headers={"authorization": f"Bearer {token}"}, **options)
        return answer.status_code


@asynccontextmanager
async def opened(
    sandbox: Sandbox, name: str, tenant: str, *, via: Via = Via.API, token: str = ""
) -> AsyncIterator[Twin]:
    """The provider called `name`, opened on this tenant, with its own management token or with this one."""
    adapter = load().adapter(name)
    config = ProviderConfig(name, tenant, f"http://twin/{name}/{tenant}", via=via)
    managing = Secret({"token": token or sandbox.token(name, tenant)}) if via is Via.API else None
    http = Http(config, managing, app=sandbox.app, timing=Timing(now=sandbox.now))
    provider = adapter.open(config, http)
    declaration = adapter.declaration
    try:
        yield Twin(sandbox, name, tenant, provider, declaration.capabilities[via], declaration.parts)
    finally:
        await provider.close()
