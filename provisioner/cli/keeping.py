"""`provision run`: round after round, until somebody says stop. Time is handed in."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING

from msgspec import Struct, field

from provisioner.cli.backoff import Backoff
from provisioner.cli.rounds import Log, Rounds
from provisioner.core.model import Address
from provisioner.errors import ManifestInvalid, ProvisionError

if TYPE_CHECKING:
    from provisioner.engine.apply import Summary

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Pace(Struct, frozen=True):
    """How the time passes."""

    now: Callable[[], datetime]
    wait: Callable[[float], object]
    """Waits so many seconds, or less where somebody said stop."""


class Keeper(Struct):
    """The rounds of one process, and what failed in them."""

    rounds: Rounds
    every: timedelta
    pace: Pace
    log: Log
    backoff: Backoff = field(default_factory=Backoff)

    def once(self) -> int:
        """One round about everything. Returns the exit code that an apply would have."""
        return self._round(frozenset())

    def until_stopped(self, stopping: Callable[[], bool]) -> None:
        """Round after round; between them, what failed is tried again when its rest is over."""
        due = self.pace.now()
        while not stopping():
            now = self.pace.now()
            if now >= due:
                self._round(frozenset())
                due = max(due + self.every, self.pace.now())
            elif ready := self.backoff.ready(now):
                self._round(ready)
            self._rest(due)

    def _rest(self, due: datetime) -> None:
        until = min(due, self.backoff.next() or due)
        self.pace.wait(max(0.0, (until - self.pace.now()).total_seconds()))

    def _round(self, only: frozenset[Address]) -> int:
        try:
            summary = self.rounds.once(self.backoff.resting(self.pace.now()), only)
        except ProvisionError as error:
            self._tell(error)
            for address in only:
                self._failed(address)
            return error.exit_code
        self._learn(summary, only)
        return summary.exit_code

    def _learn(self, summary: Summary, only: frozenset[Address]) -> None:
        failed = {one.change.address for one in summary.outcomes if one.status == "failed"}
        settled = {one.change.address for one in summary.outcomes if one.status in ("done", "waiting")}
        for address in sorted(failed):
            self._failed(address)
        for address in (settled | only) - failed:
            self.backoff.went_well(address)

    def _failed(self, address: Address) -> None:
        rest = self.backoff.failed(address, self.pace.now())
        self.log(
            "backs off",
            address=str(address),
            failures=rest.failures,
            until=rest.until.isoformat(timespec="seconds"),
        )

    def _tell(self, error: ProvisionError) -> None:
        problems = list(error.problems) if isinstance(error, ManifestInvalid) else []
        self.log(
            "round failed",
            error=type(error).__name__,
            text=error.message,
            remedy=error.remedy,
            problems=problems,
        )


@contextmanager
def signals(log: Log) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; the second raises KeyboardInterrupt at once."""
    stop = threading.Event()

    def told(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        log("stopping", signal=signal.Signals(number).name)

    before = {number: signal.signal(number, told) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def real_time(stop: threading.Event) -> Pace:
    """The machine's clock."""
    return Pace(lambda: datetime.now(UTC), stop.wait)
