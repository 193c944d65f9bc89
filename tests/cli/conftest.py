"""What the tests of the command line share: a project with an identity, on the embedded sandbox."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from program_runner import PAYROLL, Cli

from provisioner.secrets.identities import generate_identity


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a vendor waits a fiftieth of that, and who makes a plan need not be asked of git."""
    monkeypatch.setattr(asyncio, "sleep", _briefly)
    monkeypatch.setenv("PROVISION_AUTHOR", "tester@example.com")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A project with one credential in test, nothing applied yet."""
    monkeypatch.delenv("PROVISION_IDENTITY", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    root = tmp_path / "project"
    generate_identity(root / ".provision" / "identity.txt")
    project = Cli(root)
    project.write(PAYROLL)
    return project


_sleep = asyncio.sleep


async def _briefly(seconds: float) -> None:
    await _sleep(seconds / 50)
