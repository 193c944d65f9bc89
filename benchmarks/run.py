"""Chooses what is measured, measures it, and tells: `python -m benchmarks [--sizes …] [--only …]`."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import new, octodns, ours, refresh, report, terraform
from benchmarks.processes import Contestant, Cost, measured

SIZES = (100, 200, 1_000, 2_000, 10_000, 100_000)
TERRAFORM = frozenset({200, 2_000})
"""Where Terraform takes part: applying more takes it too long, even once."""

OCTODNS = frozenset({1_000, 10_000})
NEW = 1_000
"""How many are applied for real, beside Terraform."""
REFRESH = 3_000
"""How many addresses are applied for real, to be asked after."""

FEWER_ROUNDS = 50_000
"""From how many addresses on half the rounds are enough."""

Costs = dict[str, Mapping[str, Cost]]


def main(arguments: Sequence[str]) -> None:
    """Measure, print tables and ratios, then JSON on one line; or only that with --json."""
    chosen = _parser().parse_args(arguments)
    costs: Costs = {}
    # On a disk: /var/tmp outlives a restart, so it is none in memory.
    with TemporaryDirectory(prefix="provision-bench-", dir=_disk()) as folder:
        for part in chosen.only:
            for group, found in PARTS[part](Path(folder), chosen):
                costs[group] = found
                if not chosen.json:
                    print(report.table({group: found}), flush=True)
    ratios = report.ratios(costs)
    if not chosen.json:
        print(report.ratio_table(ratios) + "\n")
    print(json.dumps(report.as_json(costs, ratios)))


Found = Iterator[tuple[str, Mapping[str, Cost]]]


def _plans(folder: Path, chosen: argparse.Namespace) -> Found:
    for size in chosen.sizes:
        rounds = max(1, chosen.rounds // 2) if size >= FEWER_ROUNDS else chosen.rounds
        yield f"{size:,}", measured(list(_of_size(folder / str(size), size, chosen)), rounds)


def _of_size(folder: Path, size: int, chosen: argparse.Namespace) -> Iterator[Contestant]:
    wanted = chosen.match
    everybody = [*ours.contestants(folder, size), *ours.floors(folder, alone=chosen.alone)]
    if not chosen.alone and size in OCTODNS:
        everybody.append(octodns.contestant(folder / "octodns", size))
    if not chosen.alone and size in TERRAFORM:
        everybody.extend(terraform.contestants(size))
    return (one for one in everybody if re.search(wanted, one.name))


def _refresh(folder: Path, chosen: argparse.Namespace) -> Found:
    with refresh.contestants(folder / "served", REFRESH) as contestants:
        yield f"{REFRESH:,} at served vendors", measured(contestants, chosen.rounds)


def _start(_: Path, chosen: argparse.Namespace) -> Found:
    yield "start", measured(ours.start(), chosen.rounds * 4)


def _new(folder: Path, chosen: argparse.Namespace) -> Found:
    rounds = max(1, chosen.rounds // 2)  # Terraform takes minutes
    yield f"{NEW:,} new", new.measured(folder / "new", NEW, rounds, alone=chosen.alone)


def _apply(_: Path, chosen: argparse.Namespace) -> Found:
    """Applies have a program of their own, which tells its figures itself: this process stays small."""
    command = [sys.executable, "-m", "benchmarks.apply", *(["--json"] if chosen.json else [])]
    subprocess.run(command, check=True)
    return iter(())


PARTS: Mapping[str, Callable[[Path, argparse.Namespace], Found]] = {
    "start": _start,
    "plan": _plans,
    "refresh": _refresh,
    "new": _new,
    "apply": _apply,
}
"""What can be measured, in the order in which it is."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="addresses, such as 1000,10000")
    parser.add_argument("--only", type=_parts, default=tuple(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contestant runs")
    parser.add_argument("--match", default="", help="only contestants whose name fits this pattern")
    parser.add_argument("--alone", action="store_true", help="without octoDNS and Terraform")
    parser.add_argument("--json", action="store_true", help="print only the JSON")
    return parser


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(one.replace("_", "")) for one in text.split(","))


def _parts(text: str) -> tuple[str, ...]:
    found = tuple(text.split(","))
    if unknown := [one for one in found if one not in PARTS]:
        raise argparse.ArgumentTypeError(f"there is no part {unknown[0]}: choose of {', '.join(PARTS)}")
    return found


def _disk() -> str | None:
    return "/var/tmp" if Path("/var/tmp").is_dir() else None


if __name__ == "__main__":
    main(sys.argv[1:])
