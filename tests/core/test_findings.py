"""Findings: what vendors show otherwise than it is recorded, but for what is under way."""

from __future__ import annotations

from typing import Any

import pytest
from plan_cases import situation

from provisioner.core.findings import findings

ALTERED = {
    "declared": {"test/a": {"fields": {"description": "ours"}}},
    "records": {"test/a": {"fields": {"description": "ours"}}},
    "observed": {"payspace in test": {"a-1": {"fields": {"description": "theirs"}}}},
}
UPDATE = {"address": "test/a", "action": "update", "remote_id": "a-1"}


def _kinds(case: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(one.address), one.finding.kind) for one in findings(situation(case)).found]


@pytest.mark.parametrize(
    ("operations", "found"),
    [
        ([], [("test/a", "altered")]),
        ([{**UPDATE, "phase": "intent"}], [("test/a", "altered")]),
        ([{**UPDATE, "phase": "sent"}], []),
    ],
)
def test_what_is_under_way_is_left_to_it(operations: list[Any], found: list[Any]) -> None:
    """Where something was sent and not seen through, what the vendor shows is left to that."""
    case = {**ALTERED, "operations": operations}
    assert found == _kinds(case)
    assert 0 == findings(situation(case)).as_recorded
