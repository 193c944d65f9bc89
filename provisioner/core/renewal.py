"""When is a credential due for renewal, and why: an ordered table of small checks.

The clock is an argument, so any plan can be asked for any moment. All moments are UTC.

Due is the earliest of age and the vendor's own expiry, less `before`, and less a `jitter` of its own for
each address. A `window` moves it to when the window opens, unless that is only after the age or the expiry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from provisioner.core.capabilities import Capabilities, Renewal
from provisioner.core.model import Address, Generation, JsonObject
from provisioner.core.windows import window

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

DEFAULT_OVERLAP = "24h"
"""How long an old secret lives on beside the new one where the manifest does not say."""


@lru_cache(maxsize=1024)
def duration(text: str) -> timedelta:
    """Read `90d`, `36h`, `30m`, `45s` or `2w`. Raises ValueError for anything else."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not (number.isascii() and number.isdecimal()):
        raise ValueError(f"{text!r} is not a duration: write a number and one of s, m, h, d, w, like 90d")
    return timedelta(**{UNITS[unit]: int(number)})


class Policy(Struct, frozen=True):
    """How a credential rotates; durations and the window as they stand in the manifest."""

    every: str | None = None
    before: str = "0s"
    overlap: str = DEFAULT_OVERLAP
    window: str | None = None
    jitter: str = "0s"
    allow_downtime: bool = False

    @classmethod
    def of(cls, rotate: JsonObject | None) -> Policy:
        """The policy that a resolved `rotate` mapping says."""
        return cls(**(rotate or {}))


class Due(Struct, frozen=True):
    """From when on a renewal is due, the last moment for it, and why, in words."""

    at: datetime
    limit: datetime
    """The age or the expiry itself."""
    why: str


def due(policy: Policy, address: Address, generation: Generation, now: datetime) -> Due | None:
    """From when on this generation is to be renewed, as seen from `now`; None for never."""
    found = [answer for check in CHECKS.values() if (answer := check(policy, generation))]
    if not found:
        return None
    first = min(found, key=lambda answer: answer.at)
    limit = min(answer.limit for answer in found)
    early = replace(first, at=first.at - _jitter(policy, address), limit=limit)
    return _into_window(policy, early, now)


def _age(policy: Policy, generation: Generation) -> Due | None:
    if policy.every is None:
        return None
    since = f"since {generation.created_at:%Y-%m-%d}"
    limit = generation.created_at + duration(policy.every)
    early = duration(policy.before)
    why = (
        f"within {policy.before} of {policy.every} {since}" if early else f"older than {policy.every} {since}"
    )
    return Due(limit - early, limit, why)


def _expiry(policy: Policy, generation: Generation) -> Due | None:
    limit = generation.expires_at
    if limit is None:
        return None
    return Due(limit - duration(policy.before), limit, f"expires on {limit:%Y-%m-%d}")


CHECKS: Mapping[str, Callable[[Policy, Generation], Due | None]] = {"age": _age, "expiry": _expiry}
"""What can make a credential due."""


def _jitter(policy: Policy, address: Address) -> timedelta:
    """The same share of the jitter for the same address, always; earlier, so that no age is passed."""
    digest = hashlib.sha256(str(address).encode()).digest()
    return duration(policy.jitter) * (int.from_bytes(digest[:4], "big") / 2**32)


def _into_window(policy: Policy, found: Due, now: datetime) -> Due:
    if policy.window is None:
        return found
    opening = window(policy.window).next_opening(max(found.at, now))
    if opening is None or opening.start >= found.limit:
        return found  # waiting for it would let the secret grow too old
    return replace(found, at=max(found.at, opening.start), why=f"{found.why}, in window {policy.window}")


class Flaw(Struct, frozen=True):
    """A policy that cannot be kept: the key to look at, and what is wrong with it."""

    key: str
    text: str


def flaws(rotate: JsonObject, capabilities: Capabilities, vendor: str = "this vendor") -> Iterator[Flaw]:
    """What in a resolved `rotate` mapping this vendor, or nobody, can keep."""
    policy = Policy.of(rotate)
    if policy.window is not None:
        try:
            window(policy.window)
        except ValueError as error:
            yield Flaw("window", str(error))
    if capabilities.renew is Renewal.IN_PLACE and "overlap" in rotate and not policy.allow_downtime:
        yield Flaw(
            "overlap",
            f"{vendor} renews in place, so old and new never live side by side: accept the outage with"
            " allow_downtime: true, or declare `overlap` only where it can be kept",
        )
    yield from _too_tight(policy, capabilities)


def _too_tight(policy: Policy, capabilities: Capabilities) -> Iterator[Flaw]:
    if policy.every is None:
        return
    every, before = duration(policy.every), duration(policy.before)
    beside = duration(policy.overlap) if capabilities.renew is Renewal.OVERLAP else timedelta(0)
    if before + duration(policy.jitter) + beside >= every:
        yield Flaw(
            "every",
            f"before, jitter and overlap do not fit into {policy.every}: make it longer, or them shorter",
        )
