"""A project on disk: the base of the problem cases, and whatever a test writes over it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from declared import Write

BASE = Path(__file__).parent.parent / "problems" / "base.provision.yaml"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write manifests over the base project; None leaves a file out. Returns the project's folder."""

    def into(files: Mapping[str, str | None]) -> Path:
        for name, text in {"provision.yaml": BASE.read_text(), **files}.items():
            if text is not None:
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return tmp_path

    return into
