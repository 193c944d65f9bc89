"""Kill at every durable step, and between every two; then at every step of the recovery; then compare.

After each kill the consumer's side is looked at, and once everything converged the vendor twin's own ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import crash_runs
from counting import Count
from crash_stores import Stores, copied
from engine_world import make_world
from forking import FINE, KILLED, Zygote
from verdicts import Wanted, verdict

PHASES = ("intent", "sent", "captured", "verified", "delivered", "cut_over", "done")
POINTS = tuple(
    f"{when}-{phase}" for phase in (*PHASES[:4], "delivery", *PHASES[4:]) for when in ("before", "after")
)
"""Every place where a process may be killed."""

STATES = (
    "after-sent",
    "before-captured",
    "after-delivery",
    "after-intent",
    "after-captured",
    "after-verified",
    "after-delivered",
    "after-cut_over",
)
"""The places that leave different things behind: what other kills leave is one of these."""

UNLIKE = STATES[:3]
"""Those whose recovery does something else than a run that was never killed: it looks for what was made, ends
it, or delivers again. From the others it takes the very steps at which `single` kills."""

ENDS_FIRST = {"revoke", "compromised"}
"""The scenarios in which a consumer's secret ends before another one is there, on purpose."""

RENEWALS = {"renew", "renew-at-once"}
"""The scenarios in which a vendor that renews in place leaves consumers with a dead secret for a while."""

LONGEST = 6
"""Runs after which everything must have converged."""


@dataclass
class Sweep:
    """One scenario of one vendor, from a prepared world that is copied for every kill."""

    zygote: Zygote
    stores: Stores
    base: Path
    scenario: str
    provider: str
    scratch: Path
    mutation: str = ""
    firsts: Sequence[str] = STATES
    """Where `double` kills first."""
    forked: bool = True
    """Whether what follows the kills is a process of its own as well. Where not, it runs here, which is half
    as dear: it knows nothing but the folder either way."""
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
        for first in self.firsts:
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
        with copied(self.stores, source, self.scratch / name) as root:
            yield root

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
        if self.scenario in ENDS_FIRST or self._consumer_is_fine(root):
            return
        if self.scenario in RENEWALS and not crash_runs.VENDORS[self.provider].overlaps:
            self.count.outages.append(point)
        else:
            self.count.wrong.append(f"after {point}: lost: the consumer holds a dead secret")

    def _consumer_is_fine(self, root: Path) -> bool:
        """Whether what lies in the sink, if anything does, is accepted by the vendor that issued it."""
        world = crash_runs.open_here(root, self.stores.url(root))
        before = self.provider, crash_runs.VENDORS[self.provider].first
        after = crash_runs.final(self.scenario, self.provider)
        with world.sandbox:
            return not world.delivered(crash_runs.ADDRESS) or any(
                world.works(crash_runs.ADDRESS, *issued) for issued in (before, after)
            )

    def _converge(self, root: Path, where: str) -> None:
        for _ in range(LONGEST):
            if self._run(root) == {"exit": 0}:
                break
        self.count.wrong.extend(f"after {where}: {one}" for one in self._verdict(root))

    def _verdict(self, root: Path) -> list[str]:
        world = crash_runs.open_here(root, self.stores.url(root))
        crash_runs.SCENARIOS[self.scenario](world, self.provider)
        with world.sandbox:
            return verdict(world, self._wanted())

    def _wanted(self) -> dict[str, Wanted]:
        if self.scenario == "revoke":
            return {}
        both = self.scenario == "renew" and crash_runs.VENDORS[self.provider].overlaps
        final = crash_runs.final(self.scenario, self.provider)
        return {crash_runs.ADDRESS: Wanted(*final, live=2 if both else 1)}

    def _run(self, root: Path, failpoint: str = "") -> dict[str, int]:
        self.count.runs += 1
        state_url = self.stores.url(root)
        if not failpoint and not self.mutation and not self.forked:
            return {"exit": crash_runs.run(str(root), self.scenario, self.provider, state_url)}
        return self.zygote.run(
            job="one",
            root=str(root),
            scenario=self.scenario,
            provider=self.provider,
            failpoint=failpoint,
            mutation=self.mutation,
            state_url=state_url,
        )


def prepare(zygote: Zygote, stores: Stores, folder: Path, scenario: str, provider: str) -> Path:
    """A world in which the scenario is the next thing to happen."""
    folder.mkdir()
    make_world(folder).sandbox.close()
    stores.make(folder)
    if scenario != "create":
        made = zygote.run(
            job="one", root=str(folder), scenario="create", provider=provider, state_url=stores.url(folder)
        )
        assert made == {"exit": 0}
    return folder
