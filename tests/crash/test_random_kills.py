"""Nothing is lost: killed from outside at any moment, again and again, an apply of many converges.

`make crash` (CRASH_FULL=1) has 200 kills of 200 credentials on each store; without, a few of 40.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import crash_many
import pytest
from counting import Count
from crash_runs import VENDORS, open_here
from crash_stores import Stores, copied
from engine_world import World, make_world
from forking import FINE, KILLED, Zygote
from verdicts import verdict

FULL = os.environ.get("CRASH_FULL") == "1"
KILLS, CREDENTIALS = (200, 200) if FULL else (10, 40)
ENGINES = ("sqlite", "postgresql") if FULL else ("sqlite",)
SEED = 20261121
IN_A_ROW = 4
"""Kills of one world, before a run is left alone and the vendors' ledgers are compared."""


@dataclass
class Storm:
    """Runs of many credentials that are killed after random delays, from a prepared world."""

    zygote: Zygote
    stores: Stores
    scratch: Path
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    count: Count = field(default_factory=Count)
    longest: float = 0.0
    """Seconds that a whole run takes, as measured here and now."""

    def rage(self) -> Count:
        """Until there were enough kills."""
        base = self._prepared()
        with copied(self.stores, base, self.scratch / "measured") as root:
            began = time.monotonic()
            assert self._run(root) == {"exit": 0}
            self.longest = time.monotonic() - began
            self.count.wrong += self._verdict(root)
        while self.count.kills < KILLS and not self.count.wrong:
            with copied(self.stores, base, self.scratch / "world") as root:
                self._one(root)
        return self.count

    def _one(self, root: Path) -> None:
        for _ in range(IN_A_ROW):
            delay = self.chance.uniform(0, self.longest)
            answer = self._run(root, kill_after=delay)
            if answer != KILLED:
                self.count.wrong += [] if answer in FINE else [f"a run ended with {answer}"]
                break
            self.count.kills += 1
            self.count.wrong += self._consumers(root)
        ended = self._run(root)
        self.count.wrong += [] if ended == {"exit": 0} else [f"stuck: the last run ended with {ended}"]
        self.count.wrong += self._verdict(root)

    def _prepared(self) -> Path:
        base = self.scratch / "base"
        base.mkdir()
        make_world(base).sandbox.close()
        self.stores.make(base)
        assert self._run(base, first=True) == {"exit": 0}
        return base

    def _run(self, root: Path, **more: object) -> dict[str, int]:
        self.count.runs += 1
        state_url = self.stores.url(root)
        return self.zygote.run(job="many", root=str(root), count=CREDENTIALS, state_url=state_url, **more)

    def _verdict(self, root: Path) -> list[str]:
        with self._open(root, first=False) as world:
            return verdict(world, crash_many.wanted(world))

    def _consumers(self, root: Path) -> Iterator[str]:
        """The consumers of vendors that renew with an overlap never hold a dead secret."""
        with self._open(root, first=True) as before, self._open(root, first=False) as after:
            for address, one in after.declared.items():
                if not VENDORS[one.provider].overlaps or not after.delivered(str(address)):
                    continue
                fields = [
                    world.declared[address].fields for world in (before, after) if address in world.declared
                ]
                if not any(after.works(str(address), one.provider, these) for these in fields):
                    yield f"lost: the consumer of {address} holds a dead secret"

    @contextmanager
    def _open(self, root: Path, *, first: bool) -> Iterator[World]:
        world = open_here(root, self.stores.url(root))
        crash_many.declare(world, CREDENTIALS, first=first)
        with world.sandbox:
            yield world


@pytest.mark.parametrize("engine", ENGINES)
def test_killed_at_random_times(
    zygote: Zygote,
    open_stores: Callable[[str], Stores],
    scratch: Path,
    record_property: Callable[[str, object], None],
    engine: str,
) -> None:
    """Killed at random times, up to four times in a row, an apply of new, renewed, edited and revoked
    credentials at five vendors converges: nothing lost, orphaned, duplicated or stuck."""
    storm = Storm(zygote, open_stores(engine), scratch)
    count = storm.rage()
    count.tell(record_property, f"killed at random times, {CREDENTIALS} credentials", "five vendors", engine)
    assert [] == count.wrong
    assert count.kills >= KILLS
