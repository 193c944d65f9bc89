"""Upkeep is a part of the plan: what keeps credentials alive, and nothing that a manifest changed."""

from __future__ import annotations

from typing import Any

import pytest
from plan_cases import lines, situation

from provisioner.core import upkeep

ROTATE = {"every": "10d"}
OLD = {"number": 1, "state": "retiring", "retire_after": "2026-11-20"}


def planned(**case: Any) -> list[str]:
    """The lines of the upkeep, without the count."""
    return lines(upkeep.plan(situation(case)))[:-1]


@pytest.mark.parametrize(
    ("why", "case"),
    [
        ("declared, no record", {"declared": {"test/a": {}}}),
        ("no longer declared", {"records": {"test/a": {}}}),
        (
            "removed",
            {"records": {"test/a": {}}, "removed": [{"name": "a", "reason": "gone"}]},
        ),
        (
            "a field differs",
            {"declared": {"test/a": {"fields": {"description": "x"}}}, "records": {"test/a": {}}},
        ),
        (
            "the vendor moves",
            {"declared": {"test/a": {"provider": "paynet"}}, "records": {"test/a": {}}},
        ),
        (
            "a shorter age in the manifest",
            {"declared": {"test/a": {"rotate": {"every": "1d"}}}, "records": {"test/a": {}}},
        ),
        (
            "gone at the vendor",
            {
                "declared": {"test/a": {"rotate": ROTATE}},
                "records": {"test/a": {"rotate": ROTATE}},
                "observed": {"payspace in test": {}},
            },
        ),
        (
            "a rename",
            {"declared": {"test/new": {"previously": "a"}}, "records": {"test/a": {}}},
        ),
    ],
)
def test_nothing_of_the_manifests(why: str, case: dict[str, Any]) -> None:
    """What a person changed in the manifests, or at the vendor, waits for a plan that a person looks at."""
    assert [] == planned(**case)


LEFT = {"payspace in test": {"svc.former": {"active": False}}}
LEFT_WORDS = "user svc.former is not active at payspace: link another user, or have it activated there"


def test_a_due_renewal_waits_for_its_user() -> None:
    """PS3: what keeps a renewal from being made is told; what a manifest wants of that user is not upkeep."""
    fields = {"user": "svc.former"}
    case = {
        "users": LEFT,
        "declared": {
            "test/a": {"fields": fields, "rotate": ROTATE},
            "test/b": {"fields": fields},
            "test/c": {"fields": fields},
        },
        "records": {"test/a": {"fields": fields, "rotate": ROTATE}, "test/b": {"fields": fields}},
        "observed": {"payspace in test": {"a-1": {}, "b-1": {"fields": {"user": "svc.other"}}}},
    }
    told = [line for line in planned(**case) if not line.startswith("left: ")]
    assert [f"wait test/a 1 (older than 10d since 2026-11-01; {LEFT_WORDS})"] == told


def test_due_renewals_as_last_applied() -> None:
    """What is due is renewed with the fields, the sinks and the policy of its record, not the manifest's."""
    edited = {"fields": {"scopes": ["full-access"]}, "owner": "another", "rotate": {"every": "90d"}}
    case = {
        "declared": {"test/a": edited},
        "records": {"test/a": {"fields": {"scopes": ["read-only"]}, "rotate": ROTATE}},
        "observed": {"payspace in test": {"a-1": {"fields": {"scopes": ["full-access"]}}}},
    }
    (change,) = upkeep.plan(situation(case)).changes
    assert ("renew", ()) == (change.action, change.fields)
    assert change.desired is not None
    assert ({"scopes": ["read-only"]}, "team", ROTATE) == (
        change.desired["fields"],
        change.desired["local"]["owner"],
        change.desired["local"]["rotate"],
    )


def test_due_renewals_under_the_old_name() -> None:
    """What was renamed in the manifest is renewed under the name that it still has."""
    case = {
        "declared": {"test/new": {"previously": "a", "rotate": ROTATE}},
        "records": {"test/a": {"rotate": ROTATE}},
    }
    assert ["renew test/a 2 (older than 10d since 2026-11-01)"] == planned(**case)


def test_ends_of_older_ones() -> None:
    """Older generations retire when their overlap is over, also beside an edited manifest."""
    case = {
        "declared": {"test/a": {"fields": {"description": "x"}}},
        "records": {"test/a": {"generations": [OLD, {"number": 2}]}},
    }
    assert ["retire test/a 1 (overlap of generation 1 ended 2026-11-20 00:00 UTC)"] == planned(**case)


def test_what_is_open_goes_on_as_it_was_begun() -> None:
    """What reached its vendor is brought to its end, though the record knows nothing of it yet."""
    wanted = {"fields": {"description": "new"}, "local": {}, "kind": "test", "user": None}
    case: dict[str, Any] = {
        "declared": {"test/a": {"fields": {"description": "new"}}},
        "records": {"test/a": {}},
        "operations": [
            {
                "address": "test/a",
                "action": "update",
                "phase": "sent",
                "waiting": "handoff",
                "note": "update: Console",
                "desired": {"desired": {**wanted, "local": situation_local()}},
            }
        ],
    }
    assert ["wait test/a 1 (waits for a person since 2026-11-20 14:02 UTC: update: Console)"] == planned(
        **case
    )


def situation_local() -> dict[str, Any]:
    """What only we keep of a declared credential that says nothing of it."""
    (declared,) = situation({"declared": {"test/a": {}}}).desired
    return dict(declared.local)


def test_what_is_given_up_waits_for_a_person() -> None:
    """An operation that the manifests no longer want is not ended by upkeep, for that would be a revoke."""
    case = {
        "operations": [
            {"address": "test/a", "action": "create", "phase": "captured", "waiting": "approval"},
        ]
    }
    assert [] == planned(**case)
    unwanted = planned(**case | {"declared": {"test/a": {}}})
    assert 1 == len(unwanted) and unwanted[0].startswith("wait test/a 1")


def test_an_intent_of_its_own_is_taken_up() -> None:
    """A due renewal that was intended, and killed before it was sent, is planned anew."""
    case = {
        "declared": {"test/a": {"rotate": ROTATE}},
        "records": {"test/a": {"rotate": ROTATE}},
        "operations": [{"address": "test/a", "action": "renew", "phase": "intent", "generation": 2}],
    }
    assert ["renew test/a 2 (older than 10d since 2026-11-01)"] == planned(**case)
