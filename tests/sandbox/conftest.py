"""A sandbox on a directory of its own, and its tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twin_harness import VENDORS, Contract, Twin

from provisioner.sandbox.world import Sandbox

Open = Callable[[str, str], Twin]


@pytest.fixture(scope="session")
def contracts() -> dict[str, Contract]:
    return {vendor: Contract(vendor) for vendor in VENDORS}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox") as opened:
        yield opened


@pytest.fixture
def open_twin(sandbox: Sandbox, contracts: dict[str, Contract]) -> Open:
    return lambda vendor, tenant: Twin(sandbox, vendor, tenant, contracts[vendor])
