"""Reconcile: let a store that was restored from an older copy take over what the vendors have of ours.

Nothing is sent to a vendor here, and nothing is ended: that is for the plans that follow, which people see.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from provisioner.core.journal import Audit, RenameRecord, SaveGeneration, SaveOperation, SaveRecord, Write
from provisioner.core.restored import Adoption
from provisioner.engine.ports import Store
from provisioner.errors import PlanStale

Adoptions = tuple[Adoption, ...]


async def reconcile(
    store: Store,
    shown: Adoptions,
    decide: Callable[[], Adoptions],
    told: Audit,
    *,
    environments: Collection[str],
    holder: str,
) -> None:
    """Take over what was shown, in one transaction with its audit row, under every lease.

    `decide` says again what is to be taken over, now that no other run can write; PlanStale where that is not
    what was shown any more. Raises LeaseHeld.
    """
    store.acquire(environments, holder=holder)
    try:
        if decide() != shown:
            raise PlanStale("the store moved meanwhile, so nothing was taken over", remedy="look again")
        await store.commit([*(write for adoption in shown for write in _writes(adoption)), told])
    finally:
        store.release()


def _writes(adoption: Adoption) -> Iterator[Write]:
    address = adoption.record.address
    if adoption.closed is not None:
        yield SaveOperation(adoption.closed)
    if adoption.renamed_from is not None:
        yield RenameRecord(adoption.renamed_from, address)
    yield SaveRecord(adoption.record)
    yield from (SaveGeneration(address, generation) for generation in adoption.taken)
