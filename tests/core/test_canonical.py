"""The one way to write a value as JSON."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.core.canonical import canonical
from provisioner.core.secret import Secret

KEYS = st.text(max_size=5)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters())  # with halves of characters
)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=10)


@given(VALUES)
def test_it_reads_back(value: Any) -> None:
    """Nothing of a value is lost."""
    assert value == json.loads(canonical(value))


@given(st.dictionaries(KEYS, VALUES))
def test_the_order_of_keys_does_not_show(value: dict[str, Any]) -> None:
    """Equal values are written alike, and a mapping like a dict."""
    turned = {key: value[key] for key in reversed(value)}
    assert canonical(value) == canonical(turned) == canonical(MappingProxyType(turned))  # type: ignore[arg-type]


def test_there_is_no_white_space() -> None:
    """A line of text holds it, and a cell between tabs."""
    assert '{"a":["\\t\\n",1],"b":null}' == canonical({"b": None, "a": ["\t\n", 1]})


def test_half_a_character_is_escaped() -> None:
    """What no UTF-8 can hold is written in ASCII."""
    assert '{"\\u00e4":"\\ud800"}' == canonical({"ä": "\ud800"})


@pytest.mark.parametrize("value", [object(), {"a": {"b": object}}, [Secret({"part": "text"})]])
def test_other_values_are_refused(value: Any) -> None:
    """What has no form in JSON has no text, least of all a secret."""
    with pytest.raises(TypeError):
        canonical(value)
