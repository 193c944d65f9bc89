"""Rows that go together by one statement: as if each had been written by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from store_harness import NOON, PAYROLL, commit, happened, opened, save

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


@pytest.mark.parametrize("count", [1, 31, 33, 71])
def test_as_many_rows_as_there_are_become_durable(store_url: str, count: int) -> None:
    """However many rows go together, each is there, with its own values."""
    names = [f"key-{number:03}" for number in range(count)]
    with opened(store_url) as store:
        store.acquire(["test"], holder="ada")
        commit(store, *map(save, names), *(happened(name) for name in names))
        assert names == sorted(address.name for address in store.records(["test"]))
        assert names == [row.event for row in store.audit_log()]
        assert [] == store.audit_verify()


def test_what_was_asked_for_before_the_lease_is_given_back_is_written_under_it(store_url: str) -> None:
    """A caller that stops waiting, and lets go of everything at once, has not taken its write back."""

    async def go() -> None:
        asked = asyncio.ensure_future(store.commit([record()]))
        await asyncio.sleep(0)  # it was asked for, and nothing was handed over yet
        asked.cancel()
        store.release()
        assert store.record(PAYROLL) is not None

    with opened(store_url) as store:
        store.acquire(["test"], holder="ada")
        asyncio.run(go())
