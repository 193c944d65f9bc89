"""What became of one attempt to ask a vendor: its fate by status and contract, and what was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from provisioner.core.canonical import read_json
from provisioner.core.model import JsonValue
from provisioner.providers.answers import words
from provisioner.providers.retry import Fate, fate_of
from provisioner.providers.route import Route

T = TypeVar("T")

BROKEN_CONTRACT = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What a reader trips over when an answer is not what the contract says; its text could quote the answer."""


class Attempt(Struct, Generic[T], frozen=True):
    """One attempt, after its answer or without one."""

    fate: Fate
    status: int = 0
    asked: float | None = None
    words: str = ""
    value: T | None = None

    def __repr__(self) -> str:
        return f"<Attempt, {self.fate}>"  # what was read may be a token


def judged(
    route: Route,
    read: Callable[[int, JsonValue], T],
    status: int,
    asked: float | None,
    raw: bytes | None,
    unsaid: str = "",
) -> Attempt[T]:
    """Read an answer. A reader's error means that the vendor did not keep to the contract.

    `unsaid` is what the question carried and no error may repeat.
    """
    fate = Fate.ANSWERED if status in route.accept else fate_of(status, asked)
    body = _parsed(raw) if status < 400 else _sparing(_parsed(raw), unsaid)
    if fate is not Fate.ANSWERED:
        # A 401 may repeat the token that it rejects.
        quotable = route.quotable and 400 <= status < 500 and status != 401
        return Attempt(fate, status, asked, words(body) if quotable else "")
    if body is None and route.body and status not in route.accept:
        return Attempt(Fate.UNREADABLE, status)
    try:
        return Attempt(fate, status, value=read(status, body))
    except BROKEN_CONTRACT:
        return Attempt(Fate.UNREADABLE, status)


def _sparing(body: JsonValue, unsaid: str) -> JsonValue:
    """A refusal without the texts that repeat what must stay unsaid."""
    if not unsaid or not isinstance(body, Mapping):
        return body
    return {name: value for name, value in body.items() if not (isinstance(value, str) and unsaid in value)}


def _parsed(raw: bytes | None) -> JsonValue:
    try:
        return read_json(raw or b"null")
    except (ValueError, RecursionError):
        return None
