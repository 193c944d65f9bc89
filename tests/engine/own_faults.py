"""What tests of our own faults share: a store that gives way, kills, and what must be so afterwards."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from crash_runs import ADDRESS, SCENARIOS, VENDORS, declare, final, open_here
from engine_world import World, make_world
from msgspec.structs import replace
from verdicts import Wanted, verdict

from provisioner.core.journal import Write
from provisioner.engine import failpoints
from provisioner.errors import ProvisionError

Trouble = Callable[[], Any]
"""Called at the commit that is chosen; what it returns is entered around that commit and all later ones."""


@dataclass
class Failing:
    """The real store, which meets trouble at its nth commit and from then on."""

    store: Any
    at: int
    trouble: Trouble
    seen: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def commit(self, writes: Sequence[Write]) -> None:
        self.seen += 1
        with self.trouble() if self.seen >= self.at else nullcontext():
            await self.store.commit(writes)


@contextmanager
def full_disk(limit: int = 4096) -> Iterator[None]:
    """No file grows beyond so many bytes: less than one page of the store's log, more than one sealed secret.

    It holds for a user without privileges and for root, in any container.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def begin(folder: Path, scenario: str, provider: str, state_url: str) -> World:
    """A world in which the scenario is the next thing to happen."""
    make_world(folder).sandbox.close()
    world = open_here(folder, state_url)
    if scenario != "create":
        declare(world, provider, VENDORS[provider].first)
        assert 0 == world.apply().exit_code
    ask(world, scenario, provider)
    return world


def ask(world: World, scenario: str, provider: str) -> None:
    """Declare the scenario; a renewal is ordered only as long as it is still to be done."""
    world.orders = {}
    SCENARIOS[scenario](world, provider)


def meet(world: World, at: int, trouble: Trouble) -> str:
    """One apply whose store meets trouble at a commit. Returns how it ended, in words."""
    unharmed = world.wrap
    world.wrap = lambda context: replace(unharmed(context), store=Failing(context.store, at, trouble))
    try:
        summary = world.apply()
    except ProvisionError as error:
        return error.message
    finally:
        world.wrap = unharmed
    return "; ".join(outcome.text for outcome in summary.outcomes)


def at_each_step(folder: Path) -> Iterator[tuple[int, Path]]:
    """A number for each commit, and a folder for its world; whoever asks knows which is the last."""
    for at in count(1):
        root = folder / str(at)
        root.mkdir()
        yield at, root


def converge(world: World, scenario: str, provider: str) -> list[str]:
    """What is wrong after one more apply, with nothing in its way."""
    ask(world, scenario, provider)
    world.apply()
    ask(world, scenario, provider)
    both = scenario == "renew" and VENDORS[provider].overlaps
    return verdict(world, {ADDRESS: Wanted(*final(scenario, provider), live=2 if both else 1)})


class Killed(BaseException):
    """The run ends here and now."""


@contextmanager
def killed_at(point: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run that ends at a failpoint as by a kill: nothing catches what it raises."""

    def hit(name: str) -> None:
        if name == point:
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(failpoints, "hit", hit)
        yield
