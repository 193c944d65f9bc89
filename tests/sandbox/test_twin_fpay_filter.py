"""FPay's filter language (FP5): it means what a plain predicate means, and refuses what it does not know."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.sandbox.fpay_fields import FIELDS
from provisioner.sandbox.fpay_filter import parse
from provisioner.sandbox.replies import Refusal

NOW = datetime(2026, 11, 21, 14, 2, 3, 45000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
NOW_MS = (NOW - EPOCH) // MILLISECOND

TEXTS = (
    "creator",
    "creator._type",
    "creator.accountId",
    "creator.authAccessId",
    "creator.personId",
    "createdTime.iso8601",
    "description",
    "foreignId",
    "id",
    "name",
    "secretKey",
    "token",
)
NUMBERS = ("createdTime.timestamp.milliseconds", "createdTime.timestamp.seconds")
EQUAL = {"=": operator.eq, "!=": operator.ne}
ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
TIMES = {"isBefore": operator.lt, "isAfter": operator.gt}


def test_the_fields_are_the_documents() -> None:
    """FP5: exactly the fields that the document lists can be filtered by."""
    assert set(FIELDS) == {*TEXTS, *NUMBERS, "createdTime", "isEnabled"}


@dataclass(frozen=True)
class Meaning:
    """A filter's text, and the same as a plain predicate over fields by their path."""

    text: str
    holds: Callable[[dict[str, Any]], bool]


words = st.one_of(
    st.sampled_from(["a", "ab", "Api", "Ui", "x y", "and", "true", "42", "**********", "'", '"', "\\", ""]),
    st.text(alphabet="ab'\"\\ {}()é\n", max_size=4),
)
moments = st.one_of(
    st.just(NOW), st.datetimes(datetime(2026, 11, 19), datetime(2026, 11, 22), timezones=st.just(UTC))
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    """The fields of an AuthAccess by their path; `None` for what it does not have."""
    moment = draw(moments)
    milliseconds = (moment - EPOCH) // MILLISECOND
    api, maker = draw(st.booleans()), draw(words)
    return {
        "createdTime": moment,
        "createdTime.iso8601": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "createdTime.timestamp.milliseconds": milliseconds,
        "createdTime.timestamp.seconds": milliseconds / 1000,
        "creator": maker,
        "creator._type": "Api" if api else "Ui",
        "creator.accountId": draw(words),
        "creator.authAccessId": maker if api else None,
        "creator.personId": None if api else maker,
        "description": draw(st.none() | words),
        "foreignId": draw(st.none() | words),
        "id": draw(words),
        "isEnabled": draw(st.booleans()),
        "name": draw(words),
        "secretKey": "**********",
        "token": draw(words),
    }


def shown(fields: dict[str, Any]) -> dict[str, Any]:
    """The object as an answer shows it."""
    nested: dict[str, Any] = {}
    for path, value in fields.items():
        if value is not None and path not in ("createdTime", "creator"):
            *above, last = path.split(".")
            node = nested
            for step in above:
                node = node.setdefault(step, {})
            node[last] = value
    return nested


def spelled(text: str, quote: str) -> str:
    if quote == "" and re.fullmatch(r"[a-zA-Z0-9é*]+", text):
        return text
    quote = quote or "'"
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return f"{quote}{escaped}{quote}"


def spelled_moment(moment: datetime, hours: int) -> str:
    return moment.astimezone(timezone(timedelta(hours=hours))).isoformat()


@st.composite
def values(draw: st.DrawFn, field: str) -> tuple[str, Any]:
    """A value for this field: how it is written, and what it is."""
    if field == "isEnabled":
        return draw(st.sampled_from([("true", True), ("false", False)]))
    if field in NUMBERS:
        number = draw(st.one_of(moments.map(lambda m: (m - EPOCH) / MILLISECOND), st.integers(-9, 9)))
        number = number / 1000 if field.endswith(".seconds") else number
        return f"{number:.4f}", float(f"{number:.4f}")
    if field == "createdTime":
        today = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
        named = {"Now": NOW, "Today": today, "Yesterday": today - timedelta(days=1)}
        written = draw(
            moments.flatmap(lambda m: st.integers(-12, 12).map(lambda h: (spelled_moment(m, h), m)))
        )
        return draw(st.sampled_from([*named.items(), written]))
    text = draw(words)
    return spelled(text, draw(st.sampled_from(["", "'", '"']))), text


@st.composite
def conditions(draw: st.DrawFn) -> Meaning:
    """One comparison."""
    field = draw(st.sampled_from(sorted(FIELDS)))
    if draw(st.booleans()):
        several = draw(st.lists(values(field), min_size=1, max_size=3))
        listed = draw(st.sampled_from([", ", ",", " ,\n"])).join(text for text, _ in several)
        return Meaning(f"{field} in {{{listed}}}", lambda one: one[field] in [value for _, value in several])
    known: dict[str, Callable[[Any, Any], bool]] = dict(EQUAL)
    known |= {} if field == "isEnabled" else ORDER
    known |= TIMES if field == "createdTime" else {}
    known |= {"startsWith": str.startswith} if field in TEXTS else {}
    name = draw(st.sampled_from(sorted(known)))
    text, value = draw(values(field))

    def holds(one: dict[str, Any]) -> bool:
        return name == "!=" if one[field] is None else known[name](one[field], value)

    return Meaning(f"{field} {name} {text}", holds)


def joined(parts: list[Meaning], word: str, several: Callable[..., bool]) -> Meaning:
    inner = f" {word} ".join(part.text for part in parts)
    return Meaning(inner, lambda one: several([part.holds(one) for part in parts]))


def grouped(part: Meaning) -> Meaning:
    return Meaning(f"( {part.text})", part.holds)


def filters() -> st.SearchStrategy[Meaning]:
    """Conditions joined by and and or, which binds less, with parentheses in between."""

    def wider(inner: st.SearchStrategy[Meaning]) -> st.SearchStrategy[Meaning]:
        ands = st.lists(inner, min_size=1, max_size=3).map(lambda parts: joined(parts, "and", all))
        return st.lists(ands, min_size=1, max_size=3).map(lambda parts: grouped(joined(parts, "or", any)))

    top = st.recursive(conditions(), wider, max_leaves=8)
    ands = st.lists(top, min_size=1, max_size=2).map(lambda parts: joined(parts, "and", all))
    return st.lists(ands, min_size=1, max_size=2).map(lambda parts: joined(parts, "or", any))


@given(meaning=filters(), several=st.lists(objects(), min_size=1, max_size=5))
def test_a_filter_means_what_the_predicate_means(meaning: Meaning, several: list[dict[str, Any]]) -> None:
    """FP5: a filter holds for exactly the objects for which the same predicate in Python does."""
    condition = parse(meaning.text, NOW_MS)

    assert [meaning.holds(one) for one in several] == [condition(shown(one)) for one in several]


OBJECT = {
    "id": "abcd1",
    "createdTime": {"timestamp": {"milliseconds": NOW_MS, "seconds": NOW_MS / 1000}},
    "name": "x",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("id in {'31234', '5678', '9990'}", False),
        ("id in {'31234', 'abcd1'}", True),
        ("createdTime isBefore Yesterday", False),
        ("createdTime isBefore 2026-11-22", True),
        ("id startsWith abcd", True),
        ("id startsWith bcd", False),
        ("id=abcd1", True),
        ("(id=abcd1)and(name='x')", True),
        ("id = x or id = abcd1 and name = y", False),
        ("(id = x or id = abcd1) and name = x", True),
        ("createdTime >= Now and createdTime isAfter Today", True),
        ("createdTime = 2026-11-21T14:02:03.045", True),
        ("createdTime = 2026-11-21T16:02:03.045+02:00", True),
        ("description = x", False),
        ("description != x", True),
        ("description in {x}", False),
        ("name = X", False),
        (r"name = 'x\'' or name = '\\'", False),
    ],
)
def test_filters_by_example(text: str, holds: bool) -> None:
    """FP5: the document's own filters, and what is ours, hold as they read."""
    assert holds is parse(text, NOW_MS)(OBJECT)


def test_a_quote_within_quotes_is_escaped() -> None:
    """FP5, ours: a backslash makes the quote or backslash after it plain."""
    assert parse(r"name = 'it\'s \\ \"ok\"'", NOW_MS)({"name": 'it\'s \\ "ok"'})
    assert parse(r"""name = "it's \\ \"ok\"" """, NOW_MS)({"name": 'it\'s \\ "ok"'})


FIELD_NAMES = ", ".join(FIELDS)
TEXT_OPERATORS = "= != < <= > >= startsWith in"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "position 1: found the end, expected a field or ("),
        ("secret = x", f"position 1: there is no field secret; the fields are {FIELD_NAMES}"),
        (
            "id = 1 and permission = x",
            f"position 12: there is no field permission; the fields are {FIELD_NAMES}",
        ),
        ("é = 1", rf"position 1: there is no field \xe9; the fields are {FIELD_NAMES}"),
        ("id like x", f"position 4: found like, expected an operator for text: {TEXT_OPERATORS}"),
        ("id isBefore x", f"position 4: found isBefore, expected an operator for text: {TEXT_OPERATORS}"),
        ("id '=' x", f"position 4: found '=', expected an operator for text: {TEXT_OPERATORS}"),
        (
            "isEnabled < true",
            "position 11: found <, expected an operator for true or false: = != in",
        ),
        ("isEnabled = yes", "position 13: found yes, expected true or false"),
        (
            "createdTime isBefore Tomorrow",
            "position 22: found Tomorrow, expected Now, Today, Yesterday, or a date or time in ISO 8601",
        ),
        (
            "createdTime.timestamp.seconds > 1e3",
            "position 33: found 1e3, expected a number such as 12 or 12.5",
        ),
        ("id in 'x'", "position 7: found 'x', expected {"),
        ("id in {}", "position 8: found }, expected text"),
        ("id in {a b}", "position 10: found b, expected a comma or }"),
        ("id in {a,", "position 10: found the end, expected text"),
        ("id =", "position 5: found the end, expected text"),
        ("id = 'x", "position 6: a quote that is not closed: '"),
        ("id ! x", "position 4: a character without a meaning: !"),
        ("id = x y", "position 8: found y, expected and, or, or the end"),
        ("id = x and", "position 11: found the end, expected a field or ("),
        ("(id = x", "position 8: found the end, expected )"),
        ("id = x)", "position 7: found ), expected and, or, or the end"),
        ("(" * 21 + "id = x", "position 22: parentheses may be nested 20 deep"),
        ("id = " + "x" * 1996, "position 2001: a filter has at most 2000 characters"),
    ],
)
def test_what_it_does_not_know_is_named(text: str, message: str) -> None:
    """FP5: a filter that is not understood is 400 with the position, what stands there, and what is known."""
    with pytest.raises(Refusal) as refused:
        parse(text, NOW_MS)

    assert (refused.value.status, refused.value.detail) == (400, f"filter, {message}")


def test_the_deepest_and_longest_are_taken() -> None:
    """FP5, ours: 20 parentheses and 2000 characters are fine, with no recursion on the way that could end."""
    assert parse("(" * 20 + "id = abcd1" + ")" * 20, NOW_MS)(OBJECT)
    assert parse(" or ".join(["id=abcd1"] * 165)[:2000].rpartition(" or ")[0], NOW_MS)(OBJECT)
