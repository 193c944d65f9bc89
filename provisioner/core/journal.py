"""What the engine asks the store to remember, as values: an operation, its phases, and the writes.

One `commit` of several writes is one transaction. Concurrent operations may share a transaction
(group commit); none is ever skipped. See design §7 for what each phase makes durable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from provisioner.core.action import CLOSED as CLOSED  # these three are words of the journal as well
from provisioner.core.action import Action as Action
from provisioner.core.action import Phase as Phase
from provisioner.core.capabilities import Verb
from provisioner.core.model import Address, Generation, JsonObject, JsonValue, Record, Tag


@dataclass(frozen=True, slots=True)
class Operation:
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


@dataclass(frozen=True, slots=True)
class Handoff:
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


@dataclass(frozen=True, slots=True)
class Stranded:
    """A captured secret that the store does not have yet: it lies, sealed, in the emergency folder."""

    operation: str
    address: Address
    generation: int
    remote_id: str
    sealed: str
    created_at: datetime
    expires_at: datetime | None = None
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SaveOperation:
    """Insert the operation, or bring its row to this value."""

    operation: Operation


@dataclass(frozen=True, slots=True)
class SaveRecord:
    """Insert or replace a record without its generations, and count its version up by one."""

    record: Record


@dataclass(frozen=True, slots=True)
class RemoveRecord:
    """Forget an address: its record goes, and its generations with their secrets; the audit log stays."""

    address: Address


@dataclass(frozen=True, slots=True)
class RenameRecord:
    """Give a record and its generations another address, and count its version up by one.

    A record that is there already gives way if all its generations are dead.
    """

    before: Address
    after: Address


@dataclass(frozen=True, slots=True)
class SaveGeneration:
    """Insert or update a generation; `sealed` is its age text, or None to leave what is there."""

    address: Address
    generation: Generation
    sealed: str | None = None


@dataclass(frozen=True, slots=True)
class SaveDelivery:
    """A sink acknowledged a generation."""

    address: Address
    generation: int
    sink: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ForgetDeliveries:
    """What was delivered of a generation is not what it is any more: every sink is due again."""

    address: Address
    generation: int


@dataclass(frozen=True, slots=True)
class SaveHandoff:
    """Insert the handoff, or bring its row to this value."""

    handoff: Handoff


@dataclass(frozen=True, slots=True)
class Audit:
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
