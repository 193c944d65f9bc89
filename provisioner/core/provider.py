"""The protocol between the engine and a vendor's adapter: few async verbs, plain values.

Errors mean one thing each, because recovery depends on it (design §7):
`VendorUnreachable` — certainly nothing was sent; `OutcomeUnknown` — it may have taken effect;
`VendorRejected` (with `NotAuthorised`, `VendorBusy`) — the vendor said no and nothing changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from msgspec import Struct

from provisioner.core.model import Address, JsonObject, JsonValue, Listing, Observed, Tag
from provisioner.core.secret import Secret


class Spec(Struct, frozen=True):
    """What to ask a vendor for: the fields of one credential, in the vendor's own terms."""

    address: Address
    fields: JsonObject


class Issued(Struct, frozen=True):
    """A vendor's answer that holds a secret. It is sealed before anything else is done with it."""

    remote_id: str
    secret: Secret
    expires_at: datetime | None = None
    issued_at: datetime | None = None
    """When the vendor issued it, exactly as it shows that later; None where it does not say."""


class Outcome(StrEnum):
    """What trying a secret showed."""

    WORKS = "works"
    WAITING = "waiting"  # valid, but the vendor has not approved it yet
    DENIED = "denied"  # the vendor decided against it
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"  # refused, but perhaps only for the age of a part that does not last


class Verification(Struct, frozen=True):
    """What trying a secret showed, and what it was granted."""

    outcome: Outcome
    scopes: frozenset[str] | None = None
    """What the vendor granted; None where it does not say."""
    detail: str = ""


class User(Struct, frozen=True):
    """A user that a credential can be linked to."""

    id: str | int
    active: bool
    scopes: frozenset[str] | None = None
    """The scopes that this user's role allows; None where the vendor does not say."""
    detail: str = ""
    allows: frozenset[str] | None = None
    """What this user's role allows, in the vendor's words; None where the vendor does not say."""
    denies: frozenset[str] = frozenset()
    """What it denies, in the same words."""


Users = Mapping[JsonValue, User]
"""One vendor's users in one environment, by id."""


class Authority(Struct, frozen=True):
    """What the credential that we manage a vendor with is, and what it may do there."""

    remote_id: str
    """By which the vendor would list it."""
    writes: bool
    """Whether it may create and change credentials."""
    scopes: frozenset[str] | None = None
    """What it may do itself, and so at most give; None where that binds nothing that it creates."""
    rule: str = ""
    """The vendor's rule that says so, by its id."""


class Keyring(Protocol):
    """The secrets of one vendor in one environment, for a vendor that asks for them to manage credentials.

    Such a vendor may replace a secret with any answer (RFC 7592 §2.1, §2.2): what it answered is kept before
    anything else is done with it, and the one before is dead.
    """

    async def load(self, remote_id: str) -> Secret:
        """The newest secret of a credential that is recorded here, with every part it was issued with.

        Raises IdentityMissing where no identity opens it, SecretError where none was ever captured.
        """

    async def save(self, issued: Issued) -> None:
        """Take this secret in the place of what is held of its remote id; durable when it returns.

        Raises StateError where the store cannot take it; the sealed secret then lies in the emergency folder.
        """


class Provider(Protocol):
    """One vendor in one environment. All calls are safe to make from one event loop at once."""

    async def observe(self) -> Listing:
        """Everything that exists there, ours or not."""

    async def get(self, remote_id: str) -> Observed | None:
        """One credential; None when it is not there."""

    async def find(self, tag: Tag, spec: Spec) -> tuple[Observed, ...]:
        """Everything that carries this tag: how an interrupted create is found again.

        Where a vendor allows one credential for each user (Identity.USER), the spec's user finds it.
        """

    async def create(self, spec: Spec, tag: Tag) -> Issued:
        """Make a credential that carries the tag. Never retried blindly."""

    async def update(self, remote_id: str, spec: Spec) -> None:
        """Bring the fields to what the spec says. Idempotent."""

    async def renew(self, remote_id: str, spec: Spec, tag: Tag) -> Issued:
        """Replace the secret in place; the old one is dead with the answer. In-place vendors only."""

    async def reveal(self, remote_id: str) -> Issued:
        """Read the present secret again. Vendors with a retrievable secret only."""

    async def revoke(self, remote_id: str) -> None:
        """End a credential. Idempotent: one that is gone is fine."""

    async def verify(self, secret: Secret, spec: Spec) -> Verification:
        """Try the secret the way its consumer would, without spending anything of it."""

    async def users(self) -> tuple[User, ...]:
        """The users that a credential can be linked to; empty where the vendor has none."""

    async def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class KeepsSecrets(Protocol):
    """A provider whose `get`, `update` and `revoke` need the secret itself: it asks to be lent a keyring.

    The engine lends one before it asks for any of them, and holds the lease of the environment meanwhile.
    """

    def lend(self, keyring: Keyring) -> None:
        """Where to get secrets from, and where to keep what replaces them."""


@runtime_checkable
class TellsAuthority(Protocol):
    """A provider that can say what our own management credential is (its capability `authority`)."""

    async def authority(self) -> Authority | None:
        """What it is and may do; None where this one is of a kind that the vendor says nothing of."""
