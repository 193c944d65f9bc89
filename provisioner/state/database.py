"""One seam to SQLAlchemy's engines: transactions, and every failure of a database in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from msgspec import Struct
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DatabaseError, DBAPIError, SQLAlchemyError

from provisioner.errors import StateUnavailable

READ: dict[str, dict[str, object]] = {
    "sqlite": {},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
"""What makes several queries see one moment. SQLite's transactions do so by themselves."""

WRITE: dict[str, dict[str, object]] = {"sqlite": {"provision_writes": True}, "postgresql": {}}
"""SQLite takes its write lock with the first word (see `opening.py`), so that no write finds it taken."""


class Database(Struct, frozen=True):
    """An open store, whichever engine it is. `where` is its URL without the password."""

    engine: Engine
    where: str
    clock: Callable[[], datetime]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one moment. Raises StateUnavailable."""
        with unavailable(self.where, "read"), self._connection(READ) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, durable once this is left without an error. Raises StateUnavailable."""
        with unavailable(self.where, "written"), self._connection(WRITE) as connection, connection.begin():
            yield connection

    def now(self, connection: Connection) -> datetime:
        """The store's clock, in UTC: a server's own, so that runners with different clocks agree."""
        if self.engine.dialect.name != "postgresql":
            return self.clock().astimezone(UTC)
        told: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return told.astimezone(UTC)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def _connection(self, options: dict[str, dict[str, object]]) -> Connection:
        return self.engine.connect().execution_options(**options[self.engine.dialect.name])


class Savepoint:
    """A part of a transaction that can be undone by itself. SQLAlchemy would compile its own every time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.exec_driver_sql("SAVEPOINT part")

    def release(self) -> None:
        """Let it be as the rest of the transaction."""
        self._connection.exec_driver_sql("RELEASE SAVEPOINT part")

    def rollback(self) -> None:
        """As if it had not been."""
        self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
        self.release()


UNREACHABLE = (
    "check that it is there, has space, and may be written by this user;"
    " then run again: nothing was half done"
)
DAMAGED = "restore it from a copy: it is damaged, or was never a store of provision"


@contextmanager
def unavailable(where: str, what: str) -> Iterator[None]:
    """Say a database's failure in our words: `what` could not be done to the store at `where`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StateUnavailable(
            f"the state store {where} cannot be {what}: {_words(error)}",
            # The drivers raise the bare class for a file that is no database (any more), and nothing else.
            remedy=DAMAGED if type(error) is DatabaseError else UNREACHABLE,
        ) from error


def _words(error: SQLAlchemyError) -> str:
    """The driver's own first line; SQLAlchemy's text would add the statement and its values."""
    told = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
    return told.strip().splitlines()[0] if told.strip() else type(error).__name__
