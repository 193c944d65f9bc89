"""Fills the store of a project as if all of it had been applied: `python -m benchmarks.filling FOLDER`.

By the store's own writes, without a vendor. A process of its own, so that whoever measures stays small.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provisioner.core.journal import Write
    from provisioner.core.model import Desired

AT_ONCE = 1000
"""Addresses in one commit."""

SEALED = "x" * 800
"""As long as age text of two recipients is."""


def fill(folder: Path) -> None:
    """Do so in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.filling", str(folder)]
    subprocess.run(command, check=True, cwd=Path(__file__).parent.parent)


def _main(folder: Path) -> None:
    from provisioner import manifest, state
    from provisioner.providers import registry

    project = manifest.load(folder, registry.load().declarations)
    now = datetime.now(UTC)
    with state.open_store(project.state, project=project.name, root=folder, clock=lambda: now) as store:
        store.acquire(project.environments, holder="benchmark")
        for start in range(0, len(project.desired), AT_ONCE):
            some = project.desired[start : start + AT_ONCE]
            asyncio.run(store.commit([write for one in some for write in _writes(one, now)]))


def _writes(one: Desired, now: datetime) -> Sequence[Write]:
    from provisioner.core.journal import SaveGeneration, SaveRecord
    from provisioner.core.model import Generation, GenerationState, Record

    name = one.address.name
    tag = f"provision/measured/{one.address}/1/0123456789abcdef"
    made = now - timedelta(days=3)
    generation = Generation(1, GenerationState.ACTIVE, f"id-{one.address.environment}-{name}", tag, made)
    record = Record(one.address, one.provider, one.via, one.fields, one.local, user=one.user)
    return [SaveRecord(record), SaveGeneration(one.address, generation, SEALED)]


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
