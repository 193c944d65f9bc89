"""What the benchmark compares with, installed once, in a place of its own.

A virtual environment under the cache folder holds octoDNS and rapidyaml; what Terraform applied is kept
beside it, because that takes minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PACKAGES = ("octodns==1.22.0", "rapidyaml==0.15.2")


def cache() -> Path:
    """The folder that outlives a run."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "provision-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def python() -> Path:
    """The interpreter of the tools' environment, which is made where it is not there yet."""
    folder = cache() / "-".join(["tools", *(one.replace("==", "-") for one in PACKAGES)])
    found = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(found), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
        subprocess.run(install, check=True)
        (folder / "complete").touch()
    return found
