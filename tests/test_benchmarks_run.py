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
