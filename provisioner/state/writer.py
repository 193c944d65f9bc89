"""One thread that writes: whatever waits while one transaction runs shares the next (group commit).

Each caller hears of success only once the transaction is durable. What a caller asked that cannot be
(a broken constraint) fails alone, by a savepoint of its own; what keeps the transaction from being
committed fails everyone in it. Between the callers' work the thread prolongs the leases.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from provisioner.errors import ProvisionError, StateError
from provisioner.state.database import Database
from provisioner.state.leases import Leases

Work = Callable[[Connection], Any]

MOST = 500
"""How many callers one transaction serves; a bound on how long the first of them waits."""


@dataclass(frozen=True, slots=True)
class Job:
    """One caller's work, and where its outcome goes."""

    work: Work
    then: Callable[[Any], None]
    """Told the result in the writer's thread, once it is durable and before the caller hears of it."""
    future: Future[Any] = field(default_factory=Future)


class Writer:
    """Takes work from any thread, in order; `close` finishes what was taken."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self._database = database
        self._leases = leases
        self._waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="provision-state", daemon=True)
        self._thread.start()

    def submit(self, work: Work, then: Callable[[Any], None] = lambda _: None) -> Future[Any]:
        """Do the work in a durable transaction, then `then`; the future tells its result or why not."""
        job = Job(work, then)
        job.future.set_running_or_notify_cancel()  # who stops waiting does not take a write back
        self._waiting.put(job)
        return job.future

    def close(self) -> None:
        """Finish what was submitted and end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        going_on = True
        while going_on:
            taken = self._take()
            going_on = None not in taken
            self._serve([job for job in taken if job is not None])

    def _take(self) -> list[Job | None]:
        """Whatever waits now, and at least one; nothing when it is time to prolong the leases."""
        try:
            taken = [self._waiting.get(timeout=self._leases.beat_in())]
        except queue.Empty:
            return []
        while len(taken) < MOST and taken[-1] is not None and not self._waiting.empty():
            taken.append(self._waiting.get())
        return taken

    def _serve(self, jobs: Sequence[Job]) -> None:
        prolong = self._leases.due()
        try:
            with self._database.writing() as connection:
                self._leases.guard(connection, prolong=prolong)
                outcomes = [_attempt(connection, job) for job in jobs]
        except BaseException as error:  # noqa: BLE001  # whatever it was, each caller must hear of it
            for job in jobs:
                job.future.set_exception(_own(error))
            return
        for job, (result, refusal) in zip(jobs, outcomes, strict=True):
            if refusal is not None:
                job.future.set_exception(refusal)
                continue
            job.then(result)
            job.future.set_result(result)


def _attempt(connection: Connection, job: Job) -> tuple[Any, Exception | None]:
    savepoint = connection.begin_nested()
    try:
        result = job.work(connection)
        savepoint.commit()
    except (IntegrityError, DataError) as error:
        savepoint.rollback()
        refused = StateError(
            f"the state store refuses a write: {str(error.orig).splitlines()[0]}",
            remedy="plan again; if it happens again, please report it: provision asked for what cannot be",
        )
        refused.__cause__ = error
        return None, refused
    except DBAPIError:
        raise  # the store itself fails: nobody's work can be committed
    except Exception as error:  # noqa: BLE001  # it is this caller's own, and goes to it
        savepoint.rollback()
        return None, error
    return result, None


def _own(error: BaseException) -> BaseException:
    """An error for one caller alone: a traceback that several share grows with each."""
    if not isinstance(error, ProvisionError):
        return error
    own = type(error)(error.message, remedy=error.remedy)
    own.__cause__ = error.__cause__
    return own
