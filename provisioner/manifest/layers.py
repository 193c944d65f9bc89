"""Defaults and overrides: project, provider, credential, environment; the nearest wins.

Mappings (`settings`, `labels`, `rotate`) merge key by key, everything else is replaced whole, and a null
`rotate` takes back what lies further away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from provisioner.core.model import JsonObject, JsonValue
from provisioner.manifest.document import Document
from provisioner.manifest.problems import Place

_MERGED: Final = frozenset({"settings", "labels", "rotate"})


class Layer(Struct, frozen=True):
    """One mapping of fields, and where it stands."""

    values: JsonObject
    document: Document
    path: tuple[str | int, ...]


def merge(layers: Sequence[Layer]) -> dict[str, JsonValue]:
    """The fields that hold, from layers in order, the farthest first."""
    merged: dict[str, JsonValue] = {}
    for layer in layers:
        for name, value in layer.values.items():
            below = merged.get(name)
            if name in _MERGED and isinstance(below, dict) and isinstance(value, dict):
                merged[name] = {**below, **value}
            else:
                merged[name] = value
    return merged


def origin(layers: Sequence[Layer], path: Sequence[str | int], *, key: bool = False) -> Place | None:
    """Where the value at this path of the merged fields was written; None where no layer has it."""
    for layer in reversed(layers):
        if _holds(layer.values, path):
            return layer.document.place((*layer.path, *path), key=key)
    return None


def _holds(values: JsonObject, path: Sequence[str | int]) -> bool:
    name, *rest = path
    if name not in values:
        return False
    inner = values[str(name)]
    return not rest or name not in _MERGED or (isinstance(inner, dict) and rest[0] in inner)
