"""Linked users: is the one that a credential names there, active, and allowed what its scopes say?

A vendor enforces the linked user's role (PS4), asks for a user with some scopes (PS3), or grants to active
users only (TC8): what it would refuse in the middle of an apply waits in the plan, for that credential only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from provisioner.core.capabilities import field_rules
from provisioner.core.model import Address, Desired, JsonObject
from provisioner.core.privilege import Includes, covers
from provisioner.core.provider import User, Users
from provisioner.core.situation import Situation

LINK_ANOTHER = "link another user"


def flaw(provider: str, fields: JsonObject, users: Users, includes: Includes) -> str:
    """Why this vendor would not take these fields' user, and what to do; empty where it would."""
    name = fields.get("user")
    if name is None:
        return ""
    user = users.get(name)
    if user is None:
        return f"user {name} does not exist at {provider}: {LINK_ANOTHER}, or have it made there"
    if not user.active:
        return f"user {name} is not active at {provider}: {LINK_ANOTHER}, or have it activated there"
    asked: Sequence[str] = fields.get("scopes", ())
    if user.scopes is None or user.scopes.issuperset(asked) or covers(asked, user.scopes, includes):
        return ""
    may = f" ({user.detail})" if user.detail else ""
    return f"user {name} may not do {', '.join(asked)} at {provider}{may}: {LINK_ANOTHER}, or change its role"


def limits(fields: JsonObject, users: Users) -> str:
    """What the role of the linked user denies to its credential (PS4); empty for nothing that is known."""
    user: User | None = users.get(fields.get("user"))
    if user is None or not user.denies:
        return ""
    return f"the role of user {user.id} denies {', '.join(sorted(user.denies))}, to this credential too"


def left(situation: Situation, besides: Collection[Address]) -> Iterator[str]:
    """What is wrong with the users of credentials in use, in words, `besides` those that tell of it."""
    if not situation.users:
        return
    rules = {name: field_rules(one.schema).includes for name, one in situation.declarations.items()}
    for desired in situation.desired:
        asked = situation.users.get((desired.provider, desired.address.environment))
        if asked is None or desired.address in besides or not _in_use(situation, desired):
            continue
        if why := flaw(desired.provider, desired.fields, asked, rules[desired.provider]):
            yield f"{desired.address}: {why}"


def _in_use(situation: Situation, desired: Desired) -> bool:
    record = situation.records.get(desired.address)
    return record is not None and record.active is not None and situation.selection.holds(desired.address)
