"""The vendors' twins, served over HTTP on this machine by a process of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.ours import PROVISION


@contextmanager
def served(folder: Path, vendors: Collection[str]) -> Iterator[dict[str, str]]:
    """The endpoint of each vendor's test tenant, while it is served."""
    server = subprocess.Popen(
        [*PROVISION, "sandbox", "serve"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield _endpoints(server, vendors)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _endpoints(server: subprocess.Popen[str], vendors: Collection[str]) -> dict[str, str]:
    """Read off what it prints: `payspace test: endpoint http://…`."""
    assert server.stdout is not None
    found: dict[str, str] = {}
    for line in server.stdout:
        words = line.split()
        if words[1:3] == ["test:", "endpoint"]:
            found[words[0]] = words[3]
        if found.keys() >= set(vendors):
            break
    return found


def token(folder: Path, vendor: str) -> str:
    """The management token of its test tenant."""
    command = [*PROVISION, "sandbox", "token", vendor, "test"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
