"""What the crash tests did and found: for one test, and all of them together at the end of a session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("lost", "orphaned", "duplicated", "stuck", "torn")
"""What can be wrong once everything converged; each finding has one of these words."""

PROPERTY = "crash"


@dataclass
class Count:
    """What one test did, and what it found."""

    kills: int = 0
    runs: int = 0
    outages: list[str] = field(default_factory=list)
    """The kills that left a consumer with a dead secret where a renewal in place cannot but do so."""
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return line(self.numbers())

    def numbers(self) -> Counter[str]:
        """Kills, runs, and findings by their kind."""
        kinds = Counter(next((kind for kind in KINDS if kind in one), "failed") for one in self.wrong)
        return Counter(kills=self.kills, runs=self.runs) + kinds

    def tell(self, record_property: Callable[[str, object], None], how: str, *what: str) -> None:
        """Print it, and leave it for the session's end; `what` is the scenario, the vendor, the engine."""
        print(f"{how} {' '.join(what)}: {self}")
        record_property(PROPERTY, {"how": how, "what": list(what), "numbers": dict(self.numbers())})


def line(numbers: Mapping[str, int]) -> str:
    """The count in words."""
    found = ", ".join(f"{numbers.get(kind, 0)} {kind}" for kind in KINDS)
    failed = f", {numbers['failed']} failed" if numbers.get("failed") else ""
    return f"{numbers.get('kills', 0)} kills in {numbers.get('runs', 0)} runs: {found}{failed}"


def totals(properties: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """The lines of a session, from what its tests left."""
    told = [value for name, value in properties if name == PROPERTY]
    for how in sorted({one["how"] for one in told}):
        mine = [one for one in told if one["how"] == how]
        numbers: Counter[str] = Counter()
        for one in mine:
            numbers.update(one["numbers"])
        parts = (sorted(set(column)) for column in zip(*(one["what"] for one in mine), strict=True))
        yield f"{how} ({' × '.join(_part(part) for part in parts)}): {line(numbers)}"


def _part(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} of {', '.join(names)}"
