"""When is a credential due for renewal, and why: an ordered table of small checks.

The clock is an argument, so any plan can be asked for any moment. All moments are UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from provisioner.core.model import Generation, JsonObject

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


@dataclass(frozen=True, slots=True)
class Policy:
    """How a credential rotates; durations as they stand in the manifest."""

    every: str | None = None
    before: str = "0s"
    overlap: str = DEFAULT_OVERLAP
    allow_downtime: bool = False

    @classmethod
    def of(cls, rotate: JsonObject | None) -> Policy:
        """The policy that a resolved `rotate` mapping says."""
        rotate = rotate or {}
        return cls(
            every=rotate.get("every"),
            before=rotate.get("before", "0s"),
            overlap=rotate.get("overlap", DEFAULT_OVERLAP),
            allow_downtime=rotate.get("allow_downtime", False),
        )


@dataclass(frozen=True, slots=True)
class Due:
    """From when on a renewal is due, and why, in words."""

    at: datetime
    why: str


def due(policy: Policy, generation: Generation) -> Due | None:
    """The earliest moment at which this generation is to be renewed; None for never."""
    found = [answer for check in CHECKS.values() if (answer := check(policy, generation))]
    return min(found, key=lambda answer: answer.at, default=None)


def _age(policy: Policy, generation: Generation) -> Due | None:
    if policy.every is None:
        return None
    since = f"since {generation.created_at:%Y-%m-%d}"
    at = generation.created_at + duration(policy.every) - duration(policy.before)
    if duration(policy.before):
        return Due(at, f"within {policy.before} of {policy.every} {since}")
    return Due(at, f"older than {policy.every} {since}")


def _expiry(policy: Policy, generation: Generation) -> Due | None:
    if generation.expires_at is None:
        return None
    return Due(
        generation.expires_at - duration(policy.before), f"expires on {generation.expires_at:%Y-%m-%d}"
    )


CHECKS: Mapping[str, Callable[[Policy, Generation], Due | None]] = {"age": _age, "expiry": _expiry}
"""What can make a credential due."""
