"""Reconcile writes what was shown, under every lease, or nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from store_harness import NOON, PAYROLL, opened

from provisioner.core.journal import Audit
from provisioner.core.model import Generation, GenerationState, Record, Via
from provisioner.core.restored import Adoption
from provisioner.engine.reconcile import Adoptions, reconcile
from provisioner.errors import LeaseHeld, PlanStale

ACTIVE = Generation(2, GenerationState.ACTIVE, "id2", "tag", NOON)
SHOWN = (Adoption(Record(PAYROLL, "payspace", Via.API, {}, {}, secret_known=False), (), (ACTIVE,)),)
TOLD = Audit("store reconciled", NOON)


def _reconcile(url: str, now: Adoptions) -> list[tuple[str, bool]]:
    with opened(url) as store:
        try:
            asyncio.run(reconcile(store, SHOWN, lambda: now, TOLD, environments=["test"], holder="somebody"))
        finally:
            found = [(str(address), one.secret_known) for address, one in store.all_records().items()]
            assert len(store.audit_log()) == len(found)
            assert () == store.leases()
    return found


def test_what_was_shown_is_written(store_url: str) -> None:
    """The adoption and its audit row are there together, and the lease is given back."""
    assert [("test/payroll", False)] == _reconcile(store_url, SHOWN)


def test_what_was_not_shown_is_not_written(store_url: str) -> None:
    """Where the store moved since it was shown, nothing is taken over, and nothing is in the history."""
    with pytest.raises(PlanStale):
        _reconcile(store_url, ())
    with opened(store_url) as store:
        assert ({}, ()) == (store.all_records(), store.audit_log())


def test_not_beside_another_run(tmp_path: Path) -> None:
    """While another run holds the lease nothing is taken over."""
    url = f"sqlite:///{tmp_path}/state.db"
    with opened(url) as other:
        other.acquire(["test"], holder="another run")
        with opened(url) as store, pytest.raises(LeaseHeld):
            asyncio.run(
                reconcile(store, SHOWN, lambda: SHOWN, TOLD, environments=["test"], holder="somebody")
            )
