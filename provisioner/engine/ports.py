"""What the engine is handed: the store, the sealer, the sinks and the emergency folder, as protocols.

`state/` and `secrets/` fulfil them without importing the engine; the command line puts them together.
The vendors' protocol is `core.provider.Provider`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from provisioner.core.delivery import Parcel
from provisioner.core.handoff import Answer
from provisioner.core.journal import Handoff, Operation, Stranded, Write
from provisioner.core.model import Address, Record
from provisioner.core.secret import Secret


class Store(Protocol):
    """The state of one project. Reads are plain calls; a write is durable when `commit` returns."""

    def records(self, environments: Collection[str]) -> dict[Address, Record]:
        """Every record of these environments, in one pass."""

    def record(self, address: Address) -> Record | None:
        """One record, as it is now."""

    def operations(self, environments: Collection[str]) -> list[Operation]:
        """Every open operation of these environments, oldest first."""

    def operation(self, id: str) -> Operation | None:
        """One operation, open or not."""

    def sealed(self, address: Address, generation: int) -> str | None:
        """The age text of one generation."""

    def deliveries(self, address: Address, generation: int) -> Mapping[str, datetime]:
        """When each sink acknowledged this generation."""

    def handoffs_of(self, operation: str) -> list[Handoff]:
        """Every handoff of one operation, in the order in which they were opened."""

    def handoff(self, id: str) -> Handoff | None:
        """One handoff, whatever became of it."""

    def acquire(self, environments: Collection[str], *, holder: str) -> None:
        """Take the lease of each environment, and keep it by heartbeat. Raises LeaseHeld."""

    def release(self) -> None:
        """Give the leases back."""

    async def commit(self, writes: Sequence[Write]) -> None:
        """Make the writes durable, all or none. Raises Fenced once a lease is lost."""


class Sealer(Protocol):
    """Seals secrets to the environment's recipients, and opens them where an identity is at hand."""

    def seal(self, secret: Secret, address: Address, generation: int) -> str:
        """An age text that also says whose it is."""

    def unseal(self, sealed: str, address: Address, generation: int) -> Secret:
        """Raises IdentityMissing, or SecretError where the text belongs to another row."""


class Sink(Protocol):
    """Where a secret is delivered for its consumer."""

    async def deliver(self, parcel: Parcel) -> None:
        """Returns once the consumer's side has it: that is the ack. Idempotent. Raises SinkError."""


class Emergency(Protocol):
    """Where a sealed secret goes when the store cannot take it; the next run takes it in."""

    def save(self, rescued: Stranded) -> None:
        """Make it durable. Raises SecretError where even that fails."""

    def held(self, operation: str) -> list[Stranded]:
        """What was saved for this operation and not forgotten, oldest first."""

    def forget(self, operation: str) -> None:
        """Remove what was saved for this operation: the store has it now."""


class Person(Protocol):
    """Somebody who can do handoffs while the run waits: at the terminal, or the sandbox's operator."""

    async def perform(self, handoff: Handoff) -> Answer | None:
        """What they bring back; None when they leave it for later."""

    async def again(self, handoff: Handoff, why: str) -> bool:
        """Told that what they brought is not accepted: whether they will bring it anew."""
