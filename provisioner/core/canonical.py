"""JSON: one way to write each value, kept, compared, digested and signed as text; and how any is read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Final

import msgspec

from provisioner.core.model import JsonValue


def canonical(value: JsonValue) -> str:
    """Sorted keys and no white space. Raises TypeError for what has no form in JSON, such as a Secret.

    Give it what JSON can hold: NaN and infinities would be null, which whoever reads a value refuses, and
    bytes, sets and moments would be texts and lists.
    """
    return encoded(value).decode()


def encoded(value: JsonValue) -> bytes:
    """The same in UTF-8, for what digests, seals or sends it: of a large plan a copy less, and another."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:  # half a character, as only a broken command line or file can hold it
        return _ASCII.encode(value).encode()


def read_json(text: str | bytes) -> JsonValue:
    """What any JSON says, also where msgspec is stricter than those who write it.

    Vendors put a byte order mark before it, and cut a text in the middle of a character; so does `canonical`
    write one. Raises ValueError for no JSON and for no finite number, RecursionError for what is too deep.
    """
    try:
        return msgspec.json.decode(text)
    except (ValueError, msgspec.DecodeError):  # in older msgspec the second is none of the first
        return json.loads(text, parse_float=_finite, parse_constant=_finite)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("no finite number")
    return value


def _plain(value: JsonValue) -> JsonValue:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is no JSON")


_ENCODER: Final = msgspec.json.Encoder(order="sorted", enc_hook=_plain)
_ASCII: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
"""Both made once: making one takes longer than using it."""
