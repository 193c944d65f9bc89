"""Strict YAML: text to plain values, with the place of every key and value.

Built on PyYAML's event stream, because its constructors guess: they read `no` as false and `12:30` as a
number, and let a duplicate key swallow a credential. Here only `true` and `false` are booleans, plain decimal
numbers are numbers, `null`, `~` and nothing are null, and all the rest is text. Tags, merge keys, keys that
are not text, a second document, deep nesting and alias bombs are refused. Nothing here is recursive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import yaml
from msgspec import Struct

from provisioner.core.model import JsonValue
from provisioner.manifest.document import Document, Items, Map, mark_of
from provisioner.manifest.problems import Place, Problems

MAX_DEPTH: Final = 32
"""How deep values may nest; a manifest needs about eight."""

MAX_ALIASED: Final = 100_000
"""How many values the aliases of one file may stand for: enough for shared blocks, too few for a bomb."""

_CONSTANTS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}\Z")
_NUMERIC: Final = frozenset("-0123456789")
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse(text: str, file: str, problems: Problems) -> Document | None:
    """Read one manifest. Problems are noted; None where nothing sensible can be made of the text."""
    odd = _UNPRINTABLE.search(text)
    if odd:
        problems.add(
            _place_of(text, odd.start(), file),
            f"the character U+{ord(odd[0]):04X} may not stand in YAML: remove it",
        )
        return None
    builder = _Builder(file, problems)
    try:
        builder.build(text)
    except _Hopeless as stop:
        problems.add(stop.place, stop.text)
        return None
    except yaml.YAMLError as error:
        problems.add(*_not_yaml(error, text, file))
        return None
    return Document(file, builder.root, builder.start)


def _place_of(text: str, index: int, file: str) -> Place:
    line = text.count("\n", 0, index)
    return Place(file, line + 1, index - (text.rfind("\n", 0, index) + 1) + 1)


_ADVICE: Final[Mapping[str, str]] = {
    "mapping values are not allowed": "a `:` stands where none can: indent the line, or quote the text",
    "could not find expected ':'": "a key is not followed by `:`: add it, or quote the text",
    "did not find expected key": "this line does not continue what is above it: check indentation and quotes",
    "expected <block end>": "this line does not continue what is above it: check indentation and quotes",
    "did not find expected ',' or": "a bracket is opened and not closed: add `,` or the closing bracket",
    "expected ',' or": "a bracket is opened and not closed: add `,` or the closing bracket",
    "expected node content": "a value is missing here, or a bracket is opened and not closed: add it",
    "undefined alias": "this alias (*name) has no anchor (&name) above it: add one, or quote the text",
    "found unexpected end of stream": "a quote is opened and never closed: close it",
    "cannot start any token": "text may not begin with this character: quote it",
}
"""The parser's words (of libyaml, and of PyYAML without it), and ours."""


def _not_yaml(error: yaml.YAMLError, text: str, file: str) -> tuple[Place, str]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Place(file), "this is not YAML: check the file's beginning"
    place = Place(file, mark.line + 1, mark.column + 1)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[mark.column : mark.column + 1] == "\t" or "\t" in line[: len(line) - len(line.lstrip())]:
        return place, "a tab indents this line: YAML allows only spaces there"
    said = str(getattr(error, "problem", None) or getattr(error, "context", None))
    advice = next((ours for theirs, ours in _ADVICE.items() if theirs in said), f"the parser says: {said}")
    return place, f"this is not YAML: {advice}"


class _Hopeless(Exception):
    """Reading on would tell nothing more."""

    def __init__(self, place: Place, text: str) -> None:
        super().__init__(text)
        self.place = place
        self.text = text


_NO_KEY: Final = object()
_DROPPED: Final = object()
"""Stands for a key whose value is read and thrown away, as the second of two equal keys."""


class _Frame(Struct):
    """What is set aside while a nested value is read."""

    container: Map | Items | None
    anchor: str | None
    count: int


class _Builder:
    """Turns events into values, one handler a kind of event."""

    def __init__(self, file: str, problems: Problems) -> None:
        self.root: JsonValue = None
        self.start = 0
        self._file = file
        self._problems = problems
        self._container: Map | Items | None = None
        self._key: Any = _NO_KEY
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[JsonValue, int]] = {}
        self._count = 0
        self._aliased = 0
        self._documents = 0
        self._texts: dict[str, str] = {}

    def build(self, text: str) -> None:
        """Read all events. Raises YAMLError and _Hopeless."""
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._map,
            yaml.SequenceStartEvent: self._items,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        try:
            kind: type = yaml.StreamStartEvent
            while kind is not yaml.StreamEndEvent:  # `yaml.parse` asks twice for each event
                event = loader.get_event()
                kind = type(event)
                handler = handlers.get(kind)
                if handler:
                    handler(event)
        finally:
            loader.dispose()

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._hopeless(
                event,
                "a second document begins here (---): move it into a file of its own under credentials/",
            )

    def _scalar(self, event: Any) -> None:
        mark = mark_of(event.start_mark.line, event.start_mark.column)
        if event.tag is not None:
            self._note(mark, f"the tag {_tag(event)} is refused: remove it, and quote what is meant as text")
        text: str = event.value
        value: JsonValue = self._texts.setdefault(text, text)
        if event.implicit[0]:
            value = _plain(value)
        if self._key is _NO_KEY and type(self._container) is Map:
            self._set_key(self._container, value, text, mark)
        else:
            self._put(value, mark)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)

    def _set_key(self, container: Map, value: JsonValue, text: str, mark: int) -> None:
        if type(value) is not str:
            shown = text or "nothing"
            self._note(mark, f"the key {shown} is not text: put it in quotes")
            value = text
        elif value == "<<":
            self._note(
                mark,
                "merge keys (<<) are refused: write the keys out, or put what is shared under `defaults`",
            )
            self._key = _DROPPED
            return
        if value in container:
            first = self._place(container.marks[list(container).index(value) * 2])
            self._note(mark, f"{value!r} stands here already, in line {first.line}: remove or rename one")
            self._key = _DROPPED
            return
        self._key = value
        container.marks.append(mark)

    def _put(self, value: JsonValue, mark: int) -> None:
        self._count += 1
        container = self._container
        if type(container) is Map:
            if self._key is not _DROPPED:
                container[self._key] = value
                container.marks.append(mark)
            self._key = _NO_KEY
        elif type(container) is Items:
            container.append(value)
            container.marks.append(mark)
        else:
            self.root, self.start = value, mark

    def _map(self, event: Any) -> None:
        self._open(Map(), event)

    def _items(self, event: Any) -> None:
        self._open(Items(), event)

    def _open(self, container: Map | Items, event: Any) -> None:
        mark = mark_of(event.start_mark.line, event.start_mark.column)
        if event.tag is not None:
            self._note(mark, f"the tag {_tag(event)} is refused: remove it")
        if self._key is _NO_KEY and type(self._container) is Map:
            raise self._hopeless(event, "a key must be text: this one is a list or a mapping")
        if len(self._frames) == MAX_DEPTH:
            raise self._hopeless(event, f"values nest deeper than {MAX_DEPTH} levels: flatten them")
        self._put(container, mark)
        if event.anchor:
            self._anchors.pop(event.anchor, None)
        self._frames.append(_Frame(self._container, event.anchor, self._count))
        self._container, self._key = container, _NO_KEY

    def _end(self, _: Any) -> None:
        frame = self._frames.pop()
        if frame.anchor:
            self._anchors[frame.anchor] = (self._container, self._count - frame.count + 1)
        self._container, self._key = frame.container, _NO_KEY

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise self._hopeless(
                event, f"the alias *{event.anchor} has no finished anchor &{event.anchor} above it: add one"
            )
        value, size = self._anchors[event.anchor]
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            raise self._hopeless(
                event, f"the aliases of this file stand for more than {MAX_ALIASED:,} values: write them out"
            )
        mark = mark_of(event.start_mark.line, event.start_mark.column)
        if self._key is _NO_KEY and type(self._container) is Map:
            raise self._hopeless(event, "a key must be text, not an alias: write it out")
        self._put(value, mark)
        self._count += size - 1

    def _note(self, mark: int, text: str) -> None:
        self._problems.add(self._place(mark), text)

    def _place(self, mark: int) -> Place:
        return Document(self._file, None).at(mark)

    def _hopeless(self, event: Any, text: str) -> _Hopeless:
        mark = mark_of(event.start_mark.line, event.start_mark.column)
        return _Hopeless(self._place(mark), text)


def _tag(event: Any) -> str:
    tag: str = event.tag
    return tag.replace("tag:yaml.org,2002:", "!!", 1)


def _plain(text: str) -> JsonValue:
    """What a scalar without quotes stands for."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in _NUMERIC:
        if _INTEGER.match(text):
            return int(text)
        if _DECIMAL.match(text):
            return float(text)
    return text
