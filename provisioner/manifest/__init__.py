"""YAML text to values: `load` reads a project, with every problem and its place; `schema` is for editors.

What reading a sound project does not need is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from provisioner.manifest.load import load

if TYPE_CHECKING:
    from provisioner.manifest.built_in import ALWAYS
    from provisioner.manifest.locate import locate
    from provisioner.manifest.problems import Place, Problem
    from provisioner.manifest.schemas import editor_schema, schema

__all__ = ["ALWAYS", "Place", "Problem", "editor_schema", "load", "locate", "schema"]

_ROOMS = {
    "ALWAYS": "built_in",
    "Place": "problems",
    "Problem": "problems",
    "editor_schema": "schemas",
    "schema": "schemas",
}


def __getattr__(name: str) -> Any:
    if name == "locate":
        from provisioner.manifest.locate import locate

        globals()["locate"] = locate  # importing the module has put itself under this name
        return locate
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
