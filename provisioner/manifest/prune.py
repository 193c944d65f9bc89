"""Cuts out what has a flaw, so that the rest can still be checked and every problem be told at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from provisioner.core.model import JsonValue
from provisioner.manifest.shape import Flaw
from provisioner.manifest.words import Path

_GONE: Final = object()

_DEPTHS: Final = {
    "credentials": 3,
    "environments": 2,
    "providers": 3,
    "sinks": 2,
    "users": 2,
    "defaults": 2,
    "removed": 2,
    "policies": 2,
    "import": 2,
}
"""How long the path of the smallest part is that can go without taking its neighbours' sense away."""


def prune(root: JsonValue, flaws: Iterable[Flaw]) -> JsonValue:
    """The manifest without its flawed parts. In a list, None stands for one, to keep the others' places."""
    return _without(root, {path for flaw in flaws if (path := _cut(flaw))})


def _cut(flaw: Flaw) -> Path:
    path = flaw.path
    depth = _DEPTHS.get(str(path[0]), 1) if path else 0
    if path[:2] == ("defaults", "providers"):
        depth = 4
    if len(path) > 4 and path[0] == "credentials" and path[2] == "environments":
        depth = 5
    if flaw.missing and path[:1] == ("credentials",) and len(path) == 2:
        return ()  # what is there is sound
    return path[:depth]


def _without(node: JsonValue, cuts: set[Path]) -> JsonValue:
    heads: dict[str | int, set[Path]] = {}
    for head, *rest in cuts:
        heads.setdefault(head, set()).add(tuple(rest))
    if not heads:
        return node
    if isinstance(node, list):
        kept = [_part(item, heads.get(index)) for index, item in enumerate(node)]
        return [None if item is _GONE else item for item in kept]
    if isinstance(node, dict):
        parts = {key: _part(value, heads.get(key)) for key, value in node.items()}
        return {key: value for key, value in parts.items() if value is not _GONE}
    return node


def _part(node: JsonValue, cuts: set[Path] | None) -> JsonValue:
    if cuts is None:
        return node
    return _GONE if () in cuts else _without(node, cuts)
