"""Which credentials are linked to a user, whom a person names as the manifests do or as a vendor does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from provisioner.cli.output import say
from provisioner.cli.planning import nearest
from provisioner.core.model import Address, Desired, JsonObject, JsonValue, Record
from provisioner.errors import ProvisionError, UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session


class Link(Struct, frozen=True):
    """One user."""

    name: str
    identities: JsonObject | None
    """What the manifests call them at each vendor; None for a name that no manifest has."""

    def by(self, held: Record | Desired) -> bool:
        """Whether this credential is linked to them."""
        return self.holds(held.provider, held.user, held.fields.get("user"))

    def holds(self, provider: str, name: str | None, identity: JsonValue) -> bool:
        """By the manifests' name, also an older one, since the vendor's stays; or by the vendor's alone."""
        if name == self.name:
            return True
        if self.identities is None:
            return identity is not None and str(identity) == self.name
        return identity is not None and self.identities.get(provider) == identity

    def among(self, provider: str, users: Collection[str]) -> bool:
        """Whether one of these is them; each is a name of the manifests, or this vendor's."""
        theirs = (self.identities or {}).get(provider)
        return self.name in users or (theirs is not None and str(theirs) in users)


def to(session: Session, name: str) -> Link:
    """The user of this name. Raises UsageError, with the nearest one, where nothing was ever linked to it."""
    users = session.project.users
    if name in users:
        return Link(name, users[name])
    with session.store() as store:
        known = {*users, *_names(store.all_records().values()), *_names(session.project.desired)}
    known.update(str(one) for names in users.values() for one in names.values())
    if name not in known:
        raise UsageError(f"there is no user {name!r}", remedy=nearest(name, known))
    return Link(name, None)


def recorded(session: Session, name: str) -> tuple[Address, ...]:
    """The credentials that can still be used and are linked to this user, sorted.

    Raises UsageError for a name that nobody has, and ProvisionError for a user without any.
    """
    link = to(session, name)
    with session.store() as store:
        records = store.all_records()
    found = [address for address, record in sorted(records.items()) if record.live and link.by(record)]
    reached = tuple(address for address in found if address.environment in session.project.environments)
    for address in sorted(set(found) - set(reached)):
        say(f"Note: {address} is left alone: provision.yaml declares no environment {address.environment}.")
    if not reached:
        raise ProvisionError(f"nothing that can still be used is linked to {name}", remedy="provision status")
    return reached


def _names(held: Iterable[Record | Desired]) -> Iterator[str]:
    for one in held:
        if one.user is not None:
            yield one.user
        if one.fields.get("user") is not None:
            yield str(one.fields["user"])
