"""What a store tells of many addresses in one pass, whichever engine it has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace
from store_harness import GENERATION, NOON, OPERATION, PAYROLL, commit, happened, opened, save

from provisioner.core.journal import Phase, SaveDelivery, SaveGeneration, SaveOperation
from provisioner.core.model import Address, GenerationState
from provisioner.state.store import StateStore

WAGES = Address("test", "wages")
HOUR = timedelta(hours=1)


@pytest.fixture
def store(store_url: str) -> Iterator[StateStore]:
    with opened(store_url) as opened_store:
        opened_store.acquire(["test", "production"], holder="ada@ci-7 pid 1")
        commit(opened_store, save(PAYROLL.name, PAYROLL.environment), save("wages"))
        yield opened_store


def generation(number: int, state: GenerationState) -> SaveGeneration:
    made = replace(GENERATION, number=number, state=state, tag=f"tag {number}", remote_id=f"id {number}")
    return SaveGeneration(PAYROLL, made)


def test_the_last_delivery_of_what_is_in_use(store: StateStore) -> None:
    """Of each address the last delivery of its active generation counts, not a later one of another."""
    commit(
        store,
        generation(1, GenerationState.RETIRING),
        generation(2, GenerationState.ACTIVE),
        generation(3, GenerationState.PENDING),
        SaveDelivery(PAYROLL, 1, "app-env", NOON + 9 * HOUR),
        SaveDelivery(PAYROLL, 2, "app-env", NOON + 1 * HOUR),
        SaveDelivery(PAYROLL, 2, "vault", NOON + 2 * HOUR),
        SaveDelivery(PAYROLL, 3, "app-env", NOON + 8 * HOUR),
    )
    assert {PAYROLL: NOON + 2 * HOUR} == store.last_deliveries()


def test_the_last_operation_that_was_done(store: StateStore) -> None:
    """Of each address the last operation that is done counts, not one that is open or failed."""
    phases = (Phase.DONE, Phase.DONE, Phase.FAILED, Phase.SENT)
    commit(
        store,
        *(
            SaveOperation(replace(OPERATION, id=f"op {hour}", phase=phase, updated_at=NOON + hour * HOUR))
            for hour, phase in enumerate(phases)
        ),
        SaveOperation(replace(OPERATION, id="another", address=WAGES, phase=Phase.DROPPED)),
    )
    assert {OPERATION.address: NOON + HOUR} == store.last_done()


@pytest.mark.parametrize(("count", "expected"), [(2, [3, 4]), (4, [1, 2, 3, 4]), (99, [1, 2, 3, 4])])
def test_the_newest_of_the_history(store: StateStore, count: int, expected: list[int]) -> None:
    """So many of the newest rows, oldest first; all of them where there are fewer."""
    commit(store, *(happened(f"event {number}") for number in range(1, 5)))
    assert [f"event {number}" for number in expected] == [row.event for row in store.recent_history(count)]


def test_nothing_of_an_empty_store(store: StateStore) -> None:
    """Where nothing happened there is nothing to tell."""
    assert ({}, {}, ()) == (store.last_deliveries(), store.last_done(), store.recent_history(5))
