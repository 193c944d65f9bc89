"""What every verb of the engine works with, and the one operation that it has under way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from provisioner.core.capabilities import Capabilities, Declaration
from provisioner.core.journal import (
    Audit,
    Operation,
    Phase,
    SaveGeneration,
    SaveOperation,
    SaveRecord,
    Write,
)
from provisioner.core.model import Address, Generation, JsonObject, Record, Tag, Via
from provisioner.core.plan import Change
from provisioner.core.provider import KeepsSecrets, Provider, Spec
from provisioner.core.secret import Secret
from provisioner.engine import failpoints
from provisioner.engine.keyring import StoreKeyring
from provisioner.engine.ports import Emergency, Person, Sealer, Sink, Store
from provisioner.errors import StateError


class Step(Struct, frozen=True):
    """News of an operation for whoever watches: how far it got."""

    address: Address
    action: str
    phase: Phase


class Context(Struct, frozen=True):
    """The engine's surroundings, put together by the command line."""

    project: str
    store: Store
    sealer: Sealer
    emergency: Emergency
    sinks: Mapping[str, Sink]
    providers: Mapping[tuple[str, str], Provider]
    """By (provider, environment)."""
    via: Mapping[tuple[str, str], Via]
    """How each of them is reached."""
    declarations: Mapping[str, Declaration]
    now: Callable[[], datetime]
    """The present moment in UTC."""
    sleep: Callable[[float], Awaitable[None]]
    nonce: Callable[[], str]
    """Fresh random text, for tags and operation ids."""
    person: Person | None = None
    """Who does handoffs now; None to leave them for later."""
    watch: Callable[[Step], None] = lambda step: None
    brought: Mapping[Address, Secret] = field(default_factory=dict)
    """The secrets of what is imported, where somebody gave them."""
    _ready: dict[tuple[str, str], tuple[Provider, bool]] = field(default_factory=dict)
    """Each that was asked for, and whether it was lent a keyring."""

    def vendor(self, name: str, environment: str) -> Provider:
        """The way to a vendor, with a keyring where it asks for one."""
        return self._made_ready(name, environment)[0]

    def keeps_secrets(self, name: str, environment: str) -> bool:
        """Whether this vendor may write to records itself, by the keyring that it was lent."""
        return self._made_ready(name, environment)[1]

    def _made_ready(self, name: str, environment: str) -> tuple[Provider, bool]:
        # Asked at every step, and a look at what a provider can do takes as long as the rest of the step.
        provider = self.providers[name, environment]
        ready = self._ready.get((name, environment))
        if ready is None or ready[0] is not provider:
            ready = self._ready[name, environment] = (provider, isinstance(provider, KeepsSecrets))
            if isinstance(provider, KeepsSecrets):
                provider.lend(self._keyring(name, environment))
        return ready

    def _keyring(self, name: str, environment: str) -> StoreKeyring:
        parts = self.declarations[name].parts
        return StoreKeyring(self.store, self.sealer, self.emergency, self.now, name, environment, parts)


class Work(Struct):
    """One operation under way: its journal row, and what is known of it only in memory."""

    context: Context
    change: Change
    operation: Operation
    record: Record | None
    secret: Secret | None = None
    given_up: str = ""
    """Why what it made is to be ended instead of used."""
    with_next: list[Write] = field(default_factory=list)
    """What the next durable step takes with it into its transaction."""

    @property
    def address(self) -> Address:
        """The address it works on."""
        return self.operation.address

    @property
    def provider(self) -> Provider:
        """The vendor it speaks to."""
        return self.context.vendor(self.operation.provider, self.address.environment)

    def issuer(self, generation: Generation) -> str:
        """The vendor that issued a generation; another one where a replace moved the credential."""
        return generation.provider or (self.record.provider if self.record else self.operation.provider)

    def provider_of(self, generation: Generation) -> Provider:
        """The way to the vendor that issued a generation."""
        return self.context.vendor(self.issuer(generation), self.address.environment)

    def capabilities_of(self, generation: Generation) -> Capabilities:
        """What that vendor can do, reached the way it is now."""
        issuer = self.issuer(generation)
        return self.context.declarations[issuer].capabilities[
            self.context.via[issuer, self.address.environment]
        ]

    @property
    def declaration(self) -> Declaration:
        """What is known of that vendor."""
        return self.context.declarations[self.operation.provider]

    @property
    def capabilities(self) -> Capabilities:
        """What that vendor can do, reached the way it is."""
        return self.declaration.capabilities[Via(self.operation.via)]

    @property
    def desired(self) -> JsonObject:
        """What to bring about. Only for changes that bring something about."""
        if self.change.desired is None:
            raise ValueError(f"{self.change.action} of {self.address} has nothing to bring about")
        return self.change.desired

    @property
    def spec(self) -> Spec:
        """What to ask the vendor for."""
        return Spec(self.address, self.desired["fields"])

    @property
    def tag(self) -> Tag:
        """What marks the new credential as ours."""
        if self.operation.tag is None:
            raise ValueError(f"{self.operation.action} of {self.address} has no tag")
        return self.operation.tag

    @property
    def remote_id(self) -> str:
        """The vendor's id of what this operation made or works on."""
        if self.operation.remote_id is None:
            raise ValueError(f"{self.operation.action} of {self.address} has no remote id yet")
        return self.operation.remote_id

    @property
    def generations(self) -> tuple[Generation, ...]:
        """Every generation of the address, as far as recorded."""
        return self.record.generations if self.record else ()

    async def advance(self, phase: Phase, *writes: Write, **changes: Any) -> None:
        """Make the next phase durable, with its writes, in one transaction; then go on from it.

        This is the only way in which an operation moves. Raises StateError; the operation then stays
        where it was, in memory as in the store.
        """
        moved = replace(self.operation, phase=phase, updated_at=self.context.now(), **changes)
        failpoints.hit(f"before-{phase}")
        durable = [SaveOperation(moved), *self.with_next, *writes]
        await self.context.store.commit(durable)
        failpoints.hit(f"after-{phase}")
        self.with_next = []
        self.operation = moved
        self.record = after(self.address, self.record, durable)
        self.context.watch(Step(self.address, moved.action, phase))

    async def note(self, text: str, *, waiting: str = "") -> None:
        """Write down why it stopped where it is, and whom it waits for."""
        noted = replace(self.operation, note=text, waiting=waiting, updated_at=self.context.now())
        await self.context.store.commit([SaveOperation(noted)])
        self.operation = noted

    async def give_up(self, why: str) -> None:
        """Close an operation that left nothing behind, as failed."""
        note = Audit(f"{self.operation.action} failed", self.context.now(), self.address, {"why": why})
        await self.advance(Phase.FAILED, note, note=why, waiting="")

    def reload(self) -> None:
        """Read the record again, after a write of which `advance` knows nothing."""
        self.record = self.context.store.record(self.address)

    def catch_up(self) -> None:
        """Read the record again where its provider writes to it as well, by the keyring that it was lent."""
        if self.context.keeps_secrets(self.operation.provider, self.address.environment):
            self.reload()


def after(address: Address, record: Record | None, writes: Sequence[Write]) -> Record | None:
    """The record of an address as the store has it after these writes, so that it need not be read again."""
    for write in writes:
        match write:
            case SaveRecord(saved) if saved.address == address:
                kept = (record.generations, record.version) if record else ((), 0)
                record = replace(saved, generations=kept[0], version=kept[1] + 1)
            case SaveGeneration(where, generation) if record is not None and where == address:
                others = [one for one in record.generations if one.number != generation.number]
                record = replace(record, generations=tuple(sorted([*others, generation], key=_number)))
    return record


def _number(generation: Generation) -> int:
    return generation.number


@contextmanager
def not_masking(error: Exception) -> Iterator[None]:
    """Write down what went wrong; where the store is gone as well, what went wrong first is what is told."""
    try:
        yield
    except StateError as lost:
        error.add_note(f"this could not be written down: {lost.message}")


class Waits(Exception):
    """An operation cannot go on before somebody else did something; that is no error.

    `whom` is `approval`, `handoff`, `identity` or `person`; `remedy` says what that somebody can do.
    """

    def __init__(self, whom: str, text: str, *, remedy: str = "") -> None:
        super().__init__(text)
        self.whom = whom
        self.text = text
        self.remedy = remedy
