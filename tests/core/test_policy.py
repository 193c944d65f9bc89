"""Policies: which credentials they are about, what they say of them, and when exceptions count."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from plan_cases import DECLARATIONS, desired, moment, record, situation

from provisioner.core.model import Address, JsonObject, Source, Via
from provisioner.core.planner import plan
from provisioner.core.policing import Policing
from provisioner.core.policy import Exempt, Level, Match, Path, Policy, outdated, resolved, violations
from provisioner.core.project import Limits
from provisioner.core.rails import Track, judge

NOW = moment("2027-02-01T12:00")
FIELDS = {"payspace": ["scopes"], "paynet": ["scopes"]}


def _owned(one: JsonObject) -> Path | None:
    """Requires an owner of the name `team`, which every case has, and nothing but read-only scopes."""
    if one.get("scopes", ["read-only"]) != ["read-only"]:
        return ("scopes",)
    return None if one["owner"] == "team" else ()


POLICY = Policy("read-only", "only reading is allowed", Level.DENY, {}, _owned)
FULL = {"fields": {"scopes": ["full-access"]}}


def _told(policy: Policy, address: str = "test/payroll-eu", now: Any = NOW, **declared: Any) -> list[str]:
    found = violations([policy], [desired(address, **(declared or FULL))], FIELDS, now)
    return [f"{one.address} {'.'.join(map(str, one.path))}: {one.text}" for one in found]


def test_what_does_not_fit_is_told() -> None:
    """A credential that does not fit is told with the policy's words and the path of what is wrong."""
    assert ["test/payroll-eu scopes: only reading is allowed (policy read-only)"] == _told(POLICY)
    assert [] == _told(POLICY, fields={"scopes": ["read-only"]})


def test_off_is_off() -> None:
    """A policy that is off says nothing."""
    assert [] == _told(replace(POLICY, level=Level.OFF))


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        (Match(), True),
        (Match(kind=("test",)), True),
        (Match(kind=("production",)), False),
        (Match(environment=("te*",)), True),
        (Match(environment=("prod*", "staging")), False),
        (Match(provider=("pay*",)), True),
        (Match(provider=("timeclock",)), False),
        (Match(owner=("team",)), True),
        (Match(owner=("team-*",)), False),
        (Match(credential=("payroll-*",)), True),
        (Match(credential=("test/payroll-??",)), True),
        (Match(credential=("production/payroll-*",)), False),
        (Match(scopes=("read-only", "full-*")), True),
        (Match(scopes=("read-only",)), False),
        (Match(labels={"region": ("eu",)}), True),
        (Match(labels={"region": ("*",), "team": ("*",)}), False),
        (Match(kind=("test",), owner=("nobody",)), False),
    ],
)
def test_match(match: Match, holds: bool) -> None:
    """A policy is about what all of its match holds for, each by one of its globs."""
    one = desired("test/payroll-eu", fields={"scopes": ["full-access"]}, labels={"region": "eu"})
    assert holds is match.holds(one)


def _excepted(credential: str) -> Policy:
    until = Exempt(credential, date(2027, 1, 31), "the vendor is slow", Source("provision.yaml", 9))
    return replace(POLICY, exceptions=(until,))


def test_an_exception_counts_to_the_end_of_its_day() -> None:
    """An exception counts on its last day, and not a second longer; then it is told that it ended."""
    policy = _excepted("payroll-*")
    last = moment("2027-02-01") - timedelta(seconds=1)
    assert [] == _told(policy, now=last)
    (text,) = _told(policy, now=last + timedelta(seconds=1))
    assert "(policy read-only; its exception ended 2027-01-31)" in text


@pytest.mark.parametrize(
    ("credential", "free"), [("test/*", True), ("payroll-eu", True), ("production/*", False), ("eu", False)]
)
def test_whom_an_exception_is_for(credential: str, free: bool) -> None:
    """An exception is for the names, or with a slash for the addresses, that its glob holds for."""
    assert free is (_told(_excepted(credential), now=moment("2027-01-01")) == [])


def test_what_policies_see() -> None:
    """A credential is seen with all of its defaults, rotation and age in days, without what is absent."""
    one = desired("test/a", fields={"scopes": ["read-only"]}, rotate={"every": "36h"})
    seen = resolved(one, ["scopes"], timedelta(days=2, hours=12))
    assert {
        "name": "a",
        "environment": "test",
        "kind": "test",
        "provider": "payspace",
        "via": "api",
        "vendor_fields": ["scopes"],
        "scopes": ["read-only"],
        "owner": "team",
        "labels": {},
        "deliver": [],
        "rotate": {"every": "36h"},
        "rotate_days": 1.5,
        "age_days": 2.5,
        "protect": False,
    } == seen
    assert {"rotate", "rotate_days", "user", "age_days"}.isdisjoint(resolved(desired("test/a"), []))


@pytest.mark.parametrize(
    ("created", "old"), [("2026-02-01T12:00", []), ("2026-02-01T11:59", [("test/a", ("age_days",))])]
)
def test_secrets_that_grew_too_old(created: str, old: list[Any]) -> None:
    """A recorded secret may be exactly as old as a policy says, and not older."""
    policy = replace(POLICY, oldest=365.0)
    records = {Address("test", "a"): record("test/a", generations=[{"number": 1, "created": created}])}
    found = outdated([POLICY, policy], [desired("test/a"), desired("test/b")], records, NOW)
    assert old == [(str(one.address), one.path) for one in found]


@pytest.mark.parametrize("days", [1e6, 1e17])
def test_no_secret_is_older_than_the_calendar(days: float) -> None:
    """An age beyond the first day of the calendar, or of all time, is one that no secret has."""
    records = {Address("test", "a"): record("test/a")}
    assert [] == list(outdated([replace(POLICY, oldest=days)], [desired("test/a")], records, NOW))


def _refused(case: Mapping[str, Any], policy: Policy = POLICY, now: Any = NOW) -> list[str]:
    what_is = situation({"now": "2027-02-01", **case})
    made = plan(what_is)
    track = Track(
        what_is.records,
        {one.address: DECLARATIONS[one.provider].capabilities[Via.API] for one in made.changes},
        Limits(),
        allow_wider=True,
        policing=Policing([policy], FIELDS, now),
    )
    return [str(one.address) for one in judge(made, track) if one.rail == "policy"]


READ = {"fields": {"scopes": ["read-only"]}}


@pytest.mark.parametrize(
    "case",
    [
        {"declared": {"test/a": FULL}},
        {"declared": {"test/a": FULL}, "records": {"test/a": READ}},
        {"declared": {"test/a": {**FULL, "owner": "other"}}, "records": {"test/a": FULL}},
    ],
)
def test_the_rail_refuses_what_does_not_fit(case: dict[str, Any]) -> None:
    """What a plan would bring about must fit what a policy denies."""
    assert ["test/a"] == _refused(case)
    assert [] == _refused(case, replace(POLICY, level=Level.WARN))
    assert [] == _refused(case, _excepted("test/a"), moment("2027-01-31T23:59"))
    assert ["test/a"] == _refused(case, _excepted("test/a"))


@pytest.mark.parametrize(
    "case",
    [
        {"declared": {"test/a": FULL}, "records": {"test/a": FULL}},
        {"records": {"test/a": FULL}},
        {
            "declared": {"test/a": {**FULL, "rotate": {"every": "30d"}}},
            "records": {"test/a": {**FULL, "rotate": {"every": "30d"}}},
        },
        {
            "declared": {"test/a": {**FULL, "owner": "other"}},
            "records": {"test/a": FULL},
            "orders": {"test/a": {"action": "renew", "reason": "stolen", "compromised": True}},
        },
    ],
)
def test_no_policy_keeps_a_secret_from_renewal(case: dict[str, Any]) -> None:
    """What a plan leaves as it is, ends, only renews, or must renew in an emergency is let through."""
    assert [] == _refused(case)


def _young(one: JsonObject) -> Path | None:
    return ("age_days",) if one.get("age_days", 0) > 365 else None


def test_the_rail_knows_how_old_a_secret_is() -> None:
    """An update of a credential with a secret that is too old is refused, and what makes a new one is not."""
    policy = replace(POLICY, misfit=_young)
    old = {**READ, "generations": [{"number": 1, "created": "2025-01-01"}]}
    case = {"declared": {"test/a": {**READ, "owner": "other"}}, "records": {"test/a": old}}
    assert ["test/a"] == _refused(case, policy)
    renewed = {"declared": {"test/a": {**READ, "rotate": {"every": "30d"}}}, "records": {"test/a": old}}
    assert [] == _refused(renewed, policy)
    moved = {**READ, "owner": "other", "previously": "a"}
    assert ["test/b"] == _refused({"declared": {"test/b": moved}, "records": {"test/a": old}}, policy)
