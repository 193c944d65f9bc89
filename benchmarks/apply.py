"""Applies per second with full durability, for each store, against one fsynced commit for each credential.

Three things are measured, in turn, for several rounds of one run:

    floor    one row and one commit for each credential, one after the other: what any tool must at least do
             that forgets nothing, if it writes down each credential once and does nothing else
    journal  what an apply writes down: every durable step of every credential, as many at once as in an
             apply, by the store alone
    apply    the whole: plan, vendor (an embedded twin in this process), sealing, sink, and the journal

Each commit is on the disk when it returns: SQLite with `synchronous=FULL`, PostgreSQL with `fsync` and
`synchronous_commit` on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from engine_world import CLIENT, World, deliver, make_world
from msgspec.structs import replace
from postgres_server import postgres_server
from sqlalchemy import create_engine, text

from provisioner import state
from provisioner.core.journal import SaveOperation, Write

AT_ONCE = 10
"""Addresses that an apply works on at the same time, by default."""

SETTINGS = {"sqlite": ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"), "postgresql": ()}
"""What the floor's connection is told; PostgreSQL's own defaults are durable."""


@dataclass
class Recorder:
    """The real store, which remembers what it was asked to commit."""

    store: Any
    commits: list[Sequence[Write]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def commit(self, writes: Sequence[Write]) -> None:
        self.commits.append(writes)
        await self.store.commit(writes)


@dataclass(frozen=True)
class Figures:
    """What was measured of one store: medians of all rounds, in credentials per second."""

    store: str
    credentials: int
    commits: int
    """Durable steps of the whole apply, which the journal groups into transactions."""
    floor: float
    journal: float
    apply: float

    @property
    def ratios(self) -> dict[str, float]:
        """How many times as fast as the floor."""
        return {"journal": self.journal / self.floor, "apply": self.apply / self.floor}


def measure(store: str, url: Callable[[], str], folder: Path, credentials: int, rounds: int) -> Figures:
    """All three for one store; `url` gives a fresh database each time."""
    _applied(folder / "warm", url(), 3)
    found: dict[str, list[float]] = {"floor": [], "journal": [], "apply": []}
    commits: list[Sequence[Write]] = []
    for number in range(rounds):
        found["floor"].append(credentials / _floor(store, url(), credentials))
        seconds, commits = _applied(folder / f"apply-{number}", url(), credentials)
        found["apply"].append(credentials / seconds)
        found["journal"].append(credentials / _journal(url(), commits))
    return Figures(
        store, credentials, len(commits), **{name: median(values) for name, values in found.items()}
    )


def _floor(store: str, url: str, credentials: int) -> float:
    engine = create_engine(url)
    with engine.connect() as connection:
        for setting in SETTINGS[store]:
            connection.exec_driver_sql(setting)
        connection.execute(text("CREATE TABLE floor (name TEXT PRIMARY KEY, sealed TEXT)"))
        connection.commit()
        began = time.perf_counter()
        for number in range(credentials):
            row = {"name": f"test/key-{number}", "sealed": "x" * 800}
            connection.execute(text("INSERT INTO floor VALUES (:name, :sealed)"), row)
            connection.commit()
        took = time.perf_counter() - began
    engine.dispose()
    return took


def _applied(root: Path, url: str, credentials: int) -> tuple[float, list[Sequence[Write]]]:
    root.mkdir()
    world = make_world(root)
    world.state_url = url
    _declare(world, credentials)
    with world.store() as store:
        recorder = Recorder(store)
        world.wrap = lambda context: replace(context, store=recorder)
        began = time.perf_counter()
        summary = world.apply_in(store)
        took = time.perf_counter() - began
    world.sandbox.close()
    assert summary.exit_code == 0
    return took, recorder.commits


def _declare(world: World, credentials: int) -> None:
    for number in range(credentials):
        name = f"key-{number}"
        world.declare(f"test/{name}", fields={"scopes": ["read-only"]}, deliver=deliver(name, *CLIENT))


def _journal(url: str, commits: list[Sequence[Write]]) -> float:
    from engine_world import START

    with state.open_store(url, project="payments", root=Path(), clock=lambda: START) as store:
        store.acquire(["test"], holder="benchmark")
        began = time.perf_counter()
        asyncio.run(_replay(store, commits))
        return time.perf_counter() - began


async def _replay(store: Any, commits: list[Sequence[Write]]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(mine: list[Sequence[Write]]) -> None:
        async with places:
            for writes in mine:
                await store.commit(writes)

    await asyncio.gather(*(one(mine) for mine in _by_address(commits)))


def _by_address(commits: list[Sequence[Write]]) -> list[list[Sequence[Write]]]:
    """The commits of each address in their order; that of the apply itself goes with none."""
    found: dict[str, list[Sequence[Write]]] = {}
    for writes in commits:
        addresses = [
            str(one.operation.address if isinstance(one, SaveOperation) else getattr(one, "address", ""))
            for one in writes
        ]
        found.setdefault(addresses[0], []).append(writes)
    return list(found.values())


@contextmanager
def disk() -> Iterator[Path]:
    """A folder on a disk: /var/tmp outlives a restart, so it is none in memory."""
    place = Path("/var/tmp") if Path("/var/tmp").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="provision-bench-", dir=place))
    folder.chmod(0o755)  # for the server's user
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def run(credentials: int, rounds: int) -> list[Figures]:
    """The figures of both stores."""
    with disk() as folder, postgres_server(folder) as server:
        numbers = iter(range(1_000_000))

        def new_file() -> str:
            return f"sqlite:///{folder}/{next(numbers)}.db"

        def new_database() -> str:
            name = f"bench_{next(numbers)}"
            engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name}"))
            engine.dispose()
            return server.url.replace("/postgres?", f"/{name}?")

        stores = {"sqlite": new_file, "postgresql": new_database}
        for name in stores:
            (folder / name).mkdir()
        return [measure(name, url, folder / name, credentials, rounds) for name, url in stores.items()]


def table(figures: Sequence[Figures]) -> str:
    """For people."""
    lines = [
        "store       credentials  durable steps  floor/s  journal/s  apply/s  journal:floor  apply:floor"
    ]
    lines += [
        f"{one.store:<11} {one.credentials:>11} {one.commits:>14} {one.floor:>8.0f} {one.journal:>10.0f}"
        f" {one.apply:>8.0f} {one.ratios['journal']:>14.2f} {one.ratios['apply']:>12.2f}"
        for one in figures
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Measure, and print a table, then JSON on one line; or only that with --json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.apply", description=__doc__)
    parser.add_argument("--credentials", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print only the JSON")
    chosen = parser.parse_args(arguments)
    figures = run(chosen.credentials, chosen.rounds)
    if not chosen.json:
        print("Applies with full durability, in credentials per second\n\n" + table(figures) + "\n")
    print(json.dumps({"apply": [{**asdict(one), "ratios": one.ratios} for one in figures]}))


if __name__ == "__main__":
    main(sys.argv[1:])
