"""Before the planner: which addresses are plainly as they were recorded, by comparing texts.

What passes has no change in any plan without observations, whatever `planner.CHECKS` would look at: the same
provider, way, user, fields and local as recorded, one active generation with a known secret and no other that
lives, and no renewal due. Where there is any doubt an address does not pass, and the planner decides; a
property test holds that leaving out what passes changes no plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from provisioner.core.canonical import read_json
from provisioner.core.model import GenerationState
from provisioner.core.renewal import Policy, duration

RecordRow = tuple[str, str, str, str, str, str, int, bool, str | None]
"""fields, local, environment, name, provider, via, version, secret_known, user: as the store keeps them."""

GenerationRow = tuple[str, str, int, str, str, str, str, str | None, str | None, str, str | None]
"""environment, name, then the fields of a `Generation` in their order, moments as text."""

Key = tuple[str, str]
"""Environment and name."""

_ACTIVE: Final = GenerationState.ACTIVE.value
_RETIRED: Final = GenerationState.RETIRED.value
_NEVER: Final = ("~", "~")
"""Bounds that no moment passes."""


def settled(
    lines: Sequence[str],
    records: Iterable[RecordRow],
    generations: Iterable[GenerationRow],
    *,
    now: datetime,
    since: datetime | None = None,
    besides: frozenset[Key] = frozenset(),
) -> set[Key]:
    """The addresses of these lines (core.sheet) that are plainly unchanged.

    What was issued before `since` does not pass, because something is to be said of it; nor do `besides`.
    """
    recorded = _recorded(records, _one_active_alone(generations))
    earliest, latest = _text(since) if since else "", _text(now)
    bounds: dict[str, tuple[str, str]] = {}
    found = set()
    for line in lines:
        start, rotate, _, before, _, _, _, _ = line.rsplit("\t", 7)
        if before or start not in recorded:
            continue
        if rotate not in bounds:
            bounds[rotate] = _bounds(rotate, now)
        after, expiring = bounds[rotate]
        key, created, expires = recorded[start]
        # A colon sorts after every digit: what is no moment at all passes neither comparison.
        if max(after, earliest) < created <= latest and (expires is None or expiring < expires < ":"):
            found.add(key)
    return found - besides


def _recorded(
    records: Iterable[RecordRow], issued: Mapping[Key, tuple[str, str | None] | None]
) -> dict[str, tuple[Key, str, str | None]]:
    """The addresses that may pass, by how the line of a credential begins that is as it was recorded."""
    found = {}
    for fields, local, environment, name, provider, via, _, known, user in records:
        moments = issued.get((environment, name)) if known else None
        if moments is not None:
            start = f"{environment}\t{name}\t{provider}\t{via}\t{user or ''}\t{fields}\t{local}"
            found[start] = ((environment, name), *moments)
    return found


def _one_active_alone(generations: Iterable[GenerationRow]) -> dict[Key, tuple[str, str | None] | None]:
    """When the one living generation was made and expires; None for an address with another that lives."""
    found: dict[Key, tuple[str, str | None] | None] = {}
    for environment, name, _, state, _, _, created, expires, _, elsewhere, _ in generations:
        if state != _RETIRED:
            key = environment, name
            alone = state == _ACTIVE and key not in found and not elsewhere
            found[key] = (created, expires) if alone else None
    return found


def _bounds(rotate: str, now: datetime) -> tuple[str, str]:
    """After which creation, and after which expiry, a generation is surely not due (core.renewal).

    The whole jitter is taken for each address's share of it, and a window only ever makes it later.
    """
    policy = Policy.of(read_json(rotate))
    try:
        early = duration(policy.before) + duration(policy.jitter)
        after = _text(now - duration(policy.every) + early) if policy.every is not None else ""
        return after, _text(now + early)
    except (OverflowError, ValueError):
        return _NEVER


def _text(moment: datetime) -> str:
    """As the store keeps moments: of one width, so that they sort as they are."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
