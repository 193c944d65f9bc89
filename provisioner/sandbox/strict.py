"""How a twin reads a request: what the contract does not allow is refused, every fault named at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from urllib.parse import parse_qsl

from starlette.requests import Request

from provisioner.sandbox.replies import Fault, Refusal, unprocessable

MAX_BODY = 64 * 1024

Body = Mapping[str, object]


class Kind(Protocol):
    """What a field may hold."""

    def fault(self, value: object) -> str | None:
        """Why `value` is refused, in words that do not repeat it; `None` if it is fine."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string without control characters; with `lines`, tabs and line ends are none."""

    longest: int = 200
    shortest: int = 1
    choices: tuple[str, ...] = ()
    lines: bool = False

    def fault(self, value: object) -> str | None:
        """Why `value` is no such string."""
        if not isinstance(value, str):
            return "must be a string"
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(self.choices)}"
        if not self.shortest <= len(value) <= self.longest:
            return f"must have {self.shortest} to {self.longest} characters"
        # Lone surrogates are valid JSON but no text: they could not be stored or sent again.
        allowed = "\t\n\r" if self.lines else ""
        if any(
            (ord(char) < 32 and char not in allowed) or ord(char) == 127 or 0xD800 <= ord(char) <= 0xDFFF
            for char in value
        ):
            return "must not contain control characters or lone surrogates"
        return None


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`."""

    def fault(self, value: object) -> str | None:
        """Why `value` is neither."""
        return None if isinstance(value, bool) else "must be true or false"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, written as one."""

    lowest: int
    highest: int

    def fault(self, value: object) -> str | None:
        """Why `value` is no such number."""
        if isinstance(value, bool) or not isinstance(value, int):
            return "must be a whole number"
        fits = self.lowest <= value <= self.highest
        return None if fits else f"must be from {self.lowest} to {self.highest}"


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar, as `2026-11-21` (RFC 3339 full-date)."""

    def fault(self, value: object) -> str | None:
        """Why `value` is no such day."""
        try:
            # fromisoformat() alone would read other forms of ISO 8601 too.
            known = isinstance(value, str) and str(date.fromisoformat(value)) == value
        except ValueError:
            known = False
        return None if known else "must be a day of the calendar, as 2026-11-21"


@dataclass(frozen=True, slots=True)
class Choices:
    """A set of at least one of the choices, written as an array without repeats."""

    choices: tuple[str, ...]

    def fault(self, value: object) -> str | None:
        """Why `value` is no such set."""
        if not isinstance(value, list):
            return "must be an array"
        if not value:
            return "must have at least one entry"
        if any(entry not in self.choices for entry in value):
            return f"must hold only {', '.join(self.choices)}"
        return None if len(set(value)) == len(value) else "must not repeat an entry"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body."""

    kind: Kind
    required: bool = False
    nullable: bool = False

    def fault_in(self, body: Body, name: str) -> str | None:
        """Why what `body` holds under `name`, or lacks, is refused; `None` if it is fine."""
        if name not in body:
            return "is required" if self.required else None
        return None if body[name] is None and self.nullable else self.kind.fault(body[name])


Shape = Mapping[str, Field]


def changes(shape: Shape, names: Iterable[str]) -> Shape:
    """The shape of a PATCH: these fields of `shape`, none of them required."""
    return {name: Field(shape[name].kind, nullable=shape[name].nullable) for name in names}


async def read_body(request: Request) -> bytes:
    """The raw body. Raises `Refusal` 413 as soon as it is larger than 64 KiB, without reading on."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refusal(413, f"the body is larger than {MAX_BODY} bytes")
    return bytes(body)


def require_media_type(request: Request, *media_types: str) -> None:
    """Refuse (415) a body that is not declared as one of `media_types`, in UTF-8."""
    wanted = ", ".join(media_types)
    declared = request.headers.get("content-type", "").lower()
    media_type, _, parameters = declared.partition(";")
    if media_type.strip() not in media_types:
        raise Refusal(415, f"the body must be {wanted}", headers={"accept": wanted})
    if parameters.strip() and parameters.replace(" ", "").replace('"', "") != "charset=utf-8":
        raise Refusal(415, f"the body must be {wanted} in UTF-8")


def parse_json(raw: bytes) -> Body:
    """A JSON object (RFC 8259, no repeated keys, no NaN). Raises `Refusal` 400, or 422 if it is no object."""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unrepeated, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise Refusal(400, "the body is not well-formed JSON") from problem
    if not isinstance(value, dict):
        raise unprocessable(Fault("", "must be an object"))
    return value


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("repeated key")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def check(shape: Shape, body: Body) -> Body:
    """The body, if it has the shape; otherwise `Refusal` 422 with every fault."""
    faults = [Fault(_pointer(name), "is not a field of this request") for name in body if name not in shape]
    for name, field in shape.items():
        detail = field.fault_in(body, name)
        if detail:
            faults.append(Fault(_pointer(name), detail))
    if not body and not faults:
        faults.append(Fault("", "must change something"))
    if faults:
        raise unprocessable(*faults)
    return body


def _pointer(name: str) -> str:
    # ASCII only: a field name of the caller may hold anything, and the answer must still be encodable.
    safe = name[:100].encode("ascii", "backslashreplace").decode("ascii")
    return "/" + safe.replace("~", "~0").replace("/", "~1")


def parse_form(raw: bytes) -> Mapping[str, str]:
    """Form parameters; empty ones count as left out, repeated ones are refused (RFC 6749 §3.2)."""
    try:
        pairs = parse_qsl(raw.decode("utf-8"), encoding="utf-8", errors="strict", max_num_fields=100)
    except ValueError as problem:
        raise Refusal(400, "the body is not well-formed form data") from problem
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refusal(400, "a parameter is repeated")
    return found


def check_query(request: Request, allowed: Iterable[str]) -> Mapping[str, str]:
    """The query parameters, or `Refusal` 400 for an unknown or repeated one."""
    pairs = request.query_params.multi_items()
    names = [name for name, _ in pairs]
    if not set(names) <= set(allowed) or len(set(names)) != len(names):
        known = ", ".join(allowed) or "none"
        raise Refusal(400, f"an unknown or repeated query parameter; known here: {known}")
    return dict(pairs)


def number(query: Mapping[str, str], name: str, *, default: int, highest: int) -> int:
    """A whole number from 1 to `highest` from the query, or `Refusal` 400."""
    text = query.get(name, str(default))
    # isdecimal() alone would let other scripts' digits through, and int() a text of thousands of them.
    if text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= highest:
        return int(text)
    raise Refusal(400, f"{name} must be a whole number from 1 to {highest}")
