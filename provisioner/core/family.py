"""Families: credentials that one entry of a manifest declares, one for each element of its `for_each`. Pure.

What a family's credentials are called is a template such as `payroll-{key}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec.structs import replace

from provisioner.core.model import Address, Desired, Record

KEY = "{key}"
"""What stands for an element's key in a template."""

_PLACEHOLDER = re.compile(r"(\{[^{}]*\})")


def key_of(template: str, name: str) -> str | None:
    """The key that a credential of this name would have in a family; None where it cannot be one of it."""
    found = _pattern(template).fullmatch(name)
    return found["key"] if found else None


def coming(desired: Iterable[Desired], records: Mapping[Address, Record]) -> dict[Address, str]:
    """The templates of those of families that are declared and not there yet, under no name."""
    return {one.address: one.family for one in desired if one.family and not _there(one, records)}


def _there(one: Desired, records: Mapping[Address, Record]) -> bool:
    names = filter(None, (one.address.name, one.previously))
    held = (records.get(replace(one.address, name=name)) for name in names)
    return any(record is not None and record.live for record in held)


@lru_cache(maxsize=1024)
def _pattern(template: str) -> re.Pattern[str]:
    """The template as a pattern; what it says after the first key is not told apart from any text."""
    parts, seen = [], False
    for part in _PLACEHOLDER.split(template):
        if part == KEY and not seen:
            parts.append("(?P<key>.+)")
            seen = True
        elif part == KEY:
            parts.append("(?P=key)")
        else:
            parts.append(".+" if _PLACEHOLDER.fullmatch(part) else re.escape(part))
    return re.compile("".join(parts))
