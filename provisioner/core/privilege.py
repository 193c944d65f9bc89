"""Wider or narrower, and why: what a change of one field does to the access that a credential gives.

Each vendor's order is data in its provider schema, and only a partial one. For scopes
`x-includes: {"full-access": ["read-only"]}` says that the first holds all that the second allows; what is not
named includes only itself. For a setting `x-width` lists its values, the narrowest first, each with the words
for what it allows. IP ranges are ordered by the addresses in them, users by what their roles allow, where the
vendor says so: not knowing both roles, either may do what the other may not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from provisioner.core.capabilities import FieldRules, Width
from provisioner.core.model import JsonValue
from provisioner.core.provider import User, Users
from provisioner.core.ranges import beyond

Includes = Mapping[str, Sequence[str]]

MOST_NAMED = 3
"""How many of what is added or dropped is named; the rest is counted."""


class Effect(StrEnum):
    """What a change does to the access that a credential gives."""

    NONE = ""
    WIDER = "wider"
    NARROWER = "narrower"
    BOTH = "wider and narrower"


class Weight(Struct, frozen=True):
    """A change of access: what it adds and what it takes away, in words; empty for nothing."""

    more: str = ""
    less: str = ""

    @property
    def effect(self) -> Effect:
        """The two as one word for it."""
        if self.more:
            return Effect.BOTH if self.less else Effect.WIDER
        return Effect.NARROWER if self.less else Effect.NONE

    def __str__(self) -> str:
        """`wider: adds duitnow:transfer`; empty where access stays as it is."""
        why = "; ".join(dict.fromkeys(words for words in (self.more, self.less) if words))
        return f"{self.effect}: {why}" if why else ""


def weigh(
    path: str, before: JsonValue, after: JsonValue, rules: FieldRules, users: Users | None = None
) -> Weight:
    """What changing this field from `before` to `after` does; None stands for a field that is not set.

    `users` are the vendor's, where it was asked for them.
    """
    if path == "scopes":
        return _of_scopes(before or (), after or (), rules.includes)
    if path == "allow_ips":
        return _of_ranges(before, after)
    if path == "user":
        return _of_users(before, after, users or {})
    if path in rules.widths:
        return _of_values(before, after, rules.widths[path])
    return Weight()


def covers(granted: Iterable[str], asked: Iterable[str], includes: Includes) -> bool:
    """Whether all of `granted` is within `asked`: a vendor may grant less, never more."""
    return _closure(granted, includes) <= _closure(asked, includes)


def width(scopes: Iterable[str] | None, includes: Includes) -> float:
    """How much these scopes allow, to compare by; a vendor without scopes allows everything."""
    return math.inf if scopes is None else len(_closure(scopes, includes))


def _closure(scopes: Iterable[str], includes: Includes) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(scopes)
    while waiting:
        scope = waiting.pop()
        if scope not in found:
            found.add(scope)
            waiting.extend(includes.get(scope, ()))
    return frozenset(found)


def _of_scopes(before: Iterable[str], after: Iterable[str], includes: Includes) -> Weight:
    old, new = _closure(before, includes), _closure(after, includes)
    return Weight(
        _names("adds", _smallest(new - old, includes)), _names("drops", _smallest(old - new, includes))
    )


def _smallest(scopes: frozenset[str], includes: Includes) -> list[str]:
    """Those that hold nothing else, which say best what is new; all, where there are none such."""
    return sorted(scope for scope in scopes if not includes.get(scope)) or sorted(scopes)


def _of_ranges(before: Sequence[str] | None, after: Sequence[str] | None) -> Weight:
    added, dropped = beyond(after, before), beyond(before, after)
    more, less = _names("adds", added), _names("drops", dropped)
    if added and not after:
        more = "any address may call"
    if dropped and not before:
        less = f"only {_some(after or ())} may call"
    return Weight(more, less)


def _of_users(before: JsonValue, after: JsonValue, users: Users) -> Weight:
    if before == after and type(before) is type(after):
        return Weight()
    old, new = users.get(before), users.get(after)
    if old is None or new is None or old.allows is None or new.allows is None:
        unknown = "another user, and not both roles are known"
        return Weight(unknown, unknown)
    return Weight(
        _of_role(new, "allows", new.allows - old.allows), _of_role(new, "denies", old.allows - new.allows)
    )


def _of_role(user: User, verb: str, rights: frozenset[str]) -> str:
    return _names(f"the role of {user.id} {verb}", sorted(rights))


def _of_values(before: JsonValue, after: JsonValue, widths: Sequence[Width]) -> Weight:
    old, new = _rank(before, widths), _rank(after, widths)
    if old is None or new is None or old == new:
        return Weight()
    words = widths[new].allows
    return Weight(more=words) if new > old else Weight(less=words)


def _rank(value: JsonValue, widths: Sequence[Width]) -> int | None:
    """The place of a value, or of the one that the vendor takes where none is set."""
    for place, one in enumerate(widths):
        if (value is None and one.unset) or (one.value == value and type(one.value) is type(value)):
            return place
    return None


def _names(verb: str, names: Sequence[str]) -> str:
    return f"{verb} {_some(names)}" if names else ""


def _some(names: Sequence[str]) -> str:
    named, rest = names[:MOST_NAMED], len(names) - MOST_NAMED
    return ", ".join(named) + (f" and {rest} more" if rest > 0 else "")
