"""Values for fuzzing, from a contract's JSON Schemas: what fits, and what nearly fits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from twin_harness import Contract

Schema = Mapping[str, Any]
Values = st.SearchStrategy[Any]

DAYS = ("2026-11-21", "2026-02-30", "2026-11-21T00:00:00Z")

#: What parsers and databases stumble over: a lone surrogate, NUL, both ends of a length, other digits.
NASTY_TEXTS = ("\ud800", "\u0000", "", "%", "a\nb", "٣", "-1", "0", "1e3", "../x", "🕰")
NASTY_LENGTHS = ("a" * 200, "a" * 201, "9" * 40, "9" * 5000)
NASTY_OTHERS = (None, True, 0, -1, 2**63, 2**70, 1.5, 1e300, [], [[]], ["x", "x"], {}, {"": None})

NASTY: Values = st.sampled_from([*NASTY_TEXTS, *NASTY_LENGTHS, *NASTY_OTHERS])
SCALARS: Values = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)
JUNK: Values = NASTY | st.recursive(
    NASTY | SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


def fitting(contract: Contract, schema: Schema) -> Values:
    """Values made to the schema. Not all keep what no schema can say, such as a rule over two fields."""
    schema = contract.resolve(dict(schema))
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return st.one_of([fitting(contract, one) for one in schema[key]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    return st.one_of([BY_TYPE[one](contract, schema) for one in types])


def nearly(contract: Contract, schema: Schema) -> Values:
    """Objects made to the schema, but that one field is left out, is anything, or does not belong there."""
    fields = sorted(contract.resolve(dict(schema)).get("properties", {}))
    spoils = [_without, _with, _with, _with, _beside]
    return st.builds(
        lambda spoil, value, name, junk: spoil(value, name, junk),
        st.sampled_from(spoils),
        fitting(contract, schema),
        st.sampled_from(fields),
        JUNK,
    )


def _without(value: Any, name: str, junk: Any) -> Any:
    return {key: one for key, one in value.items() if key != name}


def _with(value: Any, name: str, junk: Any) -> Any:
    return {**value, name: junk}


def _beside(value: Any, name: str, junk: Any) -> Any:
    return {**value, junk if isinstance(junk, str) else f"{name}s": junk}


def _objects(contract: Contract, schema: Schema) -> Values:
    fields = {name: fitting(contract, one) for name, one in schema.get("properties", {}).items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: one for name, one in fields.items() if name in required},
        optional={name: one for name, one in fields.items() if name not in required},
    )


def _lists(contract: Contract, schema: Schema) -> Values:
    items = fitting(contract, schema["items"])
    return st.lists(items, min_size=schema.get("minItems", 0), max_size=min(schema.get("maxItems", 3), 3))


def _texts(contract: Contract, schema: Schema) -> Values:
    if schema.get("examples"):
        return st.sampled_from(schema["examples"])
    low, high = schema.get("minLength", 0), schema.get("maxLength", 200)
    # Mostly letters: control characters are what SCALARS is for.
    letters = st.text(
        st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="\x7f"),
        min_size=low,
        max_size=min(high, low + 12),
    )
    return st.one_of(letters, st.sampled_from([*DAYS, "x" * low, "x" * high]))


def _numbers(contract: Contract, schema: Schema) -> Values:
    low = schema.get("minimum", 0)
    now = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp())
    high = schema.get("maximum", now)
    return st.one_of(st.integers(low, high), st.sampled_from([low, high]))


BY_TYPE = {
    "object": _objects,
    "array": _lists,
    "string": _texts,
    "integer": _numbers,
    "number": _numbers,
    "boolean": lambda contract, schema: st.booleans(),
    "null": lambda contract, schema: st.none(),
    None: lambda contract, schema: JUNK,
}
"""What makes a value of a JSON type."""
