"""CONTRIBUTING names what there is: every path, make target and room of the house."""

from __future__ import annotations

import re

import pytest
from readme_text import TOP

PAGE = (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")
PATHS = sorted(
    {name for name in re.findall(r"`([\w./-]+)`", PAGE) if "/" in name and not name.startswith("/")}
)


@pytest.mark.parametrize("path", [one for one in PATHS if not one.startswith(".venv")])
def test_a_path_that_is_named_exists(path: str) -> None:
    """Every path that CONTRIBUTING names is in the checkout."""
    assert (TOP / path).exists()


def test_paths_are_found() -> None:
    """The walk through PayNet names its schema, contract, twin, provider, console and tests."""
    kinds = (
        "schemas/providers/",
        "schemas/contracts/",
        "provisioner/sandbox/",
        "provisioner/providers/",
        "tests/sandbox/",
    )
    assert not [
        kind for kind in kinds if not any(path.startswith(kind) and "paynet" in path for path in PATHS)
    ]


def test_targets() -> None:
    """Every target of make that CONTRIBUTING names is one."""
    targets = re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`make (\w+)`", PAGE)) <= set(targets)


def test_the_drawing_has_every_room() -> None:
    """Each room of the package stands in the drawing of the house."""
    drawing = PAGE.split("```")[1]
    rooms = {path.parent.name for path in (TOP / "provisioner").glob("*/__init__.py")}
    assert rooms == set(re.findall(r"(\w+)/(?=\s)", drawing))
