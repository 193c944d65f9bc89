"""The elements of `for_each`: a list or a map in the manifest, or in a YAML file of the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from provisioner.core.model import JsonValue
from provisioner.manifest import files
from provisioner.manifest.document import Document
from provisioner.manifest.problems import Place, Problems
from provisioner.manifest.schemas import definition
from provisioner.manifest.shape import Shape
from provisioner.manifest.text import parse

_OWN: Final = frozenset({"key", "previously"})
"""What an element says of itself, rather than for the texts of its family."""


class Element(Struct, frozen=True):
    """One element: its key, and what it says."""

    key: str
    value: JsonValue
    """A mapping of what {value.NAME} stands for, or what {value} stands for itself."""
    previously: str | None
    document: Document
    path: tuple[str | int, ...]
    place: Place
    """Where it begins."""

    @classmethod
    def of(
        cls, step: str | int, written: JsonValue, document: Document, above: tuple[str | int, ...]
    ) -> Element:
        """An element as a list or a map holds it at this step."""
        path = (*above, step)
        own: Mapping[str, JsonValue] = written if isinstance(written, dict) else {}
        if isinstance(step, str):
            key, value = step, {} if written is None else written
        else:
            key, value = (own["key"], written) if own else (str(written), {})
        names = _OWN if isinstance(step, int) else {"previously"}
        if isinstance(value, dict):
            value = {name: inner for name, inner in value.items() if name not in names}
        return cls(key, value, own.get("previously"), document, path, document.place(path, key=True))


_NO_ELEMENTS: Final = "elements stand in a .yaml or .yml file, and in no hidden folder: put them into one"


class Elements:
    """Reads elements; a file that several families name is read once."""

    def __init__(self, root: Path, problems: Problems) -> None:
        self._root = root
        self._problems = problems
        self._files: dict[str, tuple[Element, ...]] = {}

    def of(self, document: Document, path: tuple[str | int, ...], for_each: JsonValue) -> tuple[Element, ...]:
        """The elements at this path, or in the file named there. Problems are noted, and yield none."""
        if not (isinstance(for_each, dict) and "file" in for_each):
            return tuple(_elements(document, path, for_each))
        name = for_each["file"]
        refusal = self._refusal(name)
        if refusal:
            self._problems.add(document.place((*path, "file")), refusal)
            return ()
        if name not in self._files:
            self._files[name] = self._read(self._root / name)
        return self._files[name]

    def _refusal(self, name: str) -> str:
        """Why no elements are read from there; only the project's own files are."""
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or "\0" in name:
            return "the file must lie in the project's folder: write its path from there, without `..`"
        if not _may_hold_elements(path):
            return _NO_ELEMENTS
        if path.parts[:1] == (files.CREDENTIALS,):
            return "a YAML file below credentials/ is read as a manifest: put the elements beside that folder"
        try:
            there = (self._root / path).resolve(strict=True)
        except (OSError, RuntimeError):
            return f"there is no file {name!r} in the project's folder: write its path from there"
        root = self._root.resolve()
        if not there.is_relative_to(root):
            return "the file is a link that leads out of the project's folder: copy it here"
        return "" if _may_hold_elements(there.relative_to(root)) else _NO_ELEMENTS

    def _read(self, path: Path) -> tuple[Element, ...]:
        text = files.read(path, self._root, self._problems)
        document = None if text is None else parse(text, files.shown(path, self._root), self._problems)
        if document is None:
            return ()
        flaws = _shape().flaws({"for_each": document.root})
        for flaw in flaws:
            self._problems.add(document.place(flaw.path[1:], key=flaw.at_key), flaw.text)
        return () if flaws else tuple(_elements(document, (), document.root))


def _may_hold_elements(path: Path) -> bool:
    """Whether it is a kind of file that holds no secrets: elements are repeated in messages and plans."""
    return path.suffix.lower() in files.SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _elements(document: Document, path: tuple[str | int, ...], written: JsonValue) -> Iterator[Element]:
    steps = written.items() if isinstance(written, dict) else enumerate(written)
    return (Element.of(step, value, document, path) for step, value in steps)


@cache
def _shape() -> Shape:
    """The shape of a file of elements, as it would stand under `for_each`: messages speak of that."""
    elements = definition("elements")
    return Shape({"properties": {"for_each": elements}, "$defs": elements["$defs"]})
