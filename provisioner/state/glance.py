"""A glance at a store in SQLite by `sqlite3` alone: what most plans read, without what makes engines.

Importing SQLAlchemy takes as long as planning ten thousand addresses, and a plan only reads. What is true is
said in one place all the same: these statements are those that `reads.py` makes of `tables.py`, and a test
holds both to the same answers. Where anything is unusual (another kind of store, another version of its
tables, an open operation, a file that is busy or damaged) there is no glance, and the store itself is opened.
"""

from __future__ import annotations

import re
import sqlite3
import stat
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from msgspec import Struct

from provisioner.core.action import CLOSED
from provisioner.errors import StateUnavailable
from provisioner.state.held import Held
from provisioner.state.values import AuditHead, genesis

if TYPE_CHECKING:
    from provisioner.core.journal import Operation

VERSION: Final = 2
"""The version of the tables that the statements are about: how many steps `migrations.py` has."""

_FILE: Final = re.compile(r"sqlite:///([A-Za-z0-9_./-]+)\Z")

_VERSION: Final = "SELECT value FROM provision_meta WHERE key = 'schema_version'"
_PHASES: Final = "SELECT DISTINCT phase FROM provision_operations WHERE project = ?"
_RECORDS: Final = (
    "SELECT fields, local, environment, name, provider, via, version, secret_known, linked_user"
    " FROM provision_records WHERE project = ?"
)
_GENERATIONS: Final = (
    "SELECT environment, name, number, state, remote_id, tag, created_at, expires_at, retire_after, provider,"
    " issued_at FROM provision_generations WHERE project = ?"
)
_TAGS: Final = "SELECT tag FROM provision_operations WHERE project = ?"
_OTHERS: Final = (
    "SELECT project, count(*) FROM provision_records WHERE project <> ? GROUP BY project ORDER BY project"
)
_NOTHING: Final = (
    "CREATE TABLE provision_operations (project, tag); CREATE TABLE provision_records (project);"
    " CREATE TABLE provision_audit (project, seq, digest)"
)
"""What the statements of a glance at nothing ask."""
_DIGEST: Final = "SELECT digest FROM provision_audit WHERE project = ? AND seq = ?"


def glance(url: str, *, project: str, root: Path) -> Glance | None:
    """What one project has in its store, at one moment; None where it takes the whole store to tell."""
    match = _FILE.match(url)
    if match is None:
        return None
    path = root / match[1]
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
    except OSError:
        return _of_nothing(url, project) if _absent(path) else None
    try:
        connection = sqlite3.connect(path, isolation_level=None)
    except sqlite3.Error:
        return None
    try:
        found = _read(connection, project, url)
    except sqlite3.Error:
        found = None  # what is wrong with it the store itself can say
    if found is None:
        connection.close()
    return found


class Glance(Struct, frozen=True):
    """The state of a project without an open operation. `StateStore` tells the same by the same names."""

    where: str
    _project: str
    _held: Held
    _connection: sqlite3.Connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def held(self, environments: Collection[str]) -> Held:
        """What is recorded in these environments, as rows."""
        if set(self.environments_with_records()) <= set(environments):
            return self._held
        return Held(
            [row for row in self._held.records if row[2] in environments],
            [row for row in self._held.generations if row[0] in environments],
            self.where,
        )

    def operations(self, environments: Collection[str]) -> list[Operation]:
        """Every open operation: there is none, or there would be no glance."""
        return []

    def known_tags(self, tags: Collection[str]) -> set[str]:
        """Which of these tags stand in the journal, or on a generation."""
        issued = {row[5] for row in self._held.generations}
        return {tag for (tag,) in self._rows(_TAGS, self._project)}.union(issued).intersection(tags)

    def other_projects(self) -> dict[str, int]:
        """How many records the other projects in this store have, by their names."""
        return dict(self._rows(_OTHERS, self._project))

    def environments_with_records(self) -> tuple[str, ...]:
        """Where the project has records, in the order of the alphabet."""
        return tuple(sorted({row[2] for row in self._held.records}))

    def audit_holds(self, head: AuditHead) -> bool:
        """Whether the audit log leads through this head: quick, and verifies nothing else."""
        if head.seq == 0:
            return head.digest == genesis(self._project)
        return self._rows(_DIGEST, self._project, head.seq) == [(head.digest,)]

    def _rows(self, query: str, *values: Any) -> Sequence[Any]:
        try:
            return _all(self._connection, query, *values)
        except sqlite3.Error as error:
            raise StateUnavailable(f"the state store {self.where} cannot be read: {error}") from error


def _absent(path: Path) -> bool:
    """Whether nothing at all is there: a link that leads nowhere is something, and so is a closed folder."""
    try:
        path.lstat()
    except OSError as error:
        return isinstance(error, FileNotFoundError)
    return False


def _of_nothing(url: str, project: str) -> Glance:
    """Before the first apply there is no store, and all that is asked of it has no answer."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(_NOTHING)
    return Glance(url, project, Held((), (), url), connection)


def _read(connection: sqlite3.Connection, project: str, where: str) -> Glance | None:
    connection.execute("BEGIN")  # all that is read is of one moment
    if _all(connection, _VERSION) != [(str(VERSION),)]:
        return None
    if {phase for (phase,) in _all(connection, _PHASES, project)} - {phase.value for phase in CLOSED}:
        return None
    held = Held(_all(connection, _RECORDS, project), _all(connection, _GENERATIONS, project), where)
    return Glance(where, project, held, connection) if held.records else None


def _all(connection: sqlite3.Connection, query: str, *values: Any) -> Sequence[Any]:
    return connection.execute(query, values).fetchall()
