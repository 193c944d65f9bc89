"""The house stays as design §3 draws it: doors open one way, and each heavy library has one room."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "provisioner"

DOORS = {
    "errors": set(),
    "core": {"errors"},
    "resources": {"errors"},  # where the schemas lie; every room that checks against one asks it
    "manifest": {"core", "errors", "resources"},
    "providers": {"core", "errors", "resources"},
    "state": {"core", "errors"},
    "secrets": {"core", "errors"},
    "engine": {"core", "errors"},
    "sandbox": {"resources"},  # a twin shares no code with what it is a twin for
    "cli": {"core", "errors", "manifest", "providers", "state", "secrets", "engine", "sandbox", "resources"},
    "__main__": {"cli", "errors"},
    "__init__": set(),
}
"""Which rooms of the package each room may import from, apart from itself."""

NOT_IN_SANDBOX = ("core", "manifest", "providers", "state", "secrets", "engine", "cli")

ROOMS_OF = {
    "msgspec": NOT_IN_SANDBOX,
    "httpx": {"providers/wire.py"},
    "certifi": {"providers/wire.py"},
    "httptools": {"providers/line.py"},
    "sqlalchemy": {"state"},
    "pyrage": {"secrets"},
    "yaml": {"manifest"},
    "jsonschema": {"manifest"},
    "deepdiff": {"core/diff.py"},
    "click": {"cli", "__main__.py"},
    "rich": {"cli"},
    "starlette": {"sandbox"},
}
"""The only places where a library may be imported."""

IMPURE = {
    "asyncio",
    "datetime.now",
    "io",
    "logging",
    "os",
    "pathlib.Path.open",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "uuid",
}
"""Modules of the standard library that core may not touch: it has no I/O, clock, randomness or log."""

FILES = sorted(PACKAGE.rglob("*.py"))


def _room(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            found.add(node.module or "")
            if node.module == "provisioner":
                found.update(f"provisioner.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_doors(path: Path) -> None:
    """A file imports only from the rooms that its own room has a door to."""
    room = _room(path)
    rooms = {name.split(".")[1] for name in _imports(path) if name.startswith("provisioner.")}
    assert rooms - {room, "__version__"} <= DOORS[room]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_library_has_its_room(path: Path) -> None:
    """A library is imported only where design §11 gives it a room."""
    inside = str(path.relative_to(PACKAGE))
    for library in {name.split(".")[0] for name in _imports(path)} & ROOMS_OF.keys():
        assert any(inside == place or inside.startswith(f"{place}/") for place in ROOMS_OF[library]), library


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=lambda path: path.name)
def test_core_is_pure(path: Path) -> None:
    """Core touches no I/O, clock, randomness or log."""
    assert not {name.split(".")[0] for name in _imports(path)} & IMPURE
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not calls & {"now", "utcnow", "today", "read_text", "write_text", "open"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_values_are_structs(path: Path) -> None:
    """Values are `msgspec.Struct`s: making a dataclass takes as long as planning ten credentials."""
    assert _room(path) == "sandbox" or "dataclasses" not in _imports(path)


def test_every_import_is_known() -> None:
    """Whatever is imported is the standard library, ours, or a dependency that design §11 names."""
    third_party = {name.split(".")[0] for path in FILES for name in _imports(path)} - sys.stdlib_module_names
    assert third_party - {"provisioner", "referencing", "uvicorn"} <= ROOMS_OF.keys()
