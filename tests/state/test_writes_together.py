"""Rows that go together by one statement: as if each had been written by itself."""

from __future__ import annotations

from datetime import timedelta

from store_harness import NOON, PAYROLL, commit, opened, save

from provisioner.core.journal import ForgetDeliveries, SaveDelivery, SaveGeneration, SaveRecord, Write
from provisioner.core.model import Generation, GenerationState
from provisioner.engine.context import after

FIRST = Generation(1, GenerationState.PENDING, "remote-1", "tag-1", NOON)
SECOND = Generation(2, GenerationState.ACTIVE, "remote-2", "tag-2", NOON + timedelta(hours=1))


def record() -> SaveRecord:
    return save(PAYROLL.name, PAYROLL.environment)


def test_each_put_of_a_row_counts(store_url: str) -> None:
    """A record that one commit saves twice has moved twice: a plan of before is stale all the same."""
    with opened(store_url) as store:
        store.acquire(["test"], holder="ada")
        commit(store, record(), record())
        found = store.record(PAYROLL)
    assert found is not None
    assert 2 == found.version


def test_what_is_removed_in_between_is_removed_in_between(store_url: str) -> None:
    """A delivery that is saved, forgotten and saved again by one commit is there as it was saved last."""
    with opened(store_url) as store:
        store.acquire(["test"], holder="ada")
        later = NOON + timedelta(hours=2)
        commit(
            store,
            record(),
            SaveDelivery(PAYROLL, 1, "app-env", NOON),
            SaveDelivery(PAYROLL, 1, "vault", NOON),
            SaveGeneration(PAYROLL, FIRST, "age text"),
            ForgetDeliveries(PAYROLL, 1),
            SaveDelivery(PAYROLL, 1, "app-env", later),
        )
        assert {"app-env": later} == store.deliveries(PAYROLL, 1)
        assert "age text" == store.sealed(PAYROLL, 1)


def test_what_an_operation_knows_of_its_record_is_what_the_store_has(store_url: str) -> None:
    """After any writes, the record that is kept in memory equals the one that would be read."""
    steps: tuple[tuple[Write, ...], ...] = (
        (record(), SaveGeneration(PAYROLL, SECOND, "age text")),
        (SaveGeneration(PAYROLL, FIRST),),
        (save("another"), SaveGeneration(PAYROLL, FIRST)),
        (record(), record()),
    )
    known = None
    with opened(store_url) as store:
        store.acquire(["test"], holder="ada")
        for writes in steps:
            commit(store, *writes)
            known = after(PAYROLL, known, writes)
            assert store.record(PAYROLL) == known
