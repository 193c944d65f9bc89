"""What a person brings as one JSON document on stdin, checked before anything is done with it.

No message quotes anything of the document: whatever stands in it may be a secret, a misplaced name too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import BinaryIO

from msgspec import Struct

from provisioner.core.handoff import Answer
from provisioner.core.journal import Handoff
from provisioner.core.model import JsonValue
from provisioner.core.secret import Secret
from provisioner.errors import UsageError

LARGEST = 1 << 20
"""Bytes; more is no answer to a handoff."""


def read_answer(stream: BinaryIO, handoff: Handoff, by: str) -> Answer:
    """The asked-for values, as `{"client_id": "...", ...}`; `{}` where there is only something to confirm.

    Raises UsageError for anything else.
    """
    return Answer(read_secret(stream, handoff.asks, handoff.id), by)


def read_secret(stream: BinaryIO, asks: Sequence[str], whose: str) -> Secret:
    """These parts of a secret as one JSON object; where there is but one part, a single line of text will do.

    `whose` stands before each complaint. Raises UsageError for anything else.
    """
    wanted = _Wanted(tuple(asks), whose)
    raw = stream.read(LARGEST + 1)
    if len(asks) == 1 and not raw.lstrip().startswith(b"{"):
        return Secret({asks[0]: _line(raw, wanted)})
    return Secret(_checked(_parsed(raw, wanted), wanted))


class _Wanted(Struct, frozen=True):
    """What is to stand on stdin."""

    asks: tuple[str, ...]
    whose: str


def _line(raw: bytes, wanted: _Wanted) -> str:
    try:
        lines = raw.decode().split("\n")
    except UnicodeDecodeError:
        raise _unfit(wanted, "stdin is not text") from None
    line = lines[0].strip()
    if not line or any(rest.strip() for rest in lines[1:]) or len(raw) > LARGEST:
        raise _unfit(wanted, "stdin is not one line of text")
    return line


class Brought:
    """Whoever sent the answer along, and is not there to be asked anew. Fulfils `engine.ports.Person`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def perform(self, handoff: Handoff) -> Answer | None:
        """What they sent."""
        return self._answer

    async def again(self, handoff: Handoff, why: str) -> bool:
        """They are not there."""
        return False


def _parsed(text: bytes, wanted: _Wanted) -> JsonValue:
    if len(text) > LARGEST:
        raise _unfit(wanted, f"stdin holds more than {LARGEST} bytes")
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        # Without its cause, which quotes the document.
        raise _unfit(wanted, "stdin is not one JSON document, or repeats a name") from None


def _without_repeats(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _checked(found: JsonValue, wanted: _Wanted) -> dict[str, str]:
    if not isinstance(found, dict):
        raise _unfit(wanted, "stdin is not a JSON object")
    strange = len(found.keys() - set(wanted.asks))
    if strange:
        raise _unfit(wanted, f"stdin has {strange} name{'s' if strange > 1 else ''} that nobody asked for")
    missing = [name for name in wanted.asks if not _text(found.get(name))]
    if missing:
        raise _unfit(
            wanted, f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing or no text"
        )
    return {name: _text(value) for name, value in found.items()}


def _text(value: JsonValue) -> str:
    """A text, or a whole number as one (an API identifier is an integer, TC1); else nothing.

    JSON can write characters that are none, halves of a pair, and one that ends a text elsewhere.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= one <= "\udfff" for one in value):
        return ""
    return value.strip()


def _unfit(wanted: _Wanted, what: str) -> UsageError:
    needed = ", ".join(f'"{name}": "..."' for name in wanted.asks)
    return UsageError(f"{wanted.whose}: {what}", remedy=f"give {{{needed}}} on stdin")
