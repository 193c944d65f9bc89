"""One thread that writes: whatever waits while one transaction runs shares the next (group commit).

Each caller hears of success only once the transaction is durable. What a caller asked that cannot be
(a broken constraint) fails alone, by a savepoint of its own; what keeps the transaction from being
committed fails everyone in it. Between the callers' work the thread prolongs the leases.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import groupby
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from provisioner.errors import ProvisionError, StateError
from provisioner.state import writes
from provisioner.state.database import Database, Savepoint
from provisioner.state.leases import Leases

Work = Callable[[Connection], Any]

MOST = 500
"""After how many callers a transaction takes no more; a bound on how long the first of them waits."""


class Job(Struct, frozen=True):
    """One caller's work, and where its outcome goes."""

    work: Work
    future: Future[Any] | asyncio.Future[None]
    then: Callable[[Any], None] = lambda _: None
    """Told the result in the writer's thread, once it is durable and before the caller hears of it."""
    commit: writes.Commit | None = None
    """Where the work is only this, which can go together with others'."""


class Outcome(Struct, frozen=True):
    """What became of one caller's work."""

    result: Any = None
    refusal: BaseException | None = None


class Writer:
    """Takes work from any thread, in order; `close` finishes what was taken."""

    def __init__(self, database: Database, leases: Leases, project: str) -> None:
        self._database = database
        self._leases = leases
        self._project = project
        self._waiting: queue.SimpleQueue[Sequence[Job] | None] = queue.SimpleQueue()
        self._gathered: list[Job] = []
        self._thread = threading.Thread(target=self._run, name="provision-state", daemon=True)
        self._thread.start()

    def submit(self, work: Work, then: Callable[[Any], None] = lambda _: None) -> Future[Any]:
        """Do the work in a durable transaction, then `then`; the future tells its result or why not."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # who stops waiting does not take a write back
        self._hand_over()
        self._waiting.put([Job(work, future, then)])
        return future

    def commit(self, commit: writes.Commit) -> asyncio.Future[None]:
        """Make this durable; for callers in an event loop. Who stops waiting does not take it back.

        What one turn of the loop asks for is handed over at its end: waking the thread for each would have
        both of them wait for each other.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if not self._gathered:
            loop.call_soon(self._hand_over)
        self._gathered.append(
            Job(lambda connection: self._apply(connection, [commit]), future, commit=commit)
        )
        return future

    def close(self) -> None:
        """Finish what was submitted and end the thread."""
        self._hand_over()
        self._waiting.put(None)
        self._thread.join()

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._waiting.put(gathered)

    def _run(self) -> None:
        going_on = True
        while going_on:
            jobs, going_on = self._take()
            self._serve(jobs)

    def _take(self) -> tuple[Sequence[Job], bool]:
        """Whatever waits now, and at least one; nothing when it is time to prolong the leases.

        Tells also whether there may be more to come.
        """
        jobs: list[Job] = []
        try:
            taken = self._waiting.get(timeout=self._leases.beat_in())
            while taken is not None:
                jobs += taken
                if len(jobs) >= MOST:
                    break
                taken = self._waiting.get_nowait()
        except queue.Empty:
            return jobs, True
        return jobs, taken is not None

    def _serve(self, jobs: Sequence[Job]) -> None:
        prolong = self._leases.due()
        try:
            with self._database.writing() as connection:
                self._leases.guard(connection, prolong=prolong)
                outcomes = list(self._outcomes(connection, jobs))
        except BaseException as error:  # noqa: BLE001  # whatever it was, each caller must hear of it
            _tell((job, Outcome(refusal=_own(error))) for job in jobs)
            return
        for job, outcome in zip(jobs, outcomes, strict=True):
            if outcome.refusal is None:
                job.then(outcome.result)
        _tell(zip(jobs, outcomes, strict=True))

    def _outcomes(self, connection: Connection, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Commits that stand next to each other go together, and by themselves where one cannot be."""
        for shared, found in groupby(jobs, key=lambda job: job.commit is not None):
            some = list(found)
            if shared and len(some) > 1 and self._together(connection, some):
                yield from (Outcome() for _ in some)
            else:
                yield from (_attempt(connection, job) for job in some)

    def _together(self, connection: Connection, jobs: Sequence[Job]) -> bool:
        commits = [job.commit for job in jobs if job.commit is not None]
        savepoint = Savepoint(connection)
        try:
            self._apply(connection, commits)
            savepoint.release()
        except (IntegrityError, DataError):
            savepoint.rollback()
            return False
        except DBAPIError:
            raise
        except Exception:  # noqa: BLE001  # it is one caller's own, who hears of it by itself
            savepoint.rollback()
            return False
        return True

    def _apply(self, connection: Connection, commits: Sequence[writes.Commit]) -> None:
        writes.apply(connection, self._project, commits)


def _attempt(connection: Connection, job: Job) -> Outcome:
    savepoint = Savepoint(connection)
    try:
        result = job.work(connection)
        savepoint.release()
    except (IntegrityError, DataError) as error:
        savepoint.rollback()
        refused = StateError(
            f"the state store refuses a write: {str(error.orig).splitlines()[0]}",
            remedy="plan again; if it happens again, please report it: provision asked for what cannot be",
        )
        refused.__cause__ = error
        return Outcome(refusal=refused)
    except DBAPIError:
        raise  # the store itself fails: nobody's work can be committed
    except Exception as error:  # noqa: BLE001  # it is this caller's own, and goes to it
        savepoint.rollback()
        return Outcome(refusal=error)
    return Outcome(result)


def _tell(outcomes: Iterable[tuple[Job, Outcome]]) -> None:
    """Let every caller hear of it; those of one event loop by one call, since each wakes it up."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], Outcome]]] = {}
    for job, outcome in outcomes:
        if isinstance(job.future, asyncio.Future):
            loops.setdefault(job.future.get_loop(), []).append((job.future, outcome))
        else:
            _settle(job.future, outcome)
    for loop, some in loops.items():
        with suppress(RuntimeError):  # a loop that was closed has nobody left who waits
            loop.call_soon_threadsafe(_settle_all, some)


def _settle_all(some: Sequence[tuple[asyncio.Future[None], Outcome]]) -> None:
    for future, outcome in some:
        if not future.done():
            _settle(future, outcome)


def _settle(future: Future[Any] | asyncio.Future[None], outcome: Outcome) -> None:
    if outcome.refusal is not None:
        future.set_exception(outcome.refusal)
    else:
        future.set_result(outcome.result)


def _own(error: BaseException) -> BaseException:
    """An error for one caller alone: a traceback that several share grows with each."""
    if not isinstance(error, ProvisionError):
        return error
    own = type(error)(error.message, remedy=error.remedy)
    own.__cause__ = error.__cause__
    return own
