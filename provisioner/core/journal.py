"""What the engine asks the store to remember, as values: an operation, its phases, and the writes.

One `commit` of several writes is one transaction. Concurrent operations may share a transaction
(group commit); none is ever skipped. See design §7 for what each phase makes durable.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from provisioner.core.action import CLOSED as CLOSED  # these three are words of the journal as well
from provisioner.core.action import Action as Action
from provisioner.core.action import Phase as Phase
from provisioner.core.capabilities import Verb
from provisioner.core.model import Address, Generation, JsonObject, JsonValue, Record, Tag


class Operation(Struct, frozen=True):
    """One journalled piece of an apply, from intent to done. All moments are UTC."""

    id: str
    address: Address
    action: Action
    """create, update, replace, renew, revoke, retire or import."""
    phase: Phase
    provider: str
    via: str
    generation: int
    """The generation that it makes, updates or ends."""
    started_at: datetime
    updated_at: datetime
    tag: Tag | None = None
    remote_id: str | None = None
    desired: JsonObject = field(default_factory=dict)
    """The change it carries out, in the canonical form of the plan; recovery goes on from it."""
    waiting: str = ""
    """Whom it waits for: `approval`, `handoff`, `identity`; empty when for nobody."""
    note: str = ""
    """What is known, in words for a person. Never a secret."""

    @property
    def open(self) -> bool:
        """Whether something of it is still to be done."""
        return self.phase not in CLOSED


class HandoffState(StrEnum):
    """The life of a handoff."""

    OPEN = "open"
    COMPLETED = "completed"
    DECLINED = "declined"
    DROPPED = "dropped"  # the plan changed before anybody did it


class Handoff(Struct, frozen=True):
    """One step for a person, bound to its operation. Never holds a secret. All moments are UTC."""

    id: str
    operation: str
    address: Address
    provider: str
    verb: Verb
    generation: int
    screen: str
    """The path to the screen, from the vendor's document."""
    steps: tuple[str, ...]
    """What to do there, in order."""
    asks: tuple[str, ...]
    """The names of what to bring back; empty where the person only confirms."""
    opened_at: datetime
    fields: JsonObject = field(default_factory=dict)
    """What to set there, as the steps say it in words."""
    remote_id: str = ""
    """The vendor's id of the credential; empty for one that is to be made."""
    tag: str = ""
    """Our mark, where the step makes something."""
    state: HandoffState = HandoffState.OPEN
    closed_at: datetime | None = None
    note: str = ""
    """Who closed it, and why; in words."""


class Stranded(Struct, frozen=True):
    """A captured secret that the store does not have yet: it lies, sealed, in the emergency folder."""

    operation: str
    address: Address
    generation: int
    remote_id: str
    sealed: str
    created_at: datetime
    expires_at: datetime | None = None
    issued_at: datetime | None = None


class SaveOperation(Struct, frozen=True):
    """Insert the operation, or bring its row to this value."""

    operation: Operation


class SaveRecord(Struct, frozen=True):
    """Insert or replace a record without its generations, and count its version up by one."""

    record: Record


class RemoveRecord(Struct, frozen=True):
    """Forget an address: its record goes, and its generations with their secrets; the audit log stays."""

    address: Address


class RenameRecord(Struct, frozen=True):
    """Give a record and its generations another address, and count its version up by one.

    A record that is there already gives way if all its generations are dead.
    """

    before: Address
    after: Address


class SaveGeneration(Struct, frozen=True):
    """Insert or update a generation; `sealed` is its age text, or None to leave what is there."""

    address: Address
    generation: Generation
    sealed: str | None = None


class SaveDelivery(Struct, frozen=True):
    """A sink acknowledged a generation."""

    address: Address
    generation: int
    sink: str
    at: datetime


class ForgetDeliveries(Struct, frozen=True):
    """What was delivered of a generation is not what it is any more: every sink is due again."""

    address: Address
    generation: int


class SaveHandoff(Struct, frozen=True):
    """Insert the handoff, or bring its row to this value."""

    handoff: Handoff


class Audit(Struct, frozen=True):
    """One event for the tamper-evident history. `detail` is JSON without secrets."""

    event: str
    at: datetime
    address: Address | None = None
    detail: Mapping[str, JsonValue] = field(default_factory=dict)


Write = (
    SaveOperation
    | SaveRecord
    | RemoveRecord
    | RenameRecord
    | SaveGeneration
    | SaveDelivery
    | ForgetDeliveries
    | SaveHandoff
    | Audit
)
