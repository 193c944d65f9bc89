"""How the text of a manifest becomes values, and how a value is found again in the text."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.manifest.problems import Place, Problems
from provisioner.manifest.text import MAX_ALIASED, MAX_DEPTH, parse


def _value(text: str) -> Any:
    problems = Problems()
    document = parse(f"a: {text}\n", "a.yaml", problems)
    assert document and not problems
    return document.root["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("4711", 4711),
        ("1.50", 1.5),
        *((text, text) for text in ("yes", "no", "on", "off", "y", "n", "True", "FALSE", "Null", "NULL")),
        *((text, text) for text in ("0123", "0o17", "0x1F", "1_000", "+1", "1e3", ".5", "1.", ".inf", "--")),
        *((text, text) for text in ("12:30", "2026-11-21", "2026-11-21 10:00:00", "=", "1" * 40)),
        ('"true"', "true"),
        ("'5'", "5"),
        ("|-\n  5", "5"),
    ],
)
def test_scalars(text: str, expected: Any) -> None:
    """Only true, false, null and plain decimal numbers are more than text."""
    got = _value(text)
    assert (type(expected), expected) == (type(got), got)


def test_places() -> None:
    """Each value is found at its own line and column, and what has no text of its own at its key."""
    document = parse("a:\n  b: [x, {c: y}]\n  d:\n", "m.yaml", Problems())
    assert document
    assert [Place("m.yaml", line, column) for line, column in ((2, 7), (2, 11), (2, 14), (2, 3), (3, 3))] == [
        document.place(("a", "b", 0)),
        document.place(("a", "b", 1, "c"), key=True),
        document.place(("a", "b", 1, "c")),
        document.place(("a", "b")),
        document.place(("a", "d")),
    ]


def test_a_doubled_key_keeps_the_first() -> None:
    """The second of two equal keys is told and dropped, with all that is under it."""
    problems = Problems()
    document = parse("a: {x: 1}\na: {y: [2, {z: 3}]}\nb: 4\n", "m.yaml", problems)
    assert document
    assert {"a": {"x": 1}, "b": 4} == document.root
    assert ("m.yaml:2:1: 'a' stands here already, in line 1: remove or rename one",) == problems.lines()
    assert Place("m.yaml", 3, 4) == document.place(("b",))


@pytest.mark.parametrize(("depth", "fine"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_depth_limit(depth: int, fine: bool) -> None:
    """Values nest as deep as the limit says, and no deeper."""
    problems = Problems()
    assert fine is (parse("[" * depth + "]" * depth, "m.yaml", problems) is not None)
    assert fine is not bool(problems)


@pytest.mark.parametrize(("uses", "fine"), [(MAX_ALIASED // 10, True), (MAX_ALIASED // 10 + 1, False)])
def test_alias_limit(uses: int, fine: bool) -> None:
    """Aliases may stand for as many values as the limit says, counted with all that is inside them."""
    text = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\nb: [" + ", ".join(["*a"] * uses) + "]\n"
    problems = Problems()
    assert fine is (parse(text, "m.yaml", problems) is not None)
    assert fine is not bool(problems)
