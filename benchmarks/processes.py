"""What a command costs in a fresh process: wall time, CPU time, peak memory; contestants take turns.

The machine may be shared and its speed may drift, so contestants are run by turns within one run, and each is
told by its median. Memory is what the kernel accounts to the process (`wait4`); since a child begins as a
copy of its parent, this process itself must stay small, and imports nothing of what it measures.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, of all its processes."""
    peak: float
    """MB (2**20 bytes), of its largest process."""


def _nothing() -> None:
    """The state that a command finds is as the last one left it."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One command that takes part."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] = _nothing
    """Done before each run, and not measured."""
    codes: tuple[int, ...] = (0,)
    """The exit codes that mean it did its work."""


def measured(contestants: Sequence[Contestant], rounds: int) -> dict[str, Cost]:
    """The median cost of each, by name, over so many rounds in which each runs once."""
    found: dict[str, list[Cost]] = {one.name: [] for one in contestants}
    for _ in range(rounds):
        for one in contestants:
            one.before()
            found[one.name].append(run(one))
    return {name: median_of(costs) for name, costs in found.items()}


def run(one: Contestant) -> Cost:
    """Run it once. Raises RuntimeError with what it said where it did not do its work."""
    began = time.perf_counter()
    process = subprocess.Popen(
        list(one.command),
        cwd=one.folder,
        env={**as_installed(), **one.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode not in one.codes:
        raise RuntimeError(
            f"{one.name} ended with {process.returncode}: {said.decode(errors='replace')[-2000:]}"
        )
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def as_installed() -> dict[str, str]:
    """The environment, with compiled modules kept: what pip installs is compiled, for every contestant."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def median_of(costs: Sequence[Cost]) -> Cost:
    """Of each measure by itself."""
    return Cost(
        median(one.wall for one in costs), median(one.cpu for one in costs), median(one.peak for one in costs)
    )
