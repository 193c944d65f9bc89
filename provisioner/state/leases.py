"""Leases: at most one run writes to an environment, and one that lost its lease writes nothing (design §8).

Each acquire counts the row's epoch up. Every transaction of a run first reads its rows with a lock and
compares epochs, so a run that was paused, and overtaken, is fenced: in this transaction and forever.
A lease that ran out but was not taken is still ours; it is prolonged before anything is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, false, or_, select

from provisioner.errors import Fenced, LeaseHeld, ProvisionError
from provisioner.state import process
from provisioner.state.rows import stored
from provisioner.state.tables import LEASES, insert_into
from provisioner.state.values import Place

BEATS = 3
"""How often a lease is prolonged within its length: two beats may fail before it runs out."""

COLUMNS = (
    LEASES.c.environment,
    LEASES.c.holder,
    LEASES.c.host,
    LEASES.c.pid,
    LEASES.c.birth,
    LEASES.c.epoch,
    LEASES.c.acquired_at,
    LEASES.c.expires_at,
)


@cache
def _chosen(count: int) -> Select[Any]:
    """The leases of so many environments, by `project` and `e0`, `e1` …; every transaction begins with it."""
    names = [LEASES.c.environment == bindparam(f"e{number}") for number in range(count)]
    of_ours = select(*COLUMNS).where(LEASES.c.project == bindparam("project"), or_(false(), *names))
    return of_ours.order_by(LEASES.c.environment).with_for_update()


class Leases:
    """The leases of one run. Only the writer's thread uses them, but for `held`."""

    def __init__(self, project: str, seconds: float, now: Callable[[Connection], datetime]) -> None:
        self._project = project
        self._length = timedelta(seconds=seconds)
        self._now = now
        self._place = process.here()
        self._epochs: dict[str, int] = {}
        self._lost: Fenced | None = None
        self._next_beat = 0.0

    @property
    def held(self) -> frozenset[str]:
        """The environments whose lease this run has."""
        return frozenset(self._epochs)

    def beat_in(self) -> float | None:
        """Seconds until the leases should be prolonged; None where nothing is held, or all is lost."""
        if not self._epochs or self._lost:
            return None
        return max(0.0, self._next_beat - time.monotonic())

    def acquire(self, connection: Connection, environments: Collection[str], holder: str) -> dict[str, int]:
        """Take each lease, or none; give the epochs back for `acquired`. Raises LeaseHeld."""
        wanted = sorted(set(environments) - self.held)  # one order for all runs, so none waits in a circle
        self._make_rows(connection, wanted)
        rows = self._rows(connection, wanted)
        now = self._now(connection)
        taken = [row for row in rows if not _free(row, now)]
        if taken:
            raise _held_error(taken)
        for row in rows:
            self._take(connection, row, holder, now)
        return {row.environment: row.epoch + 1 for row in rows}

    def acquired(self, epochs: Mapping[str, int]) -> None:
        """Count these leases as ours, once the transaction that took them is durable."""
        self._next_beat = time.monotonic() + self._length.total_seconds() / BEATS
        self._epochs = self._epochs | dict(epochs)

    def due(self) -> bool:
        """Whether it is time to prolong. Asking counts, so a store that fails gets its pause as well."""
        if self.beat_in() != 0.0:
            return False
        self._next_beat = time.monotonic() + self._length.total_seconds() / BEATS
        return True

    def guard(self, connection: Connection, *, prolong: bool) -> None:
        """Let this transaction go on only while every lease is ours. Raises Fenced.

        A lease that ran out is prolonged at once, the others when `prolong` says so.
        """
        if self._lost:
            raise self._lost
        if not self._epochs:
            return
        rows = self._rows(connection, sorted(self._epochs))
        lost = [row for row in rows if row.epoch != self._epochs[row.environment]]
        if lost or len(rows) < len(self._epochs):
            self._lost = _fenced(lost)
            raise self._lost
        now = self._now(connection)
        if prolong or any(row.expires_at <= stored(now) for row in rows):
            self._prolong(connection, now)

    def release(self, connection: Connection) -> None:
        """Give every lease back; the rows stay, because their epochs count on."""
        for environment, epoch in self._epochs.items():
            connection.execute(
                LEASES.update()
                .where(self._mine(environment), LEASES.c.epoch == epoch)
                .values(holder="", host="", pid=0, birth="")
            )

    def released(self, _: None) -> None:
        """Count nothing as ours any more."""
        self._epochs = {}

    def _prolong(self, connection: Connection, now: datetime) -> None:
        for environment in sorted(self._epochs):
            connection.execute(
                LEASES.update().where(self._mine(environment)).values(expires_at=stored(now + self._length))
            )

    def _make_rows(self, connection: Connection, environments: Sequence[str]) -> None:
        insert = insert_into(LEASES, connection.dialect.name).on_conflict_do_nothing()
        blank = {"holder": "", "host": "", "pid": 0, "birth": "", "epoch": 0}
        moments = dict.fromkeys(("acquired_at", "expires_at"), stored(self._now(connection)))
        for environment in environments:
            key = {"project": self._project, "environment": environment}
            connection.execute(insert, key | blank | moments)

    def _rows(self, connection: Connection, environments: Sequence[str]) -> Sequence[Any]:
        names = {f"e{number}": name for number, name in enumerate(environments)}
        return connection.execute(_chosen(len(names)), {"project": self._project, **names}).all()

    def _take(self, connection: Connection, row: Any, holder: str, now: datetime) -> None:
        place = self._place
        connection.execute(
            LEASES.update()
            .where(self._mine(row.environment))
            .values(
                holder=holder,
                host=place.host,
                pid=place.pid,
                birth=place.birth,
                epoch=row.epoch + 1,
                acquired_at=stored(now),
                expires_at=stored(now + self._length),
            )
        )

    def _mine(self, environment: str) -> Any:
        return (LEASES.c.project == self._project) & (LEASES.c.environment == environment)


def not_held(environments: Collection[str]) -> ProvisionError:
    """The error for a write to an environment whose lease this run never took, or gave back."""
    return Fenced(
        f"this run does not hold the lease of {', '.join(sorted(environments))}, so it writes nothing there",
        remedy="run the command again",
    )


def _free(row: Any, now: datetime) -> bool:
    if not row.holder or row.expires_at <= stored(now):
        return True
    return process.is_dead(Place(row.host, row.pid, row.birth))


def _held_error(rows: Sequence[Any]) -> LeaseHeld:
    told = [
        f"{row.holder} works on {row.environment} from host {row.host} since {_clock(row.acquired_at)}"
        f" (its lease ends {_clock(row.expires_at)} unless it goes on)"
        for row in rows
    ]
    return LeaseHeld(
        "; ".join(told),
        remedy="wait until that run is done; if it died, its lease ends by itself at the time given",
    )


def _fenced(lost: Sequence[Any]) -> Fenced:
    by = [
        f"{row.environment} by {row.holder or 'a run that is already done'}, {_clock(row.acquired_at)}"
        for row in lost
    ]
    return Fenced(
        f"this run lost its lease ({'; '.join(by) or 'its row is gone'}), so it writes nothing more",
        remedy="nothing is lost: run the command again, and it goes on from what was saved",
    )


def _clock(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M:%S} UTC"
