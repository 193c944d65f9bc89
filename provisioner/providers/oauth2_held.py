"""The newest secret of each client, and one verb at a time on it: an answer may spend a token."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from provisioner.core.provider import Issued, Keyring
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError


class Held:
    """What this run was answered itself, else what its keyring has."""

    def __init__(self) -> None:
        self._keyring: Keyring | None = None
        self._newest: dict[str, Secret] = {}
        import asyncio  # heavy, and every plan imports this file

        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def lend(self, keyring: Keyring) -> None:
        """Where secrets of earlier runs are, and where newer ones go."""
        self._keyring = keyring

    @asynccontextmanager
    async def turn(self, client_id: str) -> AsyncIterator[None]:
        """While nobody else manages this client."""
        async with self._turns[client_id]:
            yield

    async def secret_of(self, client_id: str) -> Secret:
        """Its newest secret. Raises what `Keyring.load` raises."""
        if client_id not in self._newest:
            self._newest[client_id] = await self._lent(client_id).load(client_id)
        return self._newest[client_id]

    def remember(self, issued: Issued) -> None:
        """A new client's secret: the engine captures it, so it is only remembered."""
        self._newest[issued.remote_id] = issued.secret

    async def replace(self, issued: Issued) -> None:
        """What an answer brought is durable when this returns. Raises what `Keyring.save` raises."""
        # Remembered also where it cannot be kept: no other one works any more.
        self._newest[issued.remote_id] = issued.secret
        await self._lent(issued.remote_id).save(issued)

    def must_keep(self, client_id: str) -> None:
        """Refuse to ask for an answer that could not be kept. Raises ProviderError."""
        self._lent(client_id)

    def _lent(self, client_id: str) -> Keyring:
        if self._keyring is None:
            raise ProviderError(
                f"client {client_id} is managed with its registration access token, and no keyring was lent",
                remedy="lend one to the provider before its verbs are used (core.provider.KeepsSecrets)",
            )
        return self._keyring
