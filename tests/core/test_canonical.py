"""The one way to write a value as JSON."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.core.canonical import canonical, read_json
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
    assert value == read_json(canonical(value))


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": 1}'.encode("utf-16"), {"a": 1}),
        (b'["half \\ud83d"]', ["half \ud83d"]),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_what_others_write_is_read(text: bytes, expected: Any) -> None:
    """A mark at the beginning and half a character are no reason to take an answer for none."""
    assert expected == read_json(text)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"NaN", b"-Infinity", b"1e400", b"[1e400]", b"\xff", b"1" * 5000]
)
def test_no_json_and_no_number_is_refused(text: bytes) -> None:
    """What would be null when it is written again is not read."""
    with pytest.raises(ValueError, match=r"."):
        read_json(text)
