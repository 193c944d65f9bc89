"""Fixtures of the crash tests."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crash_runs import SCENARIOS, VENDORS
from crash_stores import PostgresStores, SqliteStores, Stores
from engine_world import make_world
from forking import Zygote
from postgres_server import quick_folder


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """A process that forks, and did everything once."""
    made = Zygote()
    for provider in VENDORS:
        _warm(made, SqliteStores(), tmp_path_factory.mktemp("warm"), provider, ("create", "renew"))
    yield made
    made.close()


def _warm(made: Zygote, stores: Stores, root: Path, provider: str, scenarios: tuple[str, ...]) -> None:
    make_world(root).sandbox.close()
    stores.make(root)
    for scenario in scenarios:
        assert scenario in SCENARIOS
        request = {"scenario": scenario, "provider": provider, "state_url": stores.url(root)}
        assert made.run(warm=True, job="one", root=str(root), **request) == {"exit": 0}
    stores.drop(root)


@pytest.fixture(scope="session")
def open_stores(
    zygote: Zygote, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Stores]:
    """The stores of an engine, by its name; PostgreSQL starts when first asked for."""
    made: dict[str, Stores] = {"sqlite": SqliteStores()}

    def of(engine: str) -> Stores:
        if engine not in made:
            made[engine] = PostgresStores(request.getfixturevalue("postgres_url"))
            _warm(zygote, made[engine], tmp_path_factory.mktemp("warm"), "payspace", ("create", "renew"))
        return made[engine]

    return of


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for worlds, in memory where there is room: what a kill leaves is what the system was told,
    wherever it keeps that. What a loss of power leaves is not what kills can show."""
    with tempfile.TemporaryDirectory(dir=quick_folder(), prefix="provision-crash-") as folder:
        yield Path(folder)
