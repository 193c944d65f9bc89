"""JSON with one way to write each value: what is kept, compared, digested and signed as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import msgspec

from provisioner.core.model import JsonValue


def canonical(value: JsonValue) -> str:
    """Sorted keys and no white space. Raises TypeError for what has no form in JSON.

    NaN and infinities are no JSON either; whoever reads a value refuses them, since here they would be null.
    """
    try:
        return _ENCODER.encode(value).decode()
    except UnicodeEncodeError:
        return _ASCII.encode(value)  # half a character, as only a broken command line or file can hold it


def _plain(value: JsonValue) -> JsonValue:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is no JSON")


_ENCODER: Final = msgspec.json.Encoder(order="sorted", enc_hook=_plain)
_ASCII: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
"""Both made once: making one takes longer than using it."""
