"""The store of one project: what `engine.ports.Store` asks for, and what the command line shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection

from provisioner.core.journal import Handoff, Operation, Write
from provisioner.core.model import Address, Generation, Record
from provisioner.errors import Fenced, StateUnavailable
from provisioner.state import audit, process, reads, writes
from provisioner.state.database import Database
from provisioner.state.held import Held, damaged
from provisioner.state.leases import Leases, not_held
from provisioner.state.values import AuditHead, AuditRow, Finding, HeldLease
from provisioner.state.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")


class StateStore:
    """The state of one project. Reads are plain calls; a write is durable when `commit` returns.

    Every call raises StateUnavailable where the store cannot be read or written.
    """

    def __init__(
        self, database: Database, *, project: str, writable: bool, lease: float, actor: str = ""
    ) -> None:
        self._database = database
        self._project = project
        self._writable = writable
        self._actor = actor or process.whoami()
        self._leases = Leases(project, lease, database.now)
        self._writer: Writer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def where(self) -> str:
        """The store's URL without its password, for people."""
        return self._database.where

    def close(self) -> None:
        """Give the leases back and let go of the store. Nothing may be asked of it afterwards."""
        self.release()
        if self._writer is not None:
            self._writer.close()
        self._database.close()

    # What the engine asks for

    def records(self, environments: Collection[str]) -> dict[Address, Record]:
        """Every record of these environments, in one pass."""
        return self.held(environments).values()

    def held(self, environments: Collection[str]) -> Held:
        """What is recorded in these environments, as rows: values are made only of what is looked at."""
        return self._rows(reads.held, environments)

    def record(self, address: Address) -> Record | None:
        """One record, as it is now."""
        return self._rows(reads.held_at, address).values().get(address)

    def operations(self, environments: Collection[str]) -> list[Operation]:
        """Every open operation of these environments, oldest first."""
        return self._read(reads.operations, environments)

    def operation(self, id: str) -> Operation | None:
        """One operation, open or closed."""
        return self._read(reads.operation, id)

    def sealed(self, address: Address, generation: int) -> str | None:
        """The age text of one generation."""
        return self._read(reads.sealed, address, generation)

    def deliveries(self, address: Address, generation: int) -> Mapping[str, datetime]:
        """When each sink acknowledged this generation."""
        return self._read(reads.deliveries, address, generation)

    def handoffs_of(self, operation: str) -> list[Handoff]:
        """Every handoff of one operation, in the order in which they were opened."""
        return self._read(reads.handoffs_of, operation)

    def acquire(self, environments: Collection[str], *, holder: str) -> None:
        """Take the lease of each environment, or none, and keep it by heartbeat.

        `holder` says in words who works, and stands in the audit rows from now on. A lease is free when
        it was given back, ran out, or its process is provably dead. Raises LeaseHeld.
        """
        writer = self._writing()
        leases = self._leases
        writer.submit(
            lambda connection: leases.acquire(connection, environments, holder), leases.acquired
        ).result()
        self._actor = holder

    def release(self) -> None:
        """Give the leases back. Where that fails, they run out by themselves."""
        if not self._leases.held or self._writer is None:
            return
        try:
            self._writer.submit(self._leases.release, self._leases.released).result()
        except (Fenced, StateUnavailable):
            return  # another run has them already, or the store is gone and they run out

    async def commit(self, writes_: Sequence[Write]) -> None:
        """Make the writes durable, all or none, with the audit rows among them.

        Concurrent commits may share a transaction; one that the store refuses fails alone, with
        StateError. A write needs the lease of its environment, an audit row does not. Cancelling the
        caller does not take the writes back. Raises Fenced once a lease is lost.
        """
        wanted = tuple(writes_)
        writer = self._writing()
        missing = writes.environments(wanted) - self._leases.held
        if missing:
            raise not_held(missing)
        await writer.commit(writes.Commit(self._actor, wanted))

    # What the command line shows

    def all_records(self) -> dict[Address, Record]:
        """Every record of the project."""
        return self._rows(reads.held).values()

    def environments_with_records(self) -> tuple[str, ...]:
        """Where the project has records, in the order of the alphabet."""
        return self._read(reads.environments_with_records)

    def other_projects(self) -> dict[str, int]:
        """How many records the other projects in this store have, by their names."""
        return self._read(reads.other_projects)

    def generations(self, address: Address) -> tuple[Generation, ...]:
        """Every generation ever issued for an address, also where its record is gone."""
        return self._read(reads.generations, address)

    def last_deliveries(self) -> dict[Address, datetime]:
        """When the generation in use of each address was last delivered anywhere."""
        return self._read(reads.last_deliveries)

    def last_done(self) -> dict[Address, datetime]:
        """When the last operation of each address was done."""
        return self._read(reads.last_done)

    def known_tags(self, tags: Collection[str]) -> set[str]:
        """Which of these tags stand in the journal, or on a generation."""
        return self._read(reads.known_tags, tags)

    def open_handoffs(self) -> list[Handoff]:
        """Every handoff that waits for somebody, oldest first."""
        return self._read(reads.open_handoffs)

    def handoff(self, id: str) -> Handoff | None:
        """One handoff, whatever became of it."""
        return self._read(reads.handoff, id)

    def leases(self) -> tuple[HeldLease, ...]:
        """Who works on which environment."""
        return self._read(reads.leases)

    def history(self, address: Address) -> tuple[AuditRow, ...]:
        """One address's part of the audit log, oldest first."""
        return self._read(_log, address)

    def audit_log(self) -> tuple[AuditRow, ...]:
        """The whole audit log, oldest first. Its rows are not verified."""
        return self._read(_log, None)

    def recent_history(self, count: int) -> tuple[AuditRow, ...]:
        """The newest rows of the audit log, oldest first."""
        return self._read(_recent, count)

    def audit_head(self) -> AuditHead:
        """The end of the audit log: kept elsewhere, it shows later whether the tail was cut."""
        return self._read(audit.head)

    def audit_holds(self, head: AuditHead) -> bool:
        """Whether the audit log leads through this head: quick, and verifies nothing else."""
        return self._read(audit.holds, head)

    def audit_verify(self, head: AuditHead | None = None) -> list[Finding]:
        """Everything that is wrong with the audit log; empty when it is whole and leads to `head`."""
        return self._read(audit.verify, head)

    def _rows(
        self, query: Callable[Concatenate[Connection, str, P], Held], *args: P.args, **kw: P.kwargs
    ) -> Held:
        return replace(self._read(query, *args, **kw), where=self.where)

    def _read(self, query: Callable[Concatenate[Connection, str, P], T], *args: P.args, **kw: P.kwargs) -> T:
        try:
            with self._database.reading() as connection:
                return query(connection, self._project, *args, **kw)
        except (ValueError, KeyError) as error:
            raise damaged(self.where, error) from error

    def _writing(self) -> Writer:
        if not self._writable:
            raise StateUnavailable(
                f"the state store {self.where} is opened for reading only, or was never made",
                remedy="run `provision apply`, which makes it",
            )
        if self._writer is None:
            self._writer = Writer(self._database, self._leases, self._project)
        return self._writer


def _log(connection: Connection, project: str, address: Address | None) -> tuple[AuditRow, ...]:
    return tuple(audit.log(connection, project, address))


def _recent(connection: Connection, project: str, count: int) -> tuple[AuditRow, ...]:
    end = audit.head(connection, project).seq
    return tuple(audit.log(connection, project, after=end - count))
