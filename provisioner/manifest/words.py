"""The words for values that do not fit: each says what is wrong and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from provisioner.core.model import JsonObject, JsonValue
from provisioner.manifest.problems import unknown

Path = tuple[str | int, ...]
"""Keys and indexes from the top of a value to one inside it."""


class Misfit(Struct, frozen=True):
    """One value that does not fit one keyword of its schema."""

    path: Path
    keyword: str
    wanted: Any
    """The keyword's value."""
    value: JsonValue
    schema: JsonObject
    """The schema that the keyword stands in."""
    named: bool
    """Whether the value is the name of a key."""


VENDOR_FIELDS: Final[Mapping[str, str]] = {
    "description": "description",
    "user": "linked user",
    "scopes": "scopes",
    "allow_ips": "IP list",
    "settings": "settings of its own",
}
"""The fields that a vendor may hold, and what a vendor that lacks one is said to lack."""

_TYPES: Final[Mapping[str, str]] = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "nothing",
}

_SWITCHES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("yes", "on", "y", "true"), "true"),
    **dict.fromkeys(("no", "off", "n", "false"), "false"),
}
"""What older YAML reads as booleans, and what to write."""

_THINGS: Final[Mapping[str, str]] = {"scopes": "scope", "settings": "setting", "environments": "environment"}
"""What one entry of these is called."""

_LIMITS: Final[Mapping[str, Callable[[Any], str]]] = {
    "minLength": lambda least: "may not be empty" if least == 1 else f"needs at least {least} characters",
    "maxLength": lambda most: f"has more than {most} characters: shorten it",
    "minItems": lambda least: "may not be empty" if least == 1 else f"needs at least {least} entries",
    "maxItems": lambda most: f"has more than {most} {'entry' if most == 1 else 'entries'}: remove some",
    "minProperties": lambda least: "may not be empty" if least == 1 else f"needs at least {least} keys",
    "maxProperties": lambda most: f"has more than {most} {'key' if most == 1 else 'keys'}: remove some",
    "minimum": lambda least: f"must be at least {least}",
    "maximum": lambda most: f"must be at most {most}",
    "uniqueItems": lambda _: "holds an entry twice: remove one",
    "pattern": lambda form: f"must have the form {form}",
}


def misfit(misfit: Misfit, of: str) -> str:
    """What to say where a value does not fit its schema. A quiet schema's value is never repeated."""
    value, wanted, label = misfit.value, misfit.wanted, _label(misfit.path)
    quiet = bool(misfit.schema.get("x-quiet"))
    said = "" if quiet else _said(value)
    switch = _SWITCHES.get(str(value).lower(), "") if (misfit.keyword, wanted) == ("type", "boolean") else ""
    if switch and said:
        return f"{label} is the text {said}: only true and false are booleans, write {switch}"
    if "x-message" in misfit.schema:
        return f"{misfit.schema['x-message']}{said and f', not {said}'}"
    if misfit.keyword == "type":
        return f"{label} must be {_wanted(wanted)}, not {_kind(value, quiet=quiet)}{_mend(wanted, value)}"
    if misfit.keyword == "enum" and isinstance(value, str):
        return unknown(_thing(misfit.path), value, (str(one) for one in wanted), where=of)
    if misfit.keyword == "enum":
        return f"{label} must be {' or '.join(str(one) for one in wanted)}, not {_kind(value)}"
    if misfit.keyword in _LIMITS:
        return f"{label} {_LIMITS[misfit.keyword](wanted)}"
    return f"{label} does not fit here ({misfit.keyword}): `provision schema` shows what does"


def unknown_key(path: Sequence[str | int], key: str, schema: JsonObject, of: str) -> str:
    """What to say about a key that does not belong here."""
    known = schema.get("properties", {})
    if tuple(path) == ("defaults",) and key in VENDOR_FIELDS:
        return f"{key!r} is a field of a vendor's: put it under `providers: {{NAME: …}}` here"
    thing = _THINGS.get(str(path[-1]), "key") if of and path else "key"
    return unknown(thing, key, known, where=of if thing != "key" else "")


def missing(path: Sequence[str | int], name: str, of: str) -> str:
    """What to say about a key that should be there."""
    who = _label(path) if path else (of or "this file")
    return f"{who} needs `{name}`: add it"


def _label(path: Sequence[str | int]) -> str:
    names = [step for step in path if isinstance(step, str)]
    if not names:
        return "this file"
    return f"each of `{names[-1]}`" if isinstance(path[-1], int) else f"`{names[-1]}`"


def _thing(path: Sequence[str | int]) -> str:
    names = [step for step in path if isinstance(step, str)]
    last = names[-1] if names else "value"
    return _THINGS.get(last, last)


def _said(value: JsonValue) -> str:
    """A short value as it stands in the manifest; nothing for what is too long to repeat, or has no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        shown = repr(value)
        return shown if len(shown) <= 80 else f"{shown[:76]}…{shown[0] if isinstance(value, str) else ''}"
    return ""


def _kind(value: JsonValue, *, quiet: bool = False) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return _said(value)
        case int() | float():
            return f"the number {value}"
        case str():
            return "text" if quiet else f"the text {_said(value)}"
        case list():
            return "a list"
    return "a mapping"


def _wanted(types: str | Sequence[str]) -> str:
    names = [types] if isinstance(types, str) else list(types)
    return " or ".join(_TYPES.get(name, name) for name in names)


def _mend(types: str | Sequence[str], value: JsonValue) -> str:
    if "string" in types and isinstance(value, (bool, int, float)):
        return ": put it in quotes"
    if "array" in types and isinstance(value, str):
        return ": put it in brackets"
    return ""
