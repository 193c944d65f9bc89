"""Laws of the planner and of the plan's digest, over many situations."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from plan_cases import situation

from provisioner.core.plan import from_json, to_json
from provisioner.core.planner import plan
from provisioner.core.situation import Situation

NAMES = st.sampled_from(["test/a", "test/b", "production/a", "production/b", "production/c"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "description": st.sampled_from(["x", "y"]),
        "scopes": st.sampled_from([["read-only"], ["full-access"]]),
        "settings": st.fixed_dictionaries({}, optional={"development_mode": st.booleans()}),
    },
)
DECLARED = st.fixed_dictionaries(
    {"fields": FIELDS},
    optional={"owner": st.sampled_from(["p", "q"]), "rotate": st.just({"every": "10d"})},
)
RECORDED = st.fixed_dictionaries(
    {"fields": FIELDS, "version": st.integers(1, 3)},
    optional={
        "generations": st.lists(
            st.sampled_from(
                [
                    {"number": 1, "state": "retired"},
                    {"number": 2, "state": "retiring", "retire_after": "2026-11-20"},
                    {"number": 3},
                ]
            ),
            unique_by=lambda one: one["number"],
        )
    },
)
CASES = st.fixed_dictionaries(
    {"declared": st.dictionaries(NAMES, DECLARED), "records": st.dictionaries(NAMES, RECORDED)}
)


def _shuffled(what_is: Situation) -> Situation:
    return replace(
        what_is,
        desired=list(reversed(what_is.desired)),
        records=dict(reversed(list(what_is.records.items()))),
    )


@given(CASES)
def test_the_order_of_the_input_changes_nothing(case: dict[str, Any]) -> None:
    """The same situation in another order gives the same plan, byte for byte."""
    what_is = situation(case)
    assert json.dumps(to_json(plan(what_is))) == json.dumps(to_json(plan(_shuffled(what_is))))


@given(CASES, st.sampled_from(["test", "production"]))
def test_nothing_outside_of_the_asked_environments(case: dict[str, Any], environment: str) -> None:
    """A plan acts only in the environments that it was asked for."""
    made = plan(situation({**case, "environments": [environment]}))
    assert {environment} >= {change.address.environment for change in made.changes}


@given(CASES)
def test_only_what_is_owned_is_ended(case: dict[str, Any]) -> None:
    """A plan ends only generations that a record of ours holds as live."""
    what_is = situation(case)
    for change in plan(what_is).changes:
        held = what_is.records.get(change.address)
        live = {g.number for g in held.live} if held else set()
        assert live >= set(change.ends)


@given(CASES, CASES)
def test_equal_plans_have_equal_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two plans would do the same exactly when their digests are equal.

    When they were made does not matter, nor what they leave alone.
    """
    first = plan(situation(one))
    second = replace(plan(situation(other)), planned_at=first.planned_at + timedelta(hours=1))
    told = {"unchanged": first.unchanged, "unseen": first.unseen, "secrets_unknown": first.secrets_unknown}
    told |= {"users_left": first.users_left, "unmanaged": first.unmanaged, "observed_at": first.observed_at}
    same = replace(second, planned_at=first.planned_at, **told) == first
    assert same == (first.digest == second.digest)


@given(CASES)
def test_a_saved_plan_is_the_plan(case: dict[str, Any]) -> None:
    """What is written as JSON and read again is the same plan."""
    made = plan(situation(case))
    assert made == from_json(json.loads(json.dumps(to_json(made))))
