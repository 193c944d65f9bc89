"""The words of provision as values: what is declared, what is recorded, what is observed.

A credential is declared in a manifest (`Desired`), remembered by the store (`Record`, with one
`Generation` for each secret ever issued) and seen at its vendor (`Observed`). None of them has a
field for a secret; `Secret` is a type of its own, in `secret.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

JsonValue = Any
"""Whatever JSON can hold. A recursive alias costs more reading than it gives."""
JsonObject = Mapping[str, JsonValue]


class Kind(StrEnum):
    """What an environment is for; production is guarded more closely."""

    TEST = "test"
    PRODUCTION = "production"


class Via(StrEnum):
    """How a vendor is reached: by calls, or by a person in its portal."""

    API = "api"
    PORTAL = "portal"


class Address(Struct, frozen=True, order=True):
    """`ENVIRONMENT/NAME`: the identity of a credential everywhere."""

    environment: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `ENVIRONMENT/NAME`. Raises ValueError for anything else."""
        environment, slash, name = text.partition("/")
        if not (environment and slash and name) or "/" in name or not text.isprintable():
            raise ValueError(f"{text!r} is not an address: write ENVIRONMENT/NAME, like production/payroll")
        return cls(environment, name)

    def __str__(self) -> str:
        return f"{self.environment}/{self.name}"


class Source(Struct, frozen=True):
    """Where a manifest says something. Lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Tag(Struct, frozen=True):
    """What we write on a credential at its vendor: it proves ownership and finds interrupted creates.

    The nonce tells two attempts at the same generation apart. At most 128 characters (FP1).
    """

    project: str
    environment: str
    name: str
    generation: int
    nonce: str

    @classmethod
    def parse(cls, text: str) -> Tag | None:
        """Read a tag; None for text that is not a tag of ours."""
        match text.split("/"):
            case ["provision", project, environment, name, generation, nonce] if generation.isdecimal():
                return cls(project, environment, name, int(generation), nonce)
        return None

    @property
    def address(self) -> Address:
        """The address that this tag claims."""
        return Address(self.environment, self.name)

    def __str__(self) -> str:
        return f"provision/{self.project}/{self.environment}/{self.name}/{self.generation}/{self.nonce}"


class Desired(Struct, frozen=True):
    """One credential in one environment, as the manifests want it, with all defaults applied.

    `fields` is what the vendor holds (description, user, scopes, allow_ips, settings), normalised and
    in the vendor's own terms; a field that is not declared is absent. `local` is what only we keep
    (owner, labels, deliver, rotate, protect). Both are plain JSON.
    """

    address: Address
    kind: Kind
    provider: str
    via: Via
    fields: JsonObject
    local: JsonObject
    source: Source
    user: str | None = None
    """The manifest's name for the linked user; `fields["user"]` is the vendor's."""
    previously: str | None = None
    """The name that this credential had before it was renamed."""
    family: str = ""
    """The template of its name where it is one of several that one entry declares (core.family)."""


class GenerationState(StrEnum):
    """The life of one secret."""

    PENDING = "pending"  # captured, not yet verified and delivered everywhere
    ACTIVE = "active"  # what consumers use
    RETIRING = "retiring"  # replaced, still accepted until its overlap is over
    RETIRED = "retired"  # dead at the vendor


LIVE = frozenset({GenerationState.PENDING, GenerationState.ACTIVE, GenerationState.RETIRING})
"""The states in which a vendor may still accept the secret."""


class Generation(Struct, frozen=True):
    """One secret ever issued for an address. All moments are UTC."""

    number: int
    state: GenerationState
    remote_id: str
    tag: str
    created_at: datetime
    expires_at: datetime | None = None
    """When the vendor ends it by itself."""
    retire_after: datetime | None = None
    """When its overlap is over; set while it is retiring."""
    provider: str = ""
    """Whose it is, where that is not the record's provider any more; empty for the record's."""
    issued_at: datetime | None = None
    """When its secret was issued, as the vendor said with it; None where it did not say."""

    @property
    def live(self) -> bool:
        """Whether the vendor may still accept it."""
        return self.state in LIVE

    def sealed_as(self, address: Address) -> Address:
        """The address that its secret is sealed under: a rename moves the row, and leaves the tag."""
        tag = Tag.parse(self.tag)
        return tag.address if tag else address


class Record(Struct, frozen=True):
    """What the state store knows of an address: its generations and the fields as applied."""

    address: Address
    provider: str
    via: Via
    fields: JsonObject
    local: JsonObject
    generations: tuple[Generation, ...] = ()
    version: int = 0
    """Counts the writes to this record; a saved plan is stale when it moved."""
    secret_known: bool = True
    """False for an adopted credential whose secret we never had."""
    user: str | None = None

    @property
    def active(self) -> Generation | None:
        """The generation that consumers use."""
        return next((g for g in self.generations if g.state is GenerationState.ACTIVE), None)

    @property
    def live(self) -> tuple[Generation, ...]:
        """Every generation that the vendor may still accept, oldest first."""
        return tuple(g for g in self.generations if g.live)

    @property
    def protected(self) -> bool:
        """Whether a revoke needs an entry under `removed`. Read from the record, not the manifest."""
        return bool(self.local.get("protect", False))


class RemoteStatus(StrEnum):
    """How a credential stands at its vendor."""

    LIVE = "live"
    WAITING = "waiting"  # for the vendor's approval
    DENIED = "denied"  # the vendor decided against it
    DISABLED = "disabled"
    DEAD = "dead"  # revoked or expired, still listed


USABLE = frozenset({RemoteStatus.LIVE, RemoteStatus.WAITING})
"""How a credential can stand at its vendor and be, or become, of use to somebody.

FPay lists for ever what it has disabled (FP8).
"""


class Observed(Struct, frozen=True):
    """What the vendor says is there now. Never holds a secret."""

    remote_id: str
    status: RemoteStatus
    fields: JsonObject
    tag: Tag | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    issued_at: datetime | None = None
    """When its present secret was issued, where the vendor tells and a secret can change in place."""
    unset: frozenset[str] = frozenset()
    """The fields that the vendor has, and shows as empty; one that it does not show at all is not here."""
    name: str = ""
    """What people call it there, where that is not our tag."""


class Listing(Struct, frozen=True):
    """One vendor's answer for one environment, or the reason why there is none."""

    observed: Mapping[str, Observed] = field(default_factory=dict)
    """By remote id."""
    unseen: str = ""
    """Why nothing could be observed; empty when it could."""


Observations = Mapping[tuple[str, str], Listing]
"""By (provider, environment). A pair that is absent was not looked at."""
