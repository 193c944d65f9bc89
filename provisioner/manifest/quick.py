"""A JSON Schema as one Python function that only says yes or no.

Most manifests fit, and finding that out must not cost what explaining a misfit does: `jsonschema` is asked
for words only where the answer is no. Both must agree, which a property test sees to. A schema with a keyword
that is not in the table below is left to `jsonschema` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any, Final

from provisioner.core.model import JsonValue

Check = Callable[[Any], bool]
Compile = Callable[[Any], Check]


class Unsupported(Exception):
    """The schema uses a keyword that is not known here."""


def compile_schema(schema: Mapping[str, Any]) -> Check | None:
    """The check of a schema without references to other files; None where only `jsonschema` can tell."""
    made: dict[str, Check] = {}

    def by_reference(reference: str) -> Check:
        if not reference.startswith("#/$defs/"):
            raise Unsupported(reference)
        name = reference.removeprefix("#/$defs/")
        if name not in made:
            made[name] = lambda value: made[name](value)  # until it is made, for a schema that holds itself
            made[name] = compiled(schema["$defs"][name])
        return made[name]

    def compiled(part: Any) -> Check:
        if isinstance(part, bool):
            return lambda _: part
        checks = [
            by_reference(value) if keyword == "$ref" else _KEYWORDS[keyword](value, part, compiled)
            for keyword, value in part.items()
            if not _silent(keyword)
        ]
        return checks[0] if len(checks) == 1 else _every(checks)

    try:
        return compiled(schema)
    except (Unsupported, KeyError):
        return None


def known_keywords() -> frozenset[str]:
    """Every keyword that checks something and is known here."""
    return frozenset(_KEYWORDS) | {"$ref"}


def _every(checks: Sequence[Check]) -> Check:
    """All of them; a loop takes half the time of `all` with a generator, and this is most of the work."""

    def check(value: Any) -> bool:
        for one in checks:  # noqa: SIM110 (see above)
            if not one(value):
                return False
        return True

    return check


def end_anchored(pattern: str) -> str:
    """The pattern as Python must read it, whose own `$` also stands before a last newline."""
    return _PARTS.sub(lambda found: found[0] if found[1] is None else r"\Z", pattern)


def equal(one: JsonValue, other: JsonValue) -> bool:
    """Equality as JSON Schema has it: 1 is 1.0, and true is not 1."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


_PARTS: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(\$)", re.DOTALL)
"""What a `$` in a pattern is no end of anything in, an escape or a set of characters, and the `$` that is."""

_SILENT: Final = frozenset(
    {"$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples", "then", "else"}
)
"""Keywords that check nothing by themselves."""


def _silent(keyword: str) -> bool:
    return keyword in _SILENT or keyword.startswith("x-")


_TYPES: Final[Mapping[str, Check]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}


def _type(wanted: Any, _: Any, __: Compile) -> Check:
    if isinstance(wanted, str):
        return _TYPES[wanted]
    checks = [_TYPES[name] for name in wanted]
    return lambda value: any(check(value) for check in checks)


def _enum(wanted: Any, _: Any, __: Compile) -> Check:
    return lambda value: any(equal(value, one) for one in wanted)


def _const(wanted: Any, _: Any, __: Compile) -> Check:
    return lambda value: equal(value, wanted)


def _pattern(wanted: Any, _: Any, __: Compile) -> Check:
    search = re.compile(end_anchored(wanted)).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _required(wanted: Any, _: Any, __: Compile) -> Check:
    return lambda value: not isinstance(value, dict) or all(name in value for name in wanted)


def _properties(wanted: Any, _: Any, compiled: Compile) -> Check:
    checks = {name: compiled(part) for name, part in wanted.items()}

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        for name, inner in value.items():  # noqa: SIM110 (see _every)
            if name in checks and not checks[name](inner):
                return False
        return True

    return check


def _additional(wanted: Any, schema: Any, compiled: Compile) -> Check:
    if "patternProperties" in schema:
        raise Unsupported("patternProperties")
    known = frozenset(schema.get("properties", ()))
    rest = compiled(wanted)

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        for name, inner in value.items():  # noqa: SIM110 (see _every)
            if name not in known and not rest(inner):
                return False
        return True

    return check


def _names(wanted: Any, _: Any, compiled: Compile) -> Check:
    check = compiled(wanted)
    return lambda value: not isinstance(value, dict) or all(check(name) for name in value)


def _items(wanted: Any, schema: Any, compiled: Compile) -> Check:
    if "prefixItems" in schema:
        raise Unsupported("prefixItems")
    check = compiled(wanted)
    return lambda value: not isinstance(value, list) or all(check(item) for item in value)


def _contains(wanted: Any, schema: Any, compiled: Compile) -> Check:
    if "minContains" in schema or "maxContains" in schema:
        raise Unsupported("minContains")
    check = compiled(wanted)
    return lambda value: not isinstance(value, list) or any(check(item) for item in value)


def _unique(wanted: Any, _: Any, __: Compile) -> Check:
    def check(value: Any) -> bool:
        if not (wanted and isinstance(value, list)):
            return True
        return not any(equal(one, other) for at, one in enumerate(value) for other in value[:at])

    return check


def _if(wanted: Any, schema: Any, compiled: Compile) -> Check:
    condition = compiled(wanted)
    then, otherwise = compiled(schema.get("then", True)), compiled(schema.get("else", True))
    return lambda value: then(value) if condition(value) else otherwise(value)


def _all(wanted: Any, _: Any, compiled: Compile) -> Check:
    return _every([compiled(part) for part in wanted])


def _any(wanted: Any, _: Any, compiled: Compile) -> Check:
    checks = [compiled(part) for part in wanted]
    return lambda value: any(check(value) for check in checks)


def _one(wanted: Any, _: Any, compiled: Compile) -> Check:
    checks = [compiled(part) for part in wanted]
    return lambda value: sum(check(value) for check in checks) == 1


def _not(wanted: Any, _: Any, compiled: Compile) -> Check:
    check = compiled(wanted)
    return lambda value: not check(value)


def _size(types: type[Sized], *, least: bool) -> Callable[[Any, Any, Compile], Check]:
    def make(wanted: Any, _: Any, __: Compile) -> Check:
        if least:
            return lambda value: not isinstance(value, types) or len(value) >= wanted
        return lambda value: not isinstance(value, types) or len(value) <= wanted

    return make


def _minimum(wanted: Any, _: Any, __: Compile) -> Check:
    return lambda value: not _TYPES["number"](value) or value >= wanted


def _maximum(wanted: Any, _: Any, __: Compile) -> Check:
    return lambda value: not _TYPES["number"](value) or value <= wanted


_KEYWORDS: Final[Mapping[str, Callable[[Any, Any, Compile], Check]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "items": _items,
    "contains": _contains,
    "uniqueItems": _unique,
    "if": _if,
    "allOf": _all,
    "anyOf": _any,
    "oneOf": _one,
    "not": _not,
    "minLength": _size(str, least=True),
    "maxLength": _size(str, least=False),
    "minItems": _size(list, least=True),
    "maxItems": _size(list, least=False),
    "minProperties": _size(dict, least=True),
    "maxProperties": _size(dict, least=False),
    "minimum": _minimum,
    "maximum": _maximum,
    "exclusiveMinimum": lambda wanted, _, __: lambda value: not _TYPES["number"](value) or value > wanted,
    "exclusiveMaximum": lambda wanted, _, __: lambda value: not _TYPES["number"](value) or value < wanted,
}
