"""Mixed ledgers: whatever a vendor shows beside ours, no plan ends what no record of ours holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from plan_cases import situation

from provisioner.core import upkeep
from provisioner.core.journal import Action
from provisioner.core.model import Record, Tag
from provisioner.core.plan import Change, Plan
from provisioner.core.planner import plan
from provisioner.core.situation import Situation
from provisioner.core.unmanaged import Ours, unmanaged

NAMES = st.sampled_from(["test/a", "test/b", "test/c", "production/a", "production/b"])
PROVIDERS = st.sampled_from(["payspace", "paynet"])
STATES = st.sampled_from(["pending", "active", "retiring", "retired"])
TAGS = st.builds(
    "/".join,
    st.tuples(
        st.just("provision"),
        st.sampled_from(["payments", "others"]),
        st.sampled_from(["test", "production"]),
        st.sampled_from(["a", "b", "z"]),
        st.sampled_from(["1", "2"]),
        st.sampled_from(["n1", "n2"]),
    ),
)
IDS = st.one_of(
    st.builds("{}-{}".format, st.sampled_from("abc"), st.integers(1, 3)),  # as records of ours have them
    st.sampled_from(["x-1", "x-2", "x-3", "x-4"]),
)
LEDGER = st.dictionaries(
    IDS,
    st.fixed_dictionaries(
        {},
        optional={
            "tag": st.one_of(TAGS, st.just("made by hand")),
            "status": st.sampled_from(["live", "waiting", "disabled", "dead", "denied"]),
            "fields": st.just({"description": "altered"}),
        },
    ),
    max_size=8,
)
GENERATIONS = st.lists(
    st.fixed_dictionaries(
        {"number": st.integers(1, 3), "state": STATES},
        optional={"tag": TAGS, "retire_after": st.sampled_from(["2026-11-01", "2026-12-01"])},
    ),
    max_size=3,
    unique_by=lambda one: one["number"],
)
CASES = st.fixed_dictionaries(
    {
        "declared": st.dictionaries(
            NAMES,
            st.fixed_dictionaries({"provider": PROVIDERS, "fields": st.just({"description": "d"})}),
        ),
        "records": st.dictionaries(
            NAMES,
            st.fixed_dictionaries(
                {"provider": PROVIDERS, "generations": GENERATIONS, "secret_known": st.booleans()}
            ),
        ),
        "observed": st.dictionaries(
            st.sampled_from([f"{p} in {e}" for p in ("payspace", "paynet") for e in ("test", "production")]),
            LEDGER,
        ),
        "imports": st.dictionaries(NAMES, IDS),
        "removed": st.sampled_from([[], [{"name": "a", "reason": "retired"}]]),
        "orders": st.dictionaries(
            NAMES,
            st.fixed_dictionaries(
                {"action": st.sampled_from(["renew", "revoke"]), "reason": st.just("asked")},
                optional={"compromised": st.booleans()},
            ),
            max_size=2,
        ),
    }
)
BESIDE = {
    "declared": {"test/a": {}},
    "records": {"test/a": {"generations": [{"number": 1, "tag": "provision/payments/test/a/1/n1"}]}},
    "observed": {
        "payspace in test": {
            "a-1": {"tag": "provision/payments/test/a/1/n1"},
            "x-1": {"tag": "provision/payments/test/a/1/n2"},
            "x-2": {"tag": "provision/others/test/a/1/n1"},
            "x-3": {"tag": "provision/payments/production/a/1/n1"},
            "x-4": {},
        }
    },
}
"""Ours beside another store's of the same project, another project's, production's copy, and one by hand."""


def ended(change: Change, record: Record | None) -> Iterator[str]:
    """The vendor's ids of what a change ends."""
    for generation in record.generations if record else ():
        if generation.number in change.ends:
            yield generation.remote_id
    if change.copy:
        yield change.copy


def ours(what_is: Situation, change: Change) -> set[str]:
    """What a change of this address may end: what its record holds, and what carries a tag in it."""
    record = what_is.records.get(change.address)
    generations = record.generations if record else ()
    tags = {generation.tag for generation in generations if Tag.parse(generation.tag)}
    seen = [
        one
        for (_, environment), listing in what_is.observations.items()
        for one in listing.observed.values()
        if environment == change.address.environment
    ]
    return {g.remote_id for g in generations} | {one.remote_id for one in seen if str(one.tag) in tags}


def plans(what_is: Situation) -> tuple[Plan, Plan]:
    """Every plan that is made of a situation."""
    return plan(what_is), upkeep.plan(what_is)


@given(CASES)
@example(BESIDE)
def test_only_what_is_ours_ends(case: Mapping[str, Any]) -> None:
    """No change ends an id that no record of its address holds, and no tag with a nonce of ours names."""
    what_is = situation(case)
    for made in plans(what_is):
        for change in made.changes:
            assert ours(what_is, change) >= set(ended(change, what_is.records.get(change.address)))


@given(CASES)
def test_what_is_unmanaged_is_left_alone(case: Mapping[str, Any]) -> None:
    """What `discover` lists is never what a plan ends; and an import never ends anything."""
    what_is = situation(case)
    held = Ours.of(what_is.records, what_is.operations)
    strays = {
        (one.provider, one.environment, one.seen.remote_id)
        for one in unmanaged(what_is.project, what_is.observations, held)
    }
    for made in plans(what_is):
        for change in made.changes:
            ids = set(ended(change, what_is.records.get(change.address)))
            assert not strays & {(change.provider, change.address.environment, id) for id in ids}
            assert change.action is not Action.IMPORT or not ids


@given(CASES)
def test_an_unknown_secret_is_not_ended_unasked(case: Mapping[str, Any]) -> None:
    """What has an unknown secret ends, or gets another, only by an order or an entry under `removed`."""
    what_is = situation(case)
    for made in plans(what_is):
        for change in made.changes:
            record = what_is.records.get(change.address)
            if record is None or record.secret_known or change.address in what_is.orders:
                continue
            told = {reason.code for reason in change.reasons}
            ends = change.action in {Action.REVOKE, Action.REPLACE, Action.RENEW}
            assert not ends or "removed" in told
