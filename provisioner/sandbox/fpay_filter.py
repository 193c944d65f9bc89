"""FPay's filter language (FP5): a text in, a condition on an AuthAccess out.

    filter    = all *( "or" all )                                                       ours
    all       = one *( "and" one )                                                      ours
    one       = "(" filter ")"                                                          ours
              / FIELD operator value
              / FIELD "in" "{" value *( "," value ) "}"                                 document
    operator  = "startsWith" / "isBefore"                                               document
              / "=" / "!=" / "<" / "<=" / ">" / ">=" / "isAfter"                        ours
    value     = "'" characters "'" / WORD                                               document
              / '"' characters '"'                                                      ours

The document shows examples, not a grammar. What they show is the document's, with `Yesterday` as a
moment. The rest is ours: `Today` and `Now`; that `Today` and `Yesterday` are the starts of these days in
UTC; dates and times in ISO 8601, in UTC unless they say otherwise; a backslash within quotes, before a
quote or a backslash; that text is compared by its characters, upper and lower case apart; and that an
object without the field meets no condition on it but `!=`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from provisioner.sandbox.fpay_fields import FIELDS, Kind, Shown, Value, read
from provisioner.sandbox.replies import Refusal

Condition = Callable[[Shown], bool]

LONGEST = 2000
DEEPEST = 20

_EQUAL: Mapping[str, Callable[[Any, Any], bool]] = {"=": operator.eq, "!=": operator.ne}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: What may stand between a field and one value, by the kind of the field; `in` may stand everywhere.
OPERATORS: Mapping[Kind, Mapping[str, Callable[[Any, Any], bool]]] = {
    Kind.TEXT: {**_EQUAL, **_ORDER, "startsWith": str.startswith},
    Kind.NUMBER: {**_EQUAL, **_ORDER},
    Kind.FLAG: _EQUAL,
    Kind.MOMENT: {**_EQUAL, **_ORDER, "isBefore": operator.lt, "isAfter": operator.gt},
}

_VALUES: Mapping[Kind, str] = {
    Kind.TEXT: "text",
    Kind.NUMBER: "a number such as 12 or 12.5",
    Kind.FLAG: "true or false",
    Kind.MOMENT: "Now, Today, Yesterday, or a date or time in ISO 8601",
}
_FLAGS: Mapping[str, bool] = {"true": True, "false": False}
_DAY = 24 * 60 * 60 * 1000
_MOMENTS: Mapping[str, Callable[[int], int]] = {
    "Now": lambda now: now,
    "Today": lambda now: now - now % _DAY,
    "Yesterday": lambda now: now - now % _DAY - _DAY,
}

_TOKEN = re.compile(
    r"""\s*(?: (?P<mark> <= | >= | != | [=<>(){},] )
             | (?P<quoted> '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" )
             | (?P<word> [^\s'"(){},=<>!\\]+ )
             | (?P<end> \Z )
             | (?P<wrong> . ) )""",
    re.VERBOSE | re.DOTALL,
)


def parse(text: str, now: int) -> Condition:
    """The condition that `text` states, at the moment `now` in milliseconds since 1970.

    Raises `Refusal` 400 that says at which position (from 1) what is wrong, and what is known there.
    """
    if len(text) > LONGEST:
        raise _wrong(LONGEST + 1, f"a filter has at most {LONGEST} characters")
    return _Parser(_tokens(text), now).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int

    def named(self) -> str:
        """How a message names it. ASCII only, and short: it may hold anything."""
        if self.kind == "end":
            return "the end"
        return self.text[:40].encode("ascii", "backslashreplace").decode("ascii")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise AssertionError("one of the alternatives takes any character, one takes the end")
        token = _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1)
        if token.kind == "wrong":
            what = "a quote that is not closed" if token.text in "'\"" else "a character without a meaning"
            raise _wrong(token.position, f"{what}: {token.named()}")
        found.append(token)
        at = match.end()
    return found


class _Parser:
    """Recursive descent over the tokens; each method is a rule of the grammar above."""

    def __init__(self, tokens: Sequence[_Token], now: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._now = now

    def whole(self) -> Condition:
        condition = self._filter(0)
        if self._next.kind != "end":
            raise self._unexpected("and, or, or the end")
        return condition

    def _filter(self, depth: int) -> Condition:
        parts = [self._all(depth)]
        while self._took("word", "or"):
            parts.append(self._all(depth))
        return lambda shown: any(part(shown) for part in parts)

    def _all(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._took("word", "and"):
            parts.append(self._one(depth))
        return lambda shown: all(part(shown) for part in parts)

    def _one(self, depth: int) -> Condition:
        if not self._took("mark", "("):
            return self._condition()
        if depth == DEEPEST:
            raise _wrong(self._next.position, f"parentheses may be nested {DEEPEST} deep")
        inner = self._filter(depth + 1)
        self._require(")")
        return inner

    def _condition(self) -> Condition:
        field = self._next
        if field.kind != "word":
            raise self._unexpected("a field or (")
        if field.text not in FIELDS:
            what = f"there is no field {field.named()}; the fields are {', '.join(FIELDS)}"
            raise _wrong(field.position, what)
        self._at += 1
        kind = FIELDS[field.text]
        if self._took("word", "in"):
            return _is_in(field.text, self._values(kind))
        compare = self._operator(kind)
        return _compared(field.text, compare, self._value(kind))

    def _operator(self, kind: Kind) -> Callable[[Any, Any], bool]:
        token, known = self._next, OPERATORS[kind]
        if token.kind == "quoted" or token.text not in known:
            raise self._unexpected(f"an operator for {_VALUES[kind]}: {' '.join([*known, 'in'])}")
        self._at += 1
        return known[token.text]

    def _values(self, kind: Kind) -> list[Value]:
        self._require("{")
        values = [self._value(kind)]
        while self._took("mark", ","):
            values.append(self._value(kind))
        self._require("}", "a comma or }")
        return values

    def _value(self, kind: Kind) -> Value:
        token = self._next
        if token.kind not in ("quoted", "word"):
            raise self._unexpected(_VALUES[kind])
        try:
            value = _read(kind, _unquoted(token), self._now)
        except (ValueError, OverflowError) as error:
            raise self._unexpected(_VALUES[kind]) from error
        self._at += 1
        return value

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _took(self, kind: str, text: str) -> bool:
        took = (self._next.kind, self._next.text) == (kind, text)
        self._at += took
        return took

    def _require(self, mark: str, expected: str = "") -> None:
        if not self._took("mark", mark):
            raise self._unexpected(expected or mark)

    def _unexpected(self, expected: str) -> Refusal:
        return _wrong(self._next.position, f"found {self._next.named()}, expected {expected}")


def _is_in(field: str, values: Sequence[Value]) -> Condition:
    def holds(shown: Shown) -> bool:
        value = read(shown, field)
        return value is not None and value in values

    return holds


def _compared(field: str, compare: Callable[[Any, Any], bool], wanted: Value) -> Condition:
    def holds(shown: Shown) -> bool:
        value = read(shown, field)
        return compare is operator.ne if value is None else compare(value, wanted)

    return holds


def _unquoted(token: _Token) -> str:
    if token.kind == "word":
        return token.text
    return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)


def _read(kind: Kind, text: str, now: int) -> Value:
    """The value that `text` stands for. Raises `ValueError` or `OverflowError` if there is none."""
    if kind is Kind.FLAG:
        if text not in _FLAGS:
            raise ValueError("no flag")
        return _FLAGS[text]
    if kind is Kind.NUMBER:
        if not re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", text):
            raise ValueError("no number")
        return float(text)
    if kind is Kind.MOMENT:
        return _MOMENTS[text](now) if text in _MOMENTS else _milliseconds(text)
    return text


def _milliseconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)


def _wrong(position: int, what: str) -> Refusal:
    return Refusal(400, f"filter, position {position}: {what}")
