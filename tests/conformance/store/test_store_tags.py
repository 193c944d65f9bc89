"""What a store has ever heard of, and where its log leads: how a restored one is told, on both engines."""

from __future__ import annotations

import pytest
from store_harness import GENERATION, OPERATION, PAYROLL, commit, happened, opened

from provisioner.core.journal import SaveGeneration, SaveOperation
from provisioner.state.values import AuditHead


@pytest.mark.parametrize("many", [0, 1000])
def test_known_tags(store_url: str, many: int) -> None:
    """A tag of an operation or of a generation is known, whatever else is asked for; any other is not."""
    of_operation, of_generation = str(OPERATION.tag), GENERATION.tag
    others = [f"other{number}" for number in range(many)]
    with opened(store_url) as store:
        store.acquire(["test"], holder="test")
        commit(store, SaveOperation(OPERATION), SaveGeneration(PAYROLL, GENERATION))
        assert {of_operation, of_generation} == store.known_tags([*others, of_operation, of_generation])
        assert set() == store.known_tags(["other", *others])
    with opened(store_url, project="other") as store:
        assert set() == store.known_tags([*others, of_operation])


def test_where_the_log_leads(store_url: str) -> None:
    """The log leads through each of its heads, also the first, and through no other."""
    with opened(store_url) as store:
        heads = [store.audit_head()]
        for number in range(3):
            commit(store, happened("apply", number=number))
            heads.append(store.audit_head())
        assert all(store.audit_holds(head) for head in heads)
        assert not store.audit_holds(AuditHead(2, heads[1].digest))
        assert not store.audit_holds(AuditHead(4, heads[3].digest))
        assert not store.audit_holds(AuditHead(0, heads[1].digest))
