"""The fields of an AuthAccess that the document lets a list be filtered and sorted by (FP5).

A field is read from the object as an answer shows it, so neither a filter nor an order can learn what an
answer hides: `secretKey`, which the document lists, is the same mask in every object (FP9).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

Shown = Mapping[str, object]
Value = str | float | bool


class Kind(Enum):
    """What a field holds, for comparing."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    MOMENT = "moment"
    """Milliseconds since 1970-01-01T00:00:00Z."""


FIELDS: Mapping[str, Kind] = {
    "createdTime": Kind.MOMENT,
    "createdTime.iso8601": Kind.TEXT,
    "createdTime.timestamp.milliseconds": Kind.NUMBER,
    "createdTime.timestamp.seconds": Kind.NUMBER,
    "creator": Kind.TEXT,
    "creator._type": Kind.TEXT,
    "creator.accountId": Kind.TEXT,
    "creator.authAccessId": Kind.TEXT,
    "creator.personId": Kind.TEXT,
    "description": Kind.TEXT,
    "foreignId": Kind.TEXT,
    "id": Kind.TEXT,
    "isEnabled": Kind.FLAG,
    "name": Kind.TEXT,
    "secretKey": Kind.TEXT,
    "token": Kind.TEXT,
}

#: Where the value of a field stands that is itself an object; the first that is there counts.
_STANDS_AT: Mapping[str, tuple[str, ...]] = {
    "createdTime": ("createdTime.timestamp.milliseconds",),
    "creator": ("creator.authAccessId", "creator.personId"),
}


def read(shown: Shown, field: str) -> Value | None:
    """The value of a field in an object as shown; `None` where the object does not have the field."""
    found = (_at(shown, path) for path in _STANDS_AT.get(field, (field,)))
    return next((value for value in found if value is not None), None)


def _at(shown: Shown, path: str) -> Value | None:
    node: object = shown
    for step in path.split("."):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node if isinstance(node, Value) else _number(node)


def _number(node: object) -> float | None:
    # An int is a float to a type checker, but not to isinstance(); it stays exact.
    return node if isinstance(node, int) else None
