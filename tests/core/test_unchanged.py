"""What is left out as plainly unchanged never hides a change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace
from plan_cases import desired, situation

from provisioner.core.model import GenerationState
from provisioner.core.plan import nothing_changes
from provisioner.core.planner import plan
from provisioner.core.sheet import Sheet, desired_of, line_of
from provisioner.core.situation import Situation
from provisioner.core.unchanged import Key, settled
from provisioner.state.rows import generation_row, record_row

NAMES = st.sampled_from(["test/a", "test/b", "production/a", "production/b", "production/c"])
FIELDS = st.sampled_from(
    [
        {},
        {"description": "x"},
        {"scopes": ["read-only"]},
        {"scopes": ["full-access"], "settings": {"development_mode": True}},
    ]
)
ROTATES = st.sampled_from(
    [
        None,
        {"every": "20d"},
        {"every": "30d", "before": "9d"},
        {"every": "30d", "jitter": "12d"},
        {"every": "99999w", "before": "5d"},
        {"every": "20d", "window": "Sat 02:00-05:00 Africa/Johannesburg"},
        {"before": "10d"},
    ]
)
GENERATIONS = st.lists(
    st.sampled_from(
        [
            {"number": 1, "state": "retired"},
            {"number": 2, "state": "retiring", "retire_after": "2026-11-20"},
            {"number": 3, "state": "pending"},
            {"number": 4},
            {"number": 5, "expires": "2026-11-25"},
            {"number": 6, "created": "2027-01-01"},
            {"number": 7, "expires": "2026-11-01"},
        ]
    ),
    max_size=2,
    unique_by=lambda one: one["number"],
)
MINE = st.fixed_dictionaries({"fields": FIELDS, "rotate": ROTATES})
RECORDED = st.fixed_dictionaries(
    {}, optional={"generations": GENERATIONS, "secret_known": st.booleans(), "provider": st.just("paynet")}
)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Credentials of which most are recorded as they are declared."""
    declared = draw(st.dictionaries(NAMES, MINE, min_size=1))
    records = {
        address: {**draw(st.sampled_from([one, one, draw(MINE)])), **draw(RECORDED)}
        for address, one in declared.items()
    }
    for address in draw(st.lists(NAMES, max_size=1)):
        records.pop(address, None)
    for address in draw(st.lists(NAMES, max_size=1)):
        declared.pop(address, None)
    if draw(st.booleans()) and "test/a" in declared:
        declared["test/a"] = {**declared["test/a"], "previously": "b"}
    operations = draw(
        st.lists(st.builds(lambda a: {"address": a, "action": "renew", "phase": "sent"}, NAMES), max_size=1)
    )
    return {"declared": declared, "records": records, "operations": operations}


def _rows(what_is: Situation) -> tuple[list[Any], list[Any]]:
    columns = ["fields", "local", "environment", "name", "provider", "via", "version", "secret_known"]
    records = [record_row(one) for one in what_is.records.values()]
    generations = [
        tuple(generation_row(one.address, generation).values())
        for one in what_is.records.values()
        for generation in one.generations
    ]
    return [tuple(row[name] for name in [*columns, "linked_user"]) for row in records], generations


def _settled(what_is: Situation) -> set[Key]:
    records, generations = _rows(what_is)
    busy = frozenset((one.address.environment, one.address.name) for one in what_is.operations)
    lines = Sheet([line_of(one) for one in what_is.desired]).lines
    return settled(lines, records, generations, now=what_is.now, besides=busy)


@given(cases())
def test_what_it_leaves_out_has_no_change(case: dict[str, Any]) -> None:
    """The plan without what is plainly unchanged, which is only counted, is the plan."""
    what_is = situation(case)
    found = _settled(what_is)
    rest = replace(
        what_is,
        desired=[one for one in what_is.desired if (one.address.environment, one.address.name) not in found],
        records={a: r for a, r in what_is.records.items() if (a.environment, a.name) not in found},
        settled=len(found),
    )
    assert plan(what_is) == plan(rest)


def test_what_is_as_it_was_recorded_passes() -> None:
    """One active generation that is not due, and nothing else: the planner need not look."""
    case = {"declared": {"test/a": {"rotate": {"every": "90d"}}}}
    what_is = situation({**case, "records": case["declared"]})
    assert {("test", "a")} == _settled(what_is)
    assert set() == _settled(replace(what_is, now=what_is.now + timedelta(days=80)))


@given(cases())
def test_a_plan_of_nothing_is_the_planners(case: dict[str, Any]) -> None:
    """Where all that there is is plainly unchanged, the planner says what is said without it."""
    what_is = situation({**case, "operations": []})
    settled_all = replace(what_is, desired=[], records={}, settled=len(what_is.desired))
    assert plan(settled_all) == nothing_changes(settled_all)


def test_what_something_is_to_be_said_of_does_not_pass() -> None:
    """What was issued before a moment that matters is left to whoever asked."""
    what_is = situation({"declared": {"test/a": {}}, "records": {"test/a": {}}})
    records, generations = _rows(what_is)
    lines = [line_of(one) for one in what_is.desired]
    (made,) = (one.created_at for r in what_is.records.values() for one in r.generations)
    for since, expected in ((made - timedelta(days=1), 1), (made, 0)):
        found = settled(lines, records, generations, now=what_is.now, since=since)
        assert expected == len(found)


def test_a_damaged_moment_never_passes() -> None:
    """A text that is no moment of the store's form leaves the address to the planner."""
    what_is = situation({"declared": {"test/a": {}}, "records": {"test/a": {}}})
    records, ((*whole,),) = _rows(what_is)
    lines = [line_of(one) for one in what_is.desired]
    for column, damage in ((6, ""), (6, "zzz"), (7, "zzz"), (7, "")):
        row = [*whole]
        row[column] = damage
        assert set() == settled(lines, records, [tuple(row)], now=what_is.now)  # type: ignore[list-item]


WHOLE = replace(
    desired("production/a", fields={"description": "ünïcode \u2028"}, labels={"b": "1", "a": "2"}),
    user="bot",
    previously="old",
    family="a-{key}",
)


def test_every_field_survives_a_line() -> None:
    """What is written as a line comes back, with every field that a `Desired` has."""
    assert all(asdict(WHOLE).values())
    assert WHOLE == desired_of(line_of(WHOLE))
    assert (WHOLE,) == tuple(Sheet([line_of(WHOLE)])) == Sheet([line_of(WHOLE)])[:]


def test_what_no_line_can_hold_is_refused() -> None:
    """A text that would not come back as it was is never kept."""
    for odd in (replace(WHOLE, user="a\tb"), replace(WHOLE, user=""), replace(WHOLE, family="a\nb")):
        try:
            line_of(odd)
        except ValueError:
            continue
        raise AssertionError(odd)


@given(
    st.lists(
        st.builds(
            lambda e, n: f"{e}/{n}", st.sampled_from(["test", "production"]), st.text("ab-0", min_size=1)
        )
    )
)
def test_lines_sort_as_addresses_do(addresses: list[str]) -> None:
    """A sheet is in the order of its addresses."""
    sheet = Sheet([line_of(desired(address)) for address in addresses])
    assert sorted(one.address for one in sheet) == [one.address for one in sheet]


def test_every_state_is_thought_of() -> None:
    """A state that is new would have to be weighed here: only these four are known not to hide a change."""
    assert {"pending", "active", "retiring", "retired"} == {one.value for one in GenerationState}
