"""The figures of the README: measured here, on this machine, each against a floor of the same run.

The world that they measure in is the one of the engine's tests.
"""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"

sys.path[:0] = [str(TESTS), *(str(TESTS / name) for name in ("core", "engine"))]
