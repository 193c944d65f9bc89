"""Kill at every durable step, and between every two; then at every step of the recovery; then compare.

After each kill the consumer's side is looked at, and once everything converged the vendor twin's own ledger.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import crash_runs
from engine_world import make_world

PHASES = ("intent", "sent", "captured", "verified", "delivered", "cut_over", "done")
POINTS = tuple(
    f"{when}-{phase}" for phase in (*PHASES[:4], "delivery", *PHASES[4:]) for when in ("before", "after")
)
"""Every place where a process may be killed."""

STATES = (
    "after-intent",
    "after-sent",
    "before-captured",
    "after-captured",
    "after-verified",
    "after-delivery",
    "after-delivered",
    "after-cut_over",
)
"""The places that leave different things behind: what other kills leave is one of these."""

KILLED = {"signal": 9}
ENDS_FIRST = {"revoke", "compromised"}
"""The scenarios in which a consumer's secret ends before another one is there, on purpose."""

FINE = ({"exit": 0}, {"exit": 5})
LONGEST = 6
"""Runs after which everything must have converged."""


class Zygote:
    """Forks a process for each run (see zygote.py)."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("zygote.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, **request: Any) -> dict[str, int]:
        """Start one process and wait for its end."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, int] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End it."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@dataclass
class Count:
    """What a sweep did, and what it found."""

    kills: int = 0
    runs: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.kills} kills in {self.runs} runs, {len(self.wrong)} wrong"


@dataclass
class Sweep:
    """One scenario of one vendor, from a prepared world that is copied for every kill."""

    zygote: Zygote
    base: Path
    scenario: str
    provider: str
    scratch: Path
    mutation: str = ""
    state_url: str = "sqlite:///.provision/state.db"
    count: Count = field(default_factory=Count)

    def single(self) -> Count:
        """Kill once, at every point in turn; what a mutation breaks is looked for no longer than needed."""
        for point in POINTS:
            if self._caught():
                break
            with self._world(self.base) as root:
                if self._killed(root, point):
                    self._converge(root, point)
        return self.count

    def double(self) -> Count:
        """Kill so that each state is left behind, then kill its recovery at every point in turn."""
        for first in STATES:
            with self._world(self.base, "killed") as killed:
                if not self._killed(killed, first):
                    continue
                for second in POINTS:
                    if self._caught():
                        return self.count
                    with self._world(killed) as root:
                        if self._killed(root, second):
                            self._converge(root, f"{first}, then {second}")
        return self.count

    def _caught(self) -> bool:
        return bool(self.mutation and self.count.wrong)

    @contextmanager
    def _world(self, source: Path, name: str = "world") -> Iterator[Path]:
        root = self.scratch / name
        shutil.copytree(source, root)
        try:
            yield root
        finally:
            shutil.rmtree(root)

    def _killed(self, root: Path, point: str) -> bool:
        answer = self._run(root, point)
        if answer != KILLED:
            if answer not in FINE:
                self.count.wrong.append(f"at {point}: a run ended with {answer}")
            return False
        self.count.kills += 1
        self._look_at_consumer(root, point)
        return True

    def _look_at_consumer(self, root: Path, point: str) -> None:
        ends = {self.provider, crash_runs.final_provider(self.scenario, self.provider)}
        overlaps = all(crash_runs.VENDORS[name].overlaps for name in ends)
        if not overlaps or self.scenario in ENDS_FIRST:
            return
        if not crash_runs.consumer_is_fine(root, self.scenario, self.provider, self.state_url):
            self.count.wrong.append(f"after {point}: the consumer holds a dead secret")

    def _converge(self, root: Path, where: str) -> None:
        for _ in range(LONGEST):
            if self._run(root) == {"exit": 0}:
                break
        found = crash_runs.verdict(root, self.scenario, self.provider, self.state_url)
        self.count.wrong.extend(f"after {where}: {one}" for one in found)

    def _run(self, root: Path, failpoint: str = "") -> dict[str, int]:
        self.count.runs += 1
        return self.zygote.run(
            root=str(root),
            scenario=self.scenario,
            provider=self.provider,
            failpoint=failpoint,
            mutation=self.mutation,
            state_url=self.state_url,
        )


def prepare(zygote: Zygote, folder: Path, scenario: str, provider: str) -> Path:
    """A world in which the scenario is the next thing to happen."""
    folder.mkdir()
    make_world(folder).sandbox.close()
    if scenario != "create":
        assert zygote.run(root=str(folder), scenario="create", provider=provider) == {"exit": 0}
    return folder
