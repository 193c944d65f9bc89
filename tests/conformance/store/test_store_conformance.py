"""What every store does, whichever engine it has: what was saved is read back, all or none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace
from store_harness import (
    GENERATION,
    NOON,
    OPERATION,
    PAYROLL,
    RECORD,
    Clock,
    commit,
    everything_set,
    happened,
    opened,
    save,
)

from provisioner.core.journal import (
    CLOSED,
    ForgetDeliveries,
    Phase,
    RemoveRecord,
    RenameRecord,
    SaveDelivery,
    SaveGeneration,
    SaveOperation,
    SaveRecord,
)
from provisioner.core.model import Address, GenerationState
from provisioner.errors import Fenced, StateError, StateUnavailable
from provisioner.state.store import StateStore

WAGES = Address("test", "wages")


@pytest.fixture
def store(store_url: str) -> Iterator[StateStore]:
    with opened(store_url) as opened_store:
        opened_store.acquire(["test", "production"], holder="ada@ci-7 pid 1")
        yield opened_store


def test_a_record_comes_back_as_it_was(store: StateStore) -> None:
    """Every field of a record and of a generation survives the store."""
    assert everything_set(RECORD, but=frozenset({"generations", "version"}))
    assert everything_set(GENERATION)
    commit(store, SaveRecord(RECORD), SaveGeneration(PAYROLL, GENERATION, "age text"))
    expected = replace(RECORD, generations=(GENERATION,), version=1)
    assert expected == store.record(PAYROLL)
    assert {PAYROLL: expected} == store.records(["test"])
    assert {PAYROLL: expected} == store.all_records()


def test_an_operation_comes_back_as_it_was(store: StateStore) -> None:
    """Every field of an operation survives the store, and saving it again replaces all of them."""
    assert everything_set(OPERATION)
    commit(store, SaveOperation(OPERATION))
    assert store.operation(OPERATION.id) == OPERATION
    later = replace(OPERATION, phase=Phase.UNKNOWN, tag=None, remote_id=None, desired={}, waiting="", note="")
    commit(store, SaveOperation(later))
    assert later == store.operation(OPERATION.id)


@pytest.mark.parametrize("phase", Phase)
def test_operations_are_the_open_ones(store: StateStore, phase: Phase) -> None:
    """An operation is listed exactly as long as something of it is to be done."""
    operation = replace(OPERATION, phase=phase)
    commit(store, SaveOperation(operation))
    assert ([] if phase in CLOSED else [operation]) == store.operations(["test"])
    assert store.operations(["production"]) == []


def test_operations_come_oldest_first(store: StateStore) -> None:
    """Recovery goes on in the order in which operations began."""
    second = replace(OPERATION, id="a", started_at=NOON + timedelta(microseconds=1))
    commit(store, SaveOperation(second), SaveOperation(OPERATION))
    assert store.operations(["test"]) == [OPERATION, second]


def test_records_are_of_the_environments_asked_for(store: StateStore) -> None:
    """A plan of one environment sees no record of another."""
    commit(store, save("a", "test"), save("b", "production"))
    assert [Address("production", "b")] == list(store.records(["production"]))
    assert {} == store.records([])
    assert store.environments_with_records() == ("production", "test")


def test_each_save_counts_the_version_up(store: StateStore) -> None:
    """The version counts the store's writes, whatever the value says."""
    for expected in (1, 2, 3):
        commit(store, SaveRecord(replace(RECORD, version=40)))
        assert expected == store.records(["test"])[PAYROLL].version


def test_generations_come_oldest_first(store: StateStore) -> None:
    """A record's generations are in the order of their numbers, however they were saved."""
    numbers = [2, 10, 1]
    saves = [SaveGeneration(PAYROLL, replace(GENERATION, number=number)) for number in numbers]
    commit(store, SaveRecord(RECORD), *saves)
    assert [1, 2, 10] == [g.number for g in store.records(["test"])[PAYROLL].generations]


def test_saving_without_a_sealed_text_leaves_it(store: StateStore) -> None:
    """A generation can be updated by who does not have its secret."""
    commit(store, SaveGeneration(PAYROLL, GENERATION, "age text"))
    commit(store, SaveGeneration(PAYROLL, replace(GENERATION, state=GenerationState.RETIRED)))
    assert store.sealed(PAYROLL, 1) == "age text"
    assert store.sealed(PAYROLL, 2) is None


def test_deliveries_are_acks_by_sink(store: StateStore) -> None:
    """Each sink's newest ack is known, and only for its own generation."""
    commit(store, SaveGeneration(PAYROLL, GENERATION), SaveDelivery(PAYROLL, 1, "app-env", NOON))
    commit(store, SaveDelivery(PAYROLL, 1, "app-env", NOON + timedelta(hours=1)))
    assert {"app-env": NOON + timedelta(hours=1)} == store.deliveries(PAYROLL, 1)
    assert {} == store.deliveries(PAYROLL, 2)


def test_forgotten_deliveries_are_due_again(store: StateStore) -> None:
    """What was delivered of one generation can be taken back, of every sink and of that generation only."""
    later = replace(GENERATION, number=2)
    commit(store, SaveGeneration(PAYROLL, GENERATION), SaveGeneration(PAYROLL, later))
    commit(store, *(SaveDelivery(PAYROLL, number, sink, NOON) for number in (1, 2) for sink in ("a", "b")))
    commit(store, ForgetDeliveries(PAYROLL, 1))
    assert {} == store.deliveries(PAYROLL, 1)
    assert {"a": NOON, "b": NOON} == store.deliveries(PAYROLL, 2)


def test_removing_a_record_forgets_all_of_it(store: StateStore) -> None:
    """A removed address has nothing left that its next credential could be taken for, or write over."""
    commit(store, SaveRecord(RECORD), SaveGeneration(PAYROLL, GENERATION, "age text"))
    commit(store, SaveDelivery(PAYROLL, 1, "app-env", NOON))
    commit(store, RemoveRecord(PAYROLL))
    assert {} == store.records(["test"])
    assert () == store.generations(PAYROLL)
    assert (None, {}) == (store.sealed(PAYROLL, 1), store.deliveries(PAYROLL, 1))


def test_a_rename_moves_everything(store: StateStore) -> None:
    """Record, generations, secrets and deliveries go by the new address, and the version counts up."""
    commit(store, SaveRecord(RECORD), SaveGeneration(PAYROLL, GENERATION, "age text"))
    commit(store, SaveDelivery(PAYROLL, 1, "app-env", NOON))
    commit(store, RenameRecord(PAYROLL, WAGES))
    expected = replace(RECORD, address=WAGES, generations=(GENERATION,), version=2)
    assert {WAGES: expected} == store.records(["test"])
    assert store.sealed(WAGES, 1) == "age text"
    assert {"app-env": NOON} == store.deliveries(WAGES, 1)
    assert store.generations(PAYROLL) == ()


@pytest.mark.parametrize("recorded", [False, True])
def test_a_rename_to_a_name_that_was_used_before(store: StateStore, recorded: bool) -> None:
    """Dead generations of a revoked or removed credential do not keep another from taking its name."""
    dead = replace(GENERATION, state=GenerationState.RETIRED, remote_id="of the dead one")
    commit(store, SaveGeneration(WAGES, dead, "dead text"))
    if recorded:
        commit(store, SaveRecord(replace(RECORD, address=WAGES)))
    commit(store, SaveRecord(RECORD), SaveGeneration(PAYROLL, GENERATION, "age text"))
    commit(store, RenameRecord(PAYROLL, WAGES))
    assert store.generations(WAGES) == (GENERATION,)
    assert [WAGES] == list(store.all_records())
    assert store.sealed(WAGES, 1) == "age text"


@pytest.mark.parametrize("live", [GenerationState.ACTIVE, GenerationState.RETIRING, GenerationState.PENDING])
def test_a_rename_never_buries_a_live_generation(store: StateStore, live: GenerationState) -> None:
    """A generation that a vendor may still accept is not given up for a rename."""
    commit(store, SaveGeneration(WAGES, replace(GENERATION, state=live), "live text"))
    commit(store, SaveRecord(RECORD), SaveGeneration(PAYROLL, GENERATION))
    with pytest.raises(StateError, match="refuses a write"):
        commit(store, RenameRecord(PAYROLL, WAGES))
    assert store.sealed(WAGES, 1) == "live text"
    assert [PAYROLL] == list(store.records(["test"]))


def test_a_rename_of_nothing_is_an_error(store: StateStore) -> None:
    """What has no record cannot be renamed."""
    with pytest.raises(StateError, match="test/payroll cannot become test/wages"):
        commit(store, RenameRecord(PAYROLL, WAGES))


def test_a_commit_is_all_or_none(store: StateStore) -> None:
    """One write that cannot be takes the others of its commit with it, and the audit row as well."""
    with pytest.raises(StateError, match="refuses a write"):
        commit(store, save("a"), happened("saved"), SaveDelivery(PAYROLL, 1, "app-env", NOON))
    assert {} == store.records(["test"])
    assert store.audit_log() == ()


def test_projects_do_not_meet(store: StateStore, store_url: str) -> None:
    """Projects that share a database see, lease and audit only their own."""
    commit(store, SaveRecord(RECORD), SaveOperation(OPERATION), happened("saved"))
    with opened(store_url, project="cards") as other:
        other.acquire(["test"], holder="bob@ci-8 pid 2")
        assert {} == other.all_records()
        assert other.operations(["test"]) == []
        assert other.audit_log() == ()
        commit(other, SaveRecord(replace(RECORD, provider="paynet")))
    assert store.records(["test"])[PAYROLL].provider == "payspace"


def test_what_was_saved_is_there_when_opened_again(store: StateStore, store_url: str) -> None:
    """A store opened later knows what an earlier one saved."""
    commit(store, SaveRecord(RECORD))
    store.close()
    with opened(store_url) as again:
        assert [PAYROLL] == list(again.all_records())


def test_a_write_needs_the_lease_of_its_environment(store_url: str) -> None:
    """Nobody changes an environment without its lease; an audit row alone changes none."""
    with opened(store_url) as store:
        store.acquire(["production"], holder="ada")
        with pytest.raises(Fenced, match="does not hold the lease of test"):
            commit(store, SaveRecord(RECORD))
        commit(store, happened("secret read"))
        assert ["secret read"] == [row.event for row in store.audit_log()]


def test_reading_needs_no_lease(store: StateStore, store_url: str) -> None:
    """While one run holds the lease, another can still plan, and writes nothing."""
    commit(store, SaveRecord(RECORD))
    with opened(store_url, read_only=True) as reader:
        assert [PAYROLL] == list(reader.all_records())
        with pytest.raises(StateUnavailable, match="reading only"):
            commit(reader, happened("planned"))


def test_an_absent_store_reads_as_empty(store_url: str) -> None:
    """A plan before the first apply finds nothing, and makes nothing."""
    for told in ({"create": False}, {"read_only": True}):
        with opened(store_url, clock=Clock(), **told) as store:
            assert {} == store.all_records()
            assert store.operations(["test"]) == []
            assert store.audit_verify() == []
            with pytest.raises(StateUnavailable, match="never made"):
                store.acquire(["test"], holder="ada")
    with opened(store_url, create=False) as still:
        assert {} == still.all_records()


def test_a_moment_without_a_zone_is_refused(store: StateStore) -> None:
    """A time that could mean any zone never gets into the store."""
    with pytest.raises(ValueError, match="no time zone"):
        commit(store, SaveDelivery(PAYROLL, 1, "app-env", NOON.replace(tzinfo=None)))
