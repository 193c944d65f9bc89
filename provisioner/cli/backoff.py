"""How long to leave a credential alone after it failed: a minute, then twice as long, up to an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct, field

from provisioner.core.model import Address

FIRST = timedelta(minutes=1)
LONGEST = timedelta(hours=1)


class Rest(Struct, frozen=True):
    """One credential's failures in a row, and when it may be tried again."""

    failures: int
    until: datetime


class Backoff(Struct):
    """Which credentials failed, each by itself. Forgotten when the process ends: a new one tries at once."""

    _resting: dict[Address, Rest] = field(default_factory=dict)

    def failed(self, address: Address, now: datetime) -> Rest:
        """It failed once more."""
        before = self._resting.get(address)
        failures = before.failures + 1 if before else 1
        # The exponent is capped because a week of failures would pass what a timedelta can hold.
        length = min(FIRST * 2 ** min(failures - 1, 10), LONGEST)
        self._resting[address] = Rest(failures, now + length)
        return self._resting[address]

    def went_well(self, address: Address) -> None:
        """It did not fail."""
        self._resting.pop(address, None)

    def resting(self, now: datetime) -> frozenset[Address]:
        """What is to be left alone now."""
        return frozenset(address for address, rest in self._resting.items() if rest.until > now)

    def ready(self, now: datetime) -> frozenset[Address]:
        """What failed before, and may be tried again."""
        return frozenset(self._resting) - self.resting(now)

    def next(self) -> datetime | None:
        """When the first of them may be tried again; None where nothing failed."""
        return min((rest.until for rest in self._resting.values()), default=None)
