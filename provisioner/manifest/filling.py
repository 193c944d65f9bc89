"""Puts one element of `for_each` into the texts of its family."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from provisioner.core.model import JsonObject, JsonValue
from provisioner.manifest.document import Document
from provisioner.manifest.elements import Element
from provisioner.manifest.problems import Problems

Path = tuple[str | int, ...]

_PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_BRACES: Final = {"{{": "{", "}}": "}"}
_UNKNOWN: Final = "unknown placeholder {%s}: write {key}, {value} or {value.NAME}, and {{ for a brace itself"


class Filler:
    """Puts one element into the texts of its family."""

    def __init__(
        self,
        document: Document,
        family: Path,
        element: Element,
        problems: Problems,
        used: set[str],
    ) -> None:
        self.document = document
        self.family = family
        self.element = element
        self.failed = False
        """Whether a problem was noted."""
        self.taken: dict[Path, tuple[Document, Path]] = {}
        """Where the values stand that the element brought, by their path in the member."""
        self._problems = problems
        self._used = used

    def before(self, family: JsonObject, template: str) -> JsonValue:
        """The name that the member had before: by the family's `previously`, the element's, or both."""
        key = self.element.previously
        if key is None and "previously" not in family:
            return None
        if key is not None:
            self.taken["previously",] = self.element.document, (*self.element.path, "previously")
        old = family.get("previously", template)
        return self.filled(old, ("previously",) if "previously" in family else ("name",), key)

    def filled(self, node: JsonValue, path: Path, key: str | None = None) -> Any:
        """A value with the element put into all of its texts; `key` stands in for the element's own."""
        if isinstance(node, dict):
            self._check_keys(node, path)
            return {name: self.filled(value, (*path, name), key) for name, value in node.items()}
        if isinstance(node, list):
            return [self.filled(value, (*path, index), key) for index, value in enumerate(node)]
        if not isinstance(node, str) or ("{" not in node and "}" not in node):
            return node
        whole = _PLACEHOLDER.fullmatch(node)
        if whole and whole[1] is not None:
            return self._whole(whole[1], path, key)
        return _PLACEHOLDER.sub(lambda found: self._within(found, path, key), node)

    def _check_keys(self, node: JsonObject, path: Path) -> None:
        for name in node:
            if any(found[1] is not None for found in _PLACEHOLDER.finditer(name)):
                self._fail((*path, name), "a placeholder stands in a key here: only texts are filled in")

    def _whole(self, placeholder: str, path: Path, key: str | None) -> JsonValue:
        """A text that is a placeholder alone becomes what it stands for, be it a list or a number."""
        steps = placeholder.split(".")
        if steps[0] == "value" and self._has(steps[1:]):
            self.taken[path] = self.element.document, (*self.element.path, *steps[1:])
        return self._value(placeholder, path, key)

    def _within(self, found: re.Match[str], path: Path, key: str | None) -> str:
        if found[0] in _BRACES:
            return _BRACES[found[0]]
        if found[1] is None:
            self._fail(path, "a brace stands alone in this text: write {{ or }} for a brace itself")
            return ""
        value = self._value(found[1], path, key)
        if isinstance(value, (dict, list)) or (value is None and not self.failed):
            what = "empty" if value is None else "a mapping" if isinstance(value, dict) else "a list"
            self._fail(path, f"{found[0]} is {what} here, and cannot stand within a text")
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _value(self, placeholder: str, path: Path, key: str | None) -> JsonValue:
        name, *steps = placeholder.split(".")
        if placeholder == "key":
            return key or self.element.key
        if name != "value" or not all(steps):
            self._fail(path, _UNKNOWN % placeholder)
            return None
        self._used.add(steps[0] if steps else "value")
        value = self.element.value
        for step in steps:
            if not isinstance(value, dict) or step not in value:
                self._lacks(placeholder, path)
                return None
            value = value[step]
        if not steps and value == {}:
            self._lacks(placeholder, path)
        return value

    def _has(self, steps: Sequence[str]) -> bool:
        value = self.element.value
        for step in steps:
            if not isinstance(value, dict) or step not in value:
                return False
            value = value[step]
        return True

    def _lacks(self, placeholder: str, path: Path) -> None:
        self.failed = True
        asked = self.document.place((*self.family, *path))
        _, _, name = placeholder.partition(".")
        what = f"has no `{name}`" if name else "says nothing"
        where = f"{asked.file}:{asked.line}"
        self._problems.add(
            self.element.place,
            f"the element {self.element.key!r} {what}, and {where} asks for {{{placeholder}}}: add it",
        )

    def _fail(self, path: Path, text: str) -> None:
        self.failed = True
        self._problems.add(self.document.place((*self.family, *path)), text)
