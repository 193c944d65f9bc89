"""Rails: each refuses what it is there for, and lets pass what it is not."""

from __future__ import annotations

from typing import Any

import pytest
from plan_cases import DECLARATIONS, situation

from provisioner.core.capabilities import Capabilities
from provisioner.core.model import Address, Via
from provisioner.core.planner import plan
from provisioner.core.project import Limits
from provisioner.core.rails import Track, default_limit, judge

DEFAULT = Limits()


def refusals(
    case: dict[str, Any], *, limits: Limits = DEFAULT, allow_wider: bool = False, own: str = ""
) -> list[tuple[str, str]]:
    """The rails that refuse the plan of a case, each with what it speaks of."""
    what_is = situation(case)
    made = plan(what_is)
    capabilities: dict[Address, Capabilities] = {
        change.address: DECLARATIONS[change.provider].capabilities[Via.API] for change in made.changes
    }
    track = Track(what_is.records, capabilities, limits, allow_wider, frozenset({own}))
    return [(verdict.rail, str(verdict.address or "")) for verdict in judge(made, track)]


def records(count: int, environment: str = "test", **rest: Any) -> dict[str, Any]:
    return {f"{environment}/key-{number:03}": rest for number in range(count)}


@pytest.mark.parametrize(
    ("live", "allowed"), [(0, 1), (1, 1), (5, 1), (9, 1), (10, 2), (24, 4), (25, 5), (26, 5), (1000, 5)]
)
def test_default_limit(live: int, allowed: int) -> None:
    """An environment takes max(1, min(5, 20 % of its records)) revocations without asking (design §6)."""
    assert allowed == default_limit(live)


def test_one_revocation_passes() -> None:
    """Removing one of few is everyday work."""
    assert [] == refusals({"records": records(1)})


def test_too_many_revocations() -> None:
    """More than the limit in one environment is refused; the other environment does not help."""
    case = {"records": {**records(3), **records(40, "production", protect=False)}, "environments": ["test"]}
    assert [("revocations", "")] == refusals(case)


@pytest.mark.parametrize("declared", [True, False])
def test_too_many_ordered_revocations(declared: bool) -> None:
    """What a command line asks too much of is asked for by fewer addresses: orders have no --target."""
    case = {
        "declared": records(3) if declared else {},
        "records": records(3),
        "orders": {address: {"action": "revoke", "reason": "left"} for address in records(3)},
    }
    what_is = situation(case)
    (verdict,) = judge(plan(what_is), Track(what_is.records, {}, DEFAULT))
    fewer = "name fewer addresses at a time, or set limits: {revocations: 3} in provision.yaml"
    assert ("revocations", fewer) == (verdict.rail, verdict.remedy)


def test_ended_records_do_not_raise_the_limit() -> None:
    """Only live records count for the 20 %."""
    ended = records(100, generations=[{"number": 1, "state": "retired"}])
    live: dict[str, Any] = {"test/a": {}, "test/b": {}}
    assert [("revocations", "")] == refusals({"records": {**ended, **live}})


def test_limits_of_the_project() -> None:
    """`limits` says otherwise, in both directions."""
    assert [] == refusals({"records": records(3)}, limits=Limits(revocations=3))
    assert [("revocations", "")] == refusals({"records": records(1)}, limits=Limits(revocations=0))


def test_protected_is_read_from_the_record() -> None:
    """Deleting the block does not lift the protection; listing it under `removed` does."""
    case: dict[str, Any] = {"records": records(1, "production")}
    assert [("protected", "production/key-000")] == refusals(case)
    case["removed"] = [{"name": "key-000", "reason": "gone"}]
    assert [] == refusals(case)


def test_removed_elsewhere_does_not_lift() -> None:
    """An entry that speaks of another environment says nothing about this one."""
    case = {
        "records": records(1, "production"),
        "removed": [{"name": "key-000", "reason": "gone", "environments": ["test"]}],
    }
    assert [("protected", "production/key-000")] == refusals(case)


def test_ordered_revoke_of_a_protected_one() -> None:
    """A command line cannot lift what the record protects."""
    case = {
        "declared": {"production/a": {}},
        "records": {"production/a": {}},
        "orders": {"production/a": {"action": "revoke", "reason": "asked"}},
    }
    assert [("protected", "production/a")] == refusals(case)


def _scopes(before: list[str], after: list[str], environment: str) -> dict[str, Any]:
    address = f"{environment}/a"
    return {
        "declared": {address: {"fields": {"scopes": after}}},
        "records": {address: {"fields": {"scopes": before}}},
    }


def test_wider_in_production() -> None:
    """More access in production asks for --allow-wider."""
    case = _scopes(["read-only"], ["full-access"], "production")
    assert [("wider", "production/a")] == refusals(case)
    assert [] == refusals(case, allow_wider=True)


def test_giving_back_is_not_wider() -> None:
    """What somebody narrowed at the vendor is given back as it was; together with an edit it is not."""
    case = _scopes(["full-access"], ["full-access"], "production")
    narrowed = {"a-1": {"fields": {"scopes": ["read-only"]}}}
    assert [] == refusals({**case, "observed": {"payspace in production": narrowed}})
    edited = _scopes(["read-only"], ["full-access"], "production")
    assert [("wider", "production/a")] == refusals(
        {**edited, "observed": {"payspace in production": narrowed}}
    )


@pytest.mark.parametrize(
    "seen",
    [
        {"a-1": {"status": "disabled"}},
        {"a-1": {"status": "dead"}},
        {"a-1": {"fields": {"description": "theirs"}}},
    ],
)
def test_drift_lets_no_edit_pass(seen: dict[str, Any]) -> None:
    """More access that somebody wrote is asked about, whatever else the change is made for."""
    case = {
        "declared": {"production/a": {"fields": {"scopes": ["full-access"], "description": "ours"}}},
        "records": {"production/a": {"fields": {"scopes": ["read-only"], "description": "ours"}}},
        "observed": {"payspace in production": seen},
    }
    assert [("wider", "production/a")] == refusals(case)


def test_an_edit_keeps_nothing_from_being_given_back() -> None:
    """What somebody took at the vendor is given back beside an edit that widens nothing."""
    case = {
        "declared": {"production/a": {"fields": {"scopes": ["full-access"], "description": "new"}}},
        "records": {"production/a": {"fields": {"scopes": ["full-access"], "description": "old"}}},
        "observed": {"payspace in production": {"a-1": {"fields": {"scopes": ["read-only"]}}}},
    }
    assert [] == refusals(case)


def test_narrower_or_in_test_passes() -> None:
    """Less access, or more in a test environment, is nobody's danger."""
    assert [] == refusals(_scopes(["full-access"], ["read-only"], "production"))
    assert [] == refusals(_scopes(["read-only"], ["full-access"], "test"))


def test_first_access_passes() -> None:
    """A new credential is reviewed as such: creating is no widening."""
    assert [] == refusals({"declared": {"production/a": {"fields": {"scopes": ["full-access"]}}}})


def test_own_credential() -> None:
    """A run cannot saw off the branch that it sits on."""
    assert [("own credential", "test/key-000")] == refusals({"records": records(1)}, own="key-000-1")


@pytest.mark.parametrize(
    ("provider", "order", "refused"),
    [
        ("payspace", {"action": "renew", "reason": "asked"}, False),
        ("payspace", {"action": "renew", "reason": "leaked", "compromised": True}, True),
        ("paynet", {"action": "renew", "reason": "asked"}, True),
    ],
)
def test_own_credential_renewed(provider: str, order: dict[str, Any], refused: bool) -> None:
    """A renewal beside it leaves what the run uses; one in place, or that ends it first, does not."""
    case = {
        "declared": {
            "test/new": {"provider": provider, "rotate": {"allow_downtime": True}, "previously": "a"}
        },
        "records": {"test/a": {"provider": provider, "rotate": {"allow_downtime": True}}},
        "orders": {"test/new": order},
    }
    assert [("own credential", "test/new")] * refused == refusals(case, own="a-1")
    assert [] == refusals(case, own="b-1")


def test_own_credential_and_its_copy() -> None:
    """Of two with one tag, the one that the run does not use may end."""
    tag = "provision/payments/test/a/1/n0"
    case = {
        "declared": {"test/a": {}},
        "records": {"test/a": {"generations": [{"number": 1, "tag": tag}]}},
        "observed": {"payspace in test": {"a-1": {"tag": tag}, "other": {"tag": tag}}},
    }
    assert [("own credential", "test/a")] == refusals(case, own="other")
    assert [] == refusals(case, own="a-1")


def test_downtime() -> None:
    """A renewal in place is an outage that the manifest must accept."""
    case: dict[str, Any] = {
        "declared": {"test/a": {"provider": "paynet"}},
        "records": {"test/a": {"provider": "paynet"}},
        "orders": {"test/a": {"action": "renew", "reason": "asked"}},
    }
    assert [("downtime", "test/a")] == refusals(case)
    case["declared"]["test/a"]["rotate"] = {"allow_downtime": True}
    assert [] == refusals(case)


def test_no_downtime_after_a_rotation_outside() -> None:
    """A renewal in place that follows a rotation at the vendor ends no secret that works: it stops nobody."""
    issued = {"number": 1, "issued": "2026-11-01"}
    case: dict[str, Any] = {
        "declared": {"test/a": {"provider": "paynet"}},
        "records": {"test/a": {"provider": "paynet", "generations": [issued]}},
        "observed": {"paynet in test": {"a-1": {"issued": "2026-11-19"}}},
    }
    assert [] == refusals(case)
    case["orders"] = {"test/a": {"action": "renew", "reason": "asked"}}
    assert [("downtime", "test/a")] == refusals(case)
