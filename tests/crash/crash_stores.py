"""The stores of a crash test: a world's folder that is copied takes its store along, whichever its engine."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, make_url, text


class SqliteStores:
    """The store lies in the world's folder, so copying that is enough."""

    name = "sqlite"

    def url(self, root: Path) -> str:
        """The URL of a world's store."""
        return "sqlite:///.provision/state.db"

    def make(self, root: Path) -> None:
        """It makes itself."""

    def copy(self, source: Path, target: Path) -> None:
        """It lies in the folder."""

    def drop(self, root: Path) -> None:
        """It lies in the folder."""


@dataclass
class PostgresStores:
    """A database for each world, copied by the server."""

    server: str
    """The URL of a database that is not a world's."""
    name: str = "postgresql"
    _names: dict[Path, str] = field(default_factory=dict)

    def url(self, root: Path) -> str:
        """The URL of a world's store."""
        return make_url(self.server).set(database=self._names[root]).render_as_string(hide_password=False)

    def make(self, root: Path) -> None:
        """An empty one for a new world."""
        self._names[root] = f"crash_{uuid.uuid4().hex}"
        self._tell(f"CREATE DATABASE {self._names[root]}")

    def copy(self, source: Path, target: Path) -> None:
        """The server waits for up to five seconds until what a killed run left of its connection is gone."""
        self._names[target] = f"crash_{uuid.uuid4().hex}"
        self._tell(f"CREATE DATABASE {self._names[target]} TEMPLATE {self._names[source]}")

    def drop(self, root: Path) -> None:
        """Remove it, whoever is connected to it still."""
        self._tell(f"DROP DATABASE {self._names.pop(root)} WITH (FORCE)")

    def _tell(self, statement: str) -> None:
        engine = create_engine(self.server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


Stores = SqliteStores | PostgresStores


@contextmanager
def copied(stores: Stores, source: Path, target: Path) -> Iterator[Path]:
    """A copy of a world with its store, which goes when it was used."""
    shutil.copytree(source, target)
    stores.copy(source, target)
    try:
        yield target
    finally:
        stores.drop(target)
        shutil.rmtree(target)
