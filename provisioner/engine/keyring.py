"""The keyring of one vendor in one environment, over the store: for a provider that asks for one.

What replaces a secret takes the place of its generation's sealed text. Where a part that consumers hold
changed with it, the deliveries of that generation count no more, so that they are made again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from provisioner.core.journal import Audit, ForgetDeliveries, SaveGeneration, Stranded, Write
from provisioner.core.model import Address, Generation
from provisioner.core.provider import Issued
from provisioner.core.secret import Secret
from provisioner.engine.ports import Emergency, Sealer, Store
from provisioner.errors import SecretError, StateError


class StoreKeyring(Struct):
    """Fulfils `core.provider.Keyring`. Its owner holds the lease of the environment."""

    store: Store
    sealer: Sealer
    emergency: Emergency
    now: Callable[[], datetime]
    provider: str
    environment: str
    parts: tuple[str, ...]
    """What consumers may hold of a secret; the rest is for management alone."""
    _where: dict[str, Address] = field(default_factory=dict)
    _newest: dict[str, Secret] = field(default_factory=dict)

    async def load(self, remote_id: str) -> Secret:
        """The newest secret: of this run, of the emergency folder, or of the store."""
        if remote_id not in self._newest:
            address, generation = self._row(remote_id)
            await self._take_in(remote_id, address, generation)
            sealed = self.store.sealed(address, generation.number)
            if sealed is None:
                raise SecretError(
                    f"the secret of {remote_id}, of {address}, was never captured here",
                    remedy="manage it at the vendor, or renew the credential",
                )
            opened = self.sealer.unseal(sealed, generation.sealed_as(address), generation.number)
            detail = {"generation": generation.number, "why": f"{self.provider} asks for it"}
            await self.store.commit([Audit("secret read", self.now(), address, detail)])
            self._newest[remote_id] = opened
        return self._newest[remote_id]

    async def save(self, issued: Issued) -> None:
        """Seal it and make it durable; where the store takes nothing, the emergency folder has it."""
        address, generation = self._row(issued.remote_id)
        before = self._newest.get(issued.remote_id)
        self._newest[issued.remote_id] = issued.secret
        rescued = Stranded(
            operation=self._rescue(issued.remote_id),
            address=address,
            generation=generation.number,
            remote_id=issued.remote_id,
            sealed=self.sealer.seal(issued.secret, generation.sealed_as(address), generation.number),
            created_at=self.now(),
            expires_at=issued.expires_at,
        )
        try:
            await self._keep(rescued, generation, again=not self._same(before, issued.secret))
        except StateError:
            self.emergency.save(rescued)
            raise

    async def _take_in(self, remote_id: str, address: Address, generation: Generation) -> None:
        """What the store could not take when it was answered goes into the store now."""
        held = self.emergency.held(self._rescue(remote_id))
        if held:
            await self._keep(replace(held[-1], address=address), generation, again=True)
            self.emergency.forget(self._rescue(remote_id))

    async def _keep(self, rescued: Stranded, generation: Generation, *, again: bool) -> None:
        number = generation.number
        kept = replace(generation, expires_at=rescued.expires_at)
        writes: list[Write] = [SaveGeneration(rescued.address, kept, rescued.sealed)]
        if again:
            writes.append(ForgetDeliveries(rescued.address, number))
        told = Audit(
            "secret replaced", self.now(), rescued.address, {"generation": number, "delivered": not again}
        )
        await self.store.commit([*writes, told])

    def _same(self, before: Secret | None, after: Secret) -> bool:
        """Whether consumers may go on with what they have; not known counts as no."""
        if before is None:
            return False
        known = [part for part in self.parts if part in before or part in after]
        return all(p in before and p in after and before.reveal(p) == after.reveal(p) for p in known)

    def _row(self, remote_id: str) -> tuple[Address, Generation]:
        """Where this credential stands in the store now."""
        found = self._at(self._where.get(remote_id), remote_id)
        if found is None:
            records = self.store.records([self.environment])
            self._where = {g.remote_id: a for a, r in records.items() for g in r.generations}
            found = self._at(self._where.get(remote_id), remote_id)
        if found is None:
            raise SecretError(
                f"no record of {self.environment} has {remote_id} of {self.provider}",
                remedy="manage it at the vendor",
            )
        return found

    def _at(self, address: Address | None, remote_id: str) -> tuple[Address, Generation] | None:
        record = self.store.record(address) if address else None
        if address is None or record is None:
            return None
        ours = (
            generation
            for generation in record.generations
            if (generation.provider or record.provider, generation.remote_id) == (self.provider, remote_id)
        )
        return next(((address, generation) for generation in ours), None)

    def _rescue(self, remote_id: str) -> str:
        """What the emergency folder knows it by: it belongs to no operation."""
        return f"{self.provider}-{self.environment}-{remote_id}"
