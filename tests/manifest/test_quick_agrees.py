"""The quick check of a schema and `jsonschema` never differ."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from declared import DECLARATIONS
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.manifest.quick import compile_schema, equal
from provisioner.manifest.schemas import schema
from provisioner.manifest.shape import Shape

SCHEMAS = {
    "project": schema("project"),
    "credentials": schema("credentials"),
    **{name: dict(one.schema) for name, one in DECLARATIONS.items()},
}

SOUND: dict[str, Any] = {
    "project": {
        "project": "a",
        "state": "sqlite:///a.db",
        "environments": {"test": {"kind": "test", "recipients": ["age1testtest"]}},
        "providers": {
            "p": {"test": {"endpoint": "sandbox", "auth": {"token": {"env": "A"}}, "timeout": "5s"}}
        },
        "sinks": {
            "s": {"type": "dotenv", "path": "x"},
            "t": {"type": "exec", "command": ["x"], "timeout": "5s"},
        },
        "users": {"u": {"p": 5}},
        "defaults": {"rotate": None, "providers": {"p": {"settings": {"a": 1}}}},
        "limits": {"revocations": 0},
    },
    "credentials": {
        "credentials": {
            "a": {
                "provider": "p",
                "owner": "o",
                "environments": {"test": None, "production": {"scopes": ["a"]}},
                "allow_ips": ["1.2.3.4"],
                "rotate": {"every": "5d", "window": "Sat 02:00-05:00 Africa/Johannesburg"},
                "deliver": ["x", {"to": "y", "as": {"A": "b"}}],
                "labels": {"a": "b"},
            }
        },
        "removed": [{"name": "old", "reason": "gone", "environments": ["test"]}],
    },
    "payspace": {"scopes": ["full-access"], "user": "u", "settings": {"development_mode": True}},
    "paynet": {"scopes": ["rpp:merchant"], "description": "d"},
    "timeclock": {"user": 17},
    "listed": {"user": 5, "settings": {"colours": ["a"]}},
}

ODD = st.sampled_from(
    [
        *(None, True, False, 0, 1, 1.0, -1, 2.5, "", "a", "a\n", "test", "5d", "0d", "x" * 50),
        *([], {}, ["a", "a"], [1, True], {"a": "b"}, {"a": None}),
        *(["full-access"], ["read-only", "full-access"]),
    ]
)


def _spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for key, one in inner for spot in _spots(one, (*path, key)))]


def _changed(value: Any, path: tuple[Any, ...], odd: Any, how: str) -> Any:
    if not path:
        return odd
    value = copy.deepcopy(value)
    holder = value
    for step in path[:-1]:
        holder = holder[step]
    if how == "drop":
        del holder[path[-1]]
    elif how == "add" and isinstance(holder, dict):
        holder[str(odd)] = odd
    else:
        holder[path[-1]] = odd
    return value


@pytest.mark.parametrize("name", SCHEMAS)
def test_sound_examples_fit(name: str) -> None:
    """The quick way knows every keyword of our schemas, and lets a sound example pass."""
    assert Shape(SCHEMAS[name]).fits(SOUND[name])


@settings(max_examples=600, deadline=None)
@given(st.data(), st.sampled_from(sorted(SCHEMAS)))
def test_quick_agrees_with_jsonschema(data: st.DataObject, name: str) -> None:
    """For sound examples with up to three odd changes, both ways say the same."""
    value = SOUND[name]
    for _ in range(data.draw(st.integers(1, 3))):
        spot = data.draw(st.sampled_from(_spots(value)))
        how = data.draw(st.sampled_from(["set", "drop", "add"]))
        value = _changed(value, spot, data.draw(ODD), how)
    quick, slow = Shape(SCHEMAS[name]), Shape({**SCHEMAS[name], "unevaluatedProperties": True})
    assert not slow.fits(value)  # it has a keyword that only jsonschema knows
    assert quick.fits(value) is (slow.flaws(value) == [])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        ([0], [False], False),
        ({"a": [1]}, {"a": [1.0]}, True),
        ("a", ["a"], False),
    ],
)
def test_equality_of_json(one: Any, other: Any, expected: bool) -> None:
    """Numbers are equal by value, and no boolean is a number."""
    assert expected is equal(one, other)


@pytest.mark.parametrize(
    "odd",
    [
        {"unevaluatedItems": False},
        {"$ref": "other.json"},
        {"items": {}, "prefixItems": []},
        {"contains": {}, "minContains": 2},
        {"additionalProperties": False, "patternProperties": {}},
    ],
)
def test_what_it_does_not_know_it_leaves(odd: dict[str, Any]) -> None:
    """A schema with a keyword that the quick way lacks is left to jsonschema."""
    assert compile_schema(odd) is None
