"""Each file in tests/plans is one case: what is declared, recorded and observed → the lines of the plan.

A new case is a new file, no code. The short forms are read by `plan_cases.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from plan_cases import lines, situation

from provisioner.core.planner import plan

CASES = sorted((Path(__file__).parent.parent / "plans").glob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_plan(path: Path) -> None:
    """The plan of a case is exactly the lines that its file says."""
    case = yaml.safe_load(path.read_text())
    assert case["lines"] == lines(plan(situation(case)))


def test_there_are_cases() -> None:
    """The runner finds its files."""
    assert len(CASES) >= 20
