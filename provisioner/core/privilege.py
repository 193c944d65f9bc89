"""Wider or narrower: what a change of scopes, of the linked user or of the IP ranges does to access.

The order of a vendor's scopes is data in its provider schema: `x-includes: {"full-access": ["read-only"]}`
says that the first holds all that the second allows. Scopes that are not named include only themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network

from provisioner.core.model import JsonValue

Network = IPv4Network | IPv6Network
Includes = Mapping[str, Sequence[str]]


class Effect(StrEnum):
    """What a change does to the access that a credential gives."""

    NONE = ""
    WIDER = "wider"
    NARROWER = "narrower"
    BOTH = "wider and narrower"


WIDENS = frozenset({Effect.WIDER, Effect.BOTH})


def effect(path: str, before: JsonValue, after: JsonValue, includes: Includes) -> Effect:
    """What changing this field from `before` to `after` does to access."""
    match path:
        case "scopes":
            return _of(_closure(before or (), includes), _closure(after or (), includes))
        case "allow_ips":
            return _of_ranges(before, after)
        case "user":
            # Without knowing both users' roles, another user may do what the first may not, and the reverse.
            return Effect.BOTH
    return Effect.NONE


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


def _of(before: frozenset[str], after: frozenset[str]) -> Effect:
    return _judge(wider=not after <= before, narrower=not before <= after)


def _of_ranges(before: Sequence[str] | None, after: Sequence[str] | None) -> Effect:
    if not before or not after:
        # No list means any address.
        return _judge(wider=bool(before) and not after, narrower=bool(after) and not before)
    old, new = [ip_network(text) for text in before], [ip_network(text) for text in after]
    return _judge(wider=not _within(new, old), narrower=not _within(old, new))


def _within(inner: Sequence[Network], outer: Sequence[Network]) -> bool:
    return all(any(_subnet(small, large) for large in outer) for small in inner)


def _subnet(small: Network, large: Network) -> bool:
    if isinstance(small, IPv4Network) and isinstance(large, IPv4Network):
        return small.subnet_of(large)
    if isinstance(small, IPv6Network) and isinstance(large, IPv6Network):
        return small.subnet_of(large)
    return False


def _judge(*, wider: bool, narrower: bool) -> Effect:
    if wider:
        return Effect.BOTH if narrower else Effect.WIDER
    return Effect.NARROWER if narrower else Effect.NONE
