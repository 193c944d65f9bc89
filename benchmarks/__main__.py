"""`python -m benchmarks`: every benchmark, one after the other; see `--help` for some of them."""

from __future__ import annotations

import sys

from benchmarks import run

if __name__ == "__main__":
    run.main(sys.argv[1:])
