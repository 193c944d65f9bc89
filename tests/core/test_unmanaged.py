"""What vendors have that is not ours: listed by `discover`, counted by plans and by findings."""

from __future__ import annotations

from typing import Any

import pytest
from plan_cases import situation

from provisioner.core.findings import findings
from provisioner.core.planner import plan
from provisioner.core.situation import Situation
from provisioner.core.unmanaged import Ours, unmanaged

OPEN = {"address": "test/a", "phase": "sent", "remote_id": "a-1"}
BY_HAND: dict[str, Any] = {"payspace in test": {"a-1": {}, "x-1": {}}}
SHARED = {
    "observed": {
        "payspace in test": {
            "our-own": {},
            "x-1": {},
            "x-2": {"tag": "provision/others/test/a/1/n1"},
            "x-3": {"tag": "provision/payments/production/a/1/n1"},
        }
    },
    "authorities": {"payspace in production": {"writes": True, "scopes": ["full-access"]}},
}
"""One tenant for both environments: each shows what the other one has, and what the other one's run uses."""


def _listed(what_is: Situation) -> list[str]:
    ours = Ours.of(what_is.records, what_is.operations)
    return [one.seen.remote_id for one in unmanaged(what_is.project, what_is.observations, ours)]


@pytest.mark.parametrize("action", ["update", "revoke", "import"])
def test_an_operation_without_a_tag_hides_nothing(action: str) -> None:
    """What carries no tag is not of an open operation that has none either."""
    case = {"records": {"test/a": {}}, "observed": BY_HAND}
    assert ["x-1"] == _listed(situation({**case, "operations": [{**OPEN, "action": action}]}))


def test_another_environments_in_one_tenant_are_not_counted() -> None:
    """What another environment or project tagged is managed there; what a run works with is nobody's to."""
    what_is = situation(SHARED)
    assert {("payspace", "test"): 1} == findings(what_is).unmanaged
    assert ("1 credential at payspace in test is not managed: provision discover",) == plan(what_is).unmanaged


def test_what_is_imported_is_not_counted() -> None:
    """What a manifest takes over is managed as of then."""
    case = {"declared": {"test/a": {}}, "imports": {"test/a": "x-1"}, "observed": BY_HAND}
    assert {("payspace", "test"): 1} == findings(situation(case)).unmanaged
