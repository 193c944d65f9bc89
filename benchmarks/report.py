"""The figures as a table for people, and the ratios that must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.processes import Cost

Costs = Mapping[str, Mapping[str, Cost]]
"""By group, such as `10,000`, and contestant."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """One that must hold, by what is usual on a machine of one's own: wall time, or else memory.

    `found` is None where a contestant of it did not take part. `cpu` is the same ratio of CPU time, which
    a machine that others use as well disturbs less.
    """

    text: str
    found: float | None
    bound: float
    at_least: bool
    cpu: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether it does; None where it was not measured."""
        if self.found is None:
            return None
        return self.found >= self.bound if self.at_least else self.found <= self.bound


def table(costs: Costs) -> str:
    """Every cost, group by group."""
    lines = []
    for group, found in costs.items():
        wide = max(len(name) for name in found)
        lines.append(f"{group:<{wide}}  {'wall s':>8} {'CPU s':>8} {'MB':>6}")
        lines += [
            f"{name:<{wide}}  {cost.wall:>8.3f} {cost.cpu:>8.3f} {cost.peak:>6.0f}"
            for name, cost in found.items()
        ]
        lines.append("")
    return "\n".join(lines)


def ratios(costs: Costs) -> list[Ratio]:
    """Every ratio of CPU and wall time that both sides were measured for."""
    return [found for law in LAWS for found in law(costs)]


def ratio_table(found: list[Ratio]) -> str:
    """For people."""
    words = {True: "holds", False: "DOES NOT HOLD", None: "not measured"}
    wide = max(len(one.text) for one in found)
    return "\n".join(
        f"{one.text:<{wide}}  {_shown(one.found):>7}  (CPU {_shown(one.cpu):>6})"
        f"  {'≥' if one.at_least else '≤'} {one.bound:<4g} {words[one.holds]}"
        for one in found
    )


def _shown(found: float | None) -> str:
    return "-" if found is None else format(found, ".2f")


def _of(costs: Costs, group: str, name: str) -> Cost | None:
    return costs.get(group, {}).get(name)


def _times(text: str, above: Cost | None, below: Cost | None, bound: float, *, at_least: bool) -> Ratio:
    if above is None or below is None:
        return Ratio(text, None, bound, at_least)
    return Ratio(text, above.wall / below.wall, bound, at_least, above.cpu / below.cpu)


def _wall(cost: Cost) -> float:
    return cost.wall


def _octodns(costs: Costs) -> Iterator[Ratio]:
    theirs, ours = (_of(costs, "10,000", name) for name in ("octoDNS, no change", "plan, no change, cold"))
    yield _times("octoDNS : plan, 10,000, no change, cold", theirs, ours, 4, at_least=True)
    memory = theirs.peak / ours.peak if theirs and ours else None
    yield Ratio("  its memory : ours", memory, 1, at_least=True)


def _terraform(costs: Costs) -> Iterator[Ratio]:
    ours = _of(costs, "2,000", "plan, no change, cold")
    ways = [cost for name, cost in costs.get("2,000", {}).items() if name.startswith("Terraform")]
    best = min(ways, key=_wall, default=None)
    yield _times("Terraform's better way : plan, 2,000, no change, cold", best, ours, 10, at_least=True)


def _growth(costs: Costs) -> Iterator[Ratio]:
    for how in ("cold", "warm"):
        large, small = (_of(costs, group, f"plan, no change, {how}") for group in ("100,000", "10,000"))
        yield _times(f"plan 100,000 : plan 10,000, no change, {how}", large, small, 11, at_least=False)
        yield Ratio("  memory of 100,000, MB", large.peak if large else None, 600, at_least=False)


def _floor(costs: Costs) -> Iterator[Ratio]:
    ours = _of(costs, "10,000", "plan, no change, warm")
    floors = [cost for name, cost in costs.get("10,000", {}).items() if name.startswith("floor")]
    lowest = min(floors, key=_wall, default=None)
    yield _times("plan, 10,000, no change, warm : floor", ours, lowest, 3, at_least=False)


def _start(costs: Costs) -> Iterator[Ratio]:
    bare = _of(costs, "start", "python -c pass")
    version = _of(costs, "start", "provision --version")
    yield _times("provision --version : python -c pass", version, bare, 3, at_least=False)


def _new(costs: Costs) -> Iterator[Ratio]:
    group = next((name for name in costs if name.endswith(" new")), "")
    ways = [cost for name, cost in costs.get(group, {}).items() if name.startswith("Terraform")]
    best, ours = min(ways, key=_wall, default=None), _of(costs, group, "apply, all new")
    yield _times("Terraform's better way : apply, 1,000 new", best, ours, 8, at_least=True)
    ideal, slow = (_of(costs, group, name) for name in ("  its ideal", "apply, all new, 50 ms, 20 in flight"))
    share = ideal.wall / slow.wall if ideal and slow else None
    yield Ratio("ideal : apply, 1,000 new, 50 ms, 20 in flight", share, 0.85, at_least=True)


LAWS: tuple[Callable[[Costs], Iterator[Ratio]], ...] = (_octodns, _terraform, _growth, _floor, _start, _new)
"""What must hold, in the order in which it is told."""


def as_json(costs: Costs, found: list[Ratio]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "costs": {
            group: {
                name: {
                    "wall_s": round(cost.wall, 4),
                    "cpu_s": round(cost.cpu, 4),
                    "peak_mb": round(cost.peak, 1),
                }
                for name, cost in some.items()
            }
            for group, some in costs.items()
        },
        "ratios": [
            {
                "ratio": one.text.strip(),
                "found": one.found,
                "cpu": one.cpu,
                "bound": one.bound,
                "holds": one.holds,
            }
            for one in found
        ],
    }
