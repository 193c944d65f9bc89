"""Values as text for people: nothing that a terminal would obey, nothing that looks like another value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provisioner.core.model import JsonValue

NOTHING = "(none)"
"""How a value that is not set is shown."""

MANY = 8
"""A list longer than this is shown by what is added and removed."""

Paint = Callable[[str, str], str]
"""Colours a text: `paint(text, colour)`."""

_WORD = re.compile(r"[A-Za-z@][A-Za-z0-9._:/@+*-]*")
_RANGE = re.compile(r"[0-9A-Fa-f.:]+/[0-9]{1,3}")
_NOT_TEXT = frozenset({"true", "false", "null"})


def plain(text: str) -> str:
    """The text with everything unprintable written as an escape.

    Control characters, ANSI sequences, bidirectional overrides and invisible characters of a manifest or a
    vendor must not move the cursor, hide a line or reorder it.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shown(value: JsonValue, *, quoted: bool = False) -> str:
    """A JSON value for people: words bare, all else as JSON. `quoted` is for free text."""
    match value:
        case None:
            return NOTHING
        case str():
            return (
                plain(value) if not quoted and _bare(value) else plain(json.dumps(value, ensure_ascii=False))
            )
        case list() | tuple():
            return ", ".join(shown(item) for item in value) if value else "[]"
        case dict():
            # Its order means nothing, so both sides of a change have the same one.
            entries = (f"{plain(str(key))}: {_within(value[key])}" for key in sorted(value, key=str))
            return "{" + ", ".join(entries) + "}"
    return plain(json.dumps(value, ensure_ascii=False))


def _within(value: JsonValue) -> str:
    """A list inside a mapping keeps its brackets, so that its end can be seen."""
    return f"[{shown(value)}]" if isinstance(value, list) and value else shown(value)


def _bare(text: str) -> bool:
    return bool(_WORD.fullmatch(text) or _RANGE.fullmatch(text)) and text not in _NOT_TEXT


def moved(before: JsonValue, after: JsonValue, *, quoted: bool = False) -> str:
    """`before → after`; of long lists only what is added and removed."""
    if isinstance(before, list) and isinstance(after, list) and max(len(before), len(after)) > MANY:
        return _list_moved(before, after)
    return f"{shown(before, quoted=quoted)} → {shown(after, quoted=quoted)}"


def _list_moved(before: list[JsonValue], after: list[JsonValue]) -> str:
    added = [item for item in after if item not in before]
    removed = [item for item in before if item not in after]
    parts = [f"adds {shown(added)}"] * bool(added) + [f"removes {shown(removed)}"] * bool(removed)
    return f"{'; '.join(parts) or 'another order'}; {len(after) - len(added)} kept"


def ago(moment: datetime, now: datetime) -> str:
    """How long since, in the one unit that says most: `3d`, `5h`, `12m`, `40s`."""
    return span(now - moment)


def span(length: timedelta) -> str:
    """A length of time in the one unit that says most."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def count_of(number: int, thing: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def unpainted(text: str, color: str) -> str:
    """The text as it is."""
    return text
