"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_world import World, make_world
from portal_person import PortalPerson


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh project and fresh vendors."""
    made = make_world(tmp_path)
    yield made
    made.sandbox.close()


@pytest.fixture
def person(world: World) -> PortalPerson:
    """Somebody at the portals, who is asked only once a test puts them into the world."""
    return PortalPerson(world.sandbox)
