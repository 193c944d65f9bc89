"""A manifest as plain values that know where each key and value stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from provisioner.core.model import JsonValue
from provisioner.manifest.problems import Place

_LINE: Final = 24
"""A mark is one number, line << 24 | column, both from 0: millions of them must stay cheap."""

_FEW: Final = 64
"""A mapping of fewer keys is searched as it is."""


def mark_of(line: int, column: int) -> int:
    """The mark of a place, whose line and column count from 0 here."""
    return line << _LINE | column


class Map(dict[str, JsonValue]):
    """A mapping; `marks` holds the mark of each key and of its value by turns, in order."""

    __slots__ = ("_positions", "marks")

    def __init__(self) -> None:
        self.marks: list[int] = []
        self._positions: dict[str, int] | None = None

    def position(self, key: str) -> int:
        """How many keys stand before this one; found at once also where there are thousands."""
        if len(self) < _FEW:
            return list(self).index(key)
        if self._positions is None or len(self._positions) != len(self):
            self._positions = {one: index for index, one in enumerate(self)}
        return self._positions[key]


class Items(list[JsonValue]):
    """A list; `marks` holds the mark of each item."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        self.marks: list[int] = []


class Document(Struct, frozen=True):
    """One manifest as values."""

    file: str
    root: JsonValue
    start: int = 0

    def place(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Where the value at this path stands; its key's place for `key`, and for what has no text itself."""
        node, mark = self.root, self.start
        for step in path:
            node, mark = _step(node, step, mark, key)
        return self.at(mark)

    def at(self, mark: int) -> Place:
        """The place that a mark stands for."""
        return Place(self.file, (mark >> _LINE) + 1, (mark & ((1 << _LINE) - 1)) + 1)


def packed(node: JsonValue) -> JsonValue:
    """A value with its marks as JSON."""
    if isinstance(node, Map):
        return {"map": [[key, packed(value)] for key, value in node.items()], "marks": node.marks}
    if isinstance(node, Items):
        return {"items": [packed(value) for value in node], "marks": node.marks}
    return node


def unpacked(node: JsonValue) -> JsonValue:
    """The value that `packed` packed."""
    if not isinstance(node, dict):
        return node
    found: Map | Items = Map() if "map" in node else Items()
    found.marks = node["marks"]
    if isinstance(found, Map):
        found.update({key: unpacked(value) for key, value in node["map"]})
    else:
        found.extend(unpacked(value) for value in node["items"])
    return found


def without(node: JsonValue, key: str) -> JsonValue:
    """A mapping without one of its keys; anything else as it is."""
    if not isinstance(node, Map) or key not in node:
        return node
    index = list(node).index(key) * 2
    found = Map()
    found.update({name: value for name, value in node.items() if name != key})
    found.marks = node.marks[:index] + node.marks[index + 2 :]
    return found


def plain(value: JsonValue) -> JsonValue:
    """A copy of nothing but plain dicts and lists: what leaves this room carries no marks."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def _step(node: JsonValue, step: str | int, mark: int, key: bool) -> tuple[JsonValue, int]:
    if isinstance(node, Items) and isinstance(step, int):
        return node[step], node.marks[step]
    if isinstance(node, Map) and step in node:
        index = node.position(str(step)) * 2
        child = node[str(step)]
        by_key = key or child is None or isinstance(child, (Map, Items))
        return child, node.marks[index if by_key else index + 1]
    return None, mark
