"""What a person brings back as one JSON document on stdin, checked before anything is done with it.

No message quotes anything of the document: whatever stands in it may be a secret, a misplaced name too.
"""

from __future__ import annotations

import json
from typing import BinaryIO

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
    return Answer(Secret(_checked(_parsed(stream.read(LARGEST + 1), handoff), handoff)), by)


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


def _parsed(text: bytes, handoff: Handoff) -> JsonValue:
    if len(text) > LARGEST:
        raise _unfit(handoff, f"stdin holds more than {LARGEST} bytes")
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        # Without its cause, which quotes the document.
        raise _unfit(handoff, "stdin is not one JSON document, or repeats a name") from None


def _without_repeats(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _checked(found: JsonValue, handoff: Handoff) -> dict[str, str]:
    if not isinstance(found, dict):
        raise _unfit(handoff, "stdin is not a JSON object")
    strange = len(found.keys() - set(handoff.asks))
    if strange:
        raise _unfit(handoff, f"stdin has {strange} name{'s' if strange > 1 else ''} that nobody asked for")
    missing = [name for name in handoff.asks if not _text(found.get(name))]
    if missing:
        raise _unfit(
            handoff, f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing or no text"
        )
    return {name: _text(value) for name, value in found.items()}


def _text(value: JsonValue) -> str:
    """A text, or a whole number as one (an API identifier is an integer, TC1); else nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def _unfit(handoff: Handoff, what: str) -> UsageError:
    wanted = ", ".join(f'"{name}": "..."' for name in handoff.asks)
    return UsageError(f"{handoff.id}: {what}", remedy=f"give {{{wanted}}} on stdin")
