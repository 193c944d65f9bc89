"""Declared credentials as lines of text: what a plan looks at first, and what a cache keeps.

Most of what is declared is as it was recorded, and finding that out takes a comparison of texts. So a project
may hold its credentials as a `Sheet`: a sequence of `Desired`, each made only when somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, overload

from provisioner.core.canonical import canonical, read_json
from provisioner.core.model import Address, Desired, JsonValue, Kind, Source, Via

COLUMNS: Final = (
    "environment",
    "name",
    "provider",
    "via",
    "user",
    "fields",
    "local",
    "rotate",
    "kind",
    "previously",
    "family",
    "file",
    "line",
    "column",
)
"""The cells of a line, between tabs. `rotate` is that of `local`, told apart to be looked up."""


def ordered(value: JsonValue) -> JsonValue:
    """The same JSON with the keys of every object in the order of the alphabet, as a line keeps it."""
    if isinstance(value, Mapping):
        return {key: ordered(value[key]) for key in sorted(value)}
    return [ordered(one) for one in value] if isinstance(value, list) else value


def line_of(one: Desired) -> str:
    """One credential as a line. Raises ValueError where a cell would not come back as it is."""
    texts = [one.user, one.previously]
    cells = (
        one.address.environment,
        one.address.name,
        one.provider,
        one.via.value,
        one.user or "",
        canonical(one.fields),
        canonical(one.local),
        canonical(one.local.get("rotate")),
        one.kind.value,
        one.previously or "",
        one.family,
        one.source.file,
        str(one.source.line),
        str(one.source.column),
    )
    line = "\t".join(cells)
    if "" in texts or "\n" in line or line.count("\t") != len(COLUMNS) - 1:
        raise ValueError(f"{one.address} cannot be kept as a line")
    return line


def desired_of(line: str) -> Desired:
    """The credential that `line_of` wrote."""
    place, name, provider, via, user, fields, local, _, kind, before, family, file, row, column = line.split(
        "\t"
    )
    return Desired(
        address=Address(place, name),
        kind=Kind(kind),
        provider=provider,
        via=Via(via),
        fields=read_json(fields),
        local=read_json(local),
        source=Source(file, int(row), int(column)),
        user=user or None,
        previously=before or None,
        family=family,
    )


class Sheet(Sequence[Desired]):
    """Declared credentials in the order of their addresses."""

    __slots__ = ("lines",)

    def __init__(self, lines: Sequence[str]) -> None:
        # A tab sorts before whatever a name may hold, so lines sort as their addresses do.
        self.lines = sorted(lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Desired]:
        return map(desired_of, self.lines)

    @overload
    def __getitem__(self, index: int) -> Desired: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Desired]: ...
    def __getitem__(self, index: int | slice) -> Desired | Sequence[Desired]:
        if isinstance(index, slice):
            return tuple(map(desired_of, self.lines[index]))
        return desired_of(self.lines[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(_same, self, other))

    __hash__ = None  # type: ignore[assignment]  # what can be equal to a tuple has no hash of its own


def _same(one: Any, other: Any) -> bool:
    return bool(one == other)
