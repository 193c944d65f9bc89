"""The benchmarks run, so that the README's figures can be measured again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_apply_benchmark_runs() -> None:
    """It measures both stores, with every durable step, against the floor of the same run."""
    command = [sys.executable, "-m", "benchmarks.apply", "--credentials", "2", "--rounds", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    figures = json.loads(done.stdout)["apply"]
    assert [("sqlite", 17), ("postgresql", 17)] == [(one["store"], one["commits"]) for one in figures]
    assert all(one["ratios"][name] > 0 for one in figures for name in ("journal", "apply"))


def test_the_plan_benchmark_runs() -> None:
    """Each command does its work on a small project, in a process of its own, and its cost is told."""
    options = ["--only", "plan", "--sizes", "20", "--rounds", "1", "--alone", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
    costs = json.loads(done.stdout)["costs"]["20"]
    assert {
        "plan, no change, warm",
        "plan, 1 % changed, cold",
        "plan, all new, cold",
        "floor, libyaml",
    } < set(costs)
    assert all(cost["wall_s"] > 0 < cost["peak_mb"] for cost in costs.values())
