"""The audit chain: appended with what it tells of, and no tampering goes unseen."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_harness import NOON, PAYROLL, RECORD, behind, commit, happened, opened

from provisioner.core.journal import Audit, SaveRecord
from provisioner.core.model import Address
from provisioner.state import AuditHead
from provisioner.state.store import StateStore

ROWS = 6

TEXTS = ("at", "actor", "event", "address", "detail", "previous", "digest", "project")


@pytest.fixture
def store(store_url: str) -> Iterator[StateStore]:
    with opened(store_url, actor="ada@ci-7 pid 7") as opened_store:
        for number in range(1, ROWS + 1):
            commit(opened_store, Audit("planned", NOON, PAYROLL, {"number": number, "who": "ünï"}))
        yield opened_store


def test_a_row_comes_back_as_it_happened(store: StateStore) -> None:
    """Who did what, when, to which address, with its details, in order."""
    rows = store.audit_log()
    assert list(range(1, ROWS + 1)) == [row.seq for row in rows]
    expected = ("ada@ci-7 pid 7", "planned", NOON, PAYROLL, {"number": 6, "who": "ünï"})
    last = rows[-1]
    assert expected == (last.actor, last.event, last.at, last.address, last.detail)


def test_the_actor_is_the_holder_of_the_lease(store: StateStore) -> None:
    """Once a run has a lease, its events are told under the same name as the lease."""
    store.acquire(["test"], holder="bob")
    commit(store, happened("applied"))
    assert ["bob"] == [row.actor for row in store.audit_log() if row.event == "applied"]


def test_history_is_the_part_of_one_address(store: StateStore) -> None:
    """An address's history has its own rows only."""
    cards = Address("test", "cards")
    commit(store, Audit("created", NOON, cards), Audit("looked", NOON))
    assert ["created"] == [row.event for row in store.history(cards)]


def test_an_untouched_log_is_whole(store: StateStore) -> None:
    """Nothing is found where nothing was done, also with an older head."""
    head = store.audit_head()
    assert (ROWS, []) == (head.seq, store.audit_verify(head))
    commit(store, happened("later"))
    assert store.audit_verify(head) == []
    assert AuditHead.parse(str(head)) == head


def test_an_empty_log_is_whole(store_url: str) -> None:
    """Before anything happened there is a head too, and it still holds afterwards."""
    with opened(store_url) as store:
        head = store.audit_head()
        assert (0, []) == (head.seq, store.audit_verify(head))
        commit(store, happened("first"))
        assert store.audit_verify(head) == []


def test_events_of_one_commit_are_one_chain(store: StateStore) -> None:
    """Several events of one transaction, and of transactions that are shared, follow each other."""

    async def many() -> None:
        await asyncio.gather(*(store.commit([happened("a"), happened("b")]) for _ in range(20)))

    asyncio.run(many())
    assert store.audit_verify() == []
    assert ["a", "b"] * 20 == [row.event for row in store.audit_log()[ROWS:]]


def test_an_event_stays_with_what_it_tells_of(store: StateStore) -> None:
    """Where the audit row cannot be written, neither is what it tells of."""
    store.acquire(["test"], holder="ada")
    with pytest.raises(TypeError, match="is no JSON"):
        commit(store, SaveRecord(RECORD), happened("applied", value=object()))
    assert store.all_records() == {}


def test_a_removed_row_is_found(store: StateStore, store_url: str) -> None:
    """A gap is named by the row that is missing."""
    behind(store_url, "DELETE FROM provision_audit WHERE seq = 3")
    assert ["audit row 3: is missing; the next one is row 4"] == _found(store)


def test_an_edited_row_is_found(store: StateStore, store_url: str) -> None:
    """An edit shows at its own row, and only there."""
    behind(store_url, "UPDATE provision_audit SET actor = 'nobody' WHERE seq = 3")
    assert ["audit row 3: was edited: its digest is not that of its text"] == _found(store)


def test_bytes_for_a_text_are_found(tmp_path: Path) -> None:
    """SQLite keeps bytes in a column of texts; such that read like it in base64 are an edit."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with opened(url) as store:
        commit(store, happened("done"))
        behind(url, "UPDATE provision_audit SET event = :event", event=base64.b64decode("done"))
        assert ["audit row 1: was edited: its digest is not that of its text"] == _found(store)


def test_a_row_that_was_made_anew_is_found(store: StateStore, store_url: str) -> None:
    """Who edits a row and computes its digest again breaks the link of the next one."""
    with opened(store_url.replace("state.db", "other.db"), project="other") as other:
        commit(other, *(happened("forged") for _ in range(3)))
        forged = other.audit_log()[2]
    behind(
        store_url,
        "UPDATE provision_audit SET actor = :actor, event = 'forged', detail = '{}', previous = :previous,"
        " digest = :digest WHERE project = 'payments' AND seq = 3",
        actor=forged.actor,
        previous=forged.previous,
        digest=forged.digest,
    )
    words = "does not follow the row before it: one of the two was replaced"
    assert [f"audit row 3: {words}", f"audit row 4: {words}"] == _found(store)


def test_a_cut_tail_is_found_by_its_head(store: StateStore, store_url: str) -> None:
    """A tail that is gone shows against a head that was kept elsewhere."""
    head = store.audit_head()
    behind(store_url, "DELETE FROM provision_audit WHERE seq > 4")
    assert _found(store) == []
    assert ["audit row 5: is missing: the kept head says that there are 6 rows"] == _found(store, head)


def test_another_history_is_found_by_its_head(store: StateStore, store_url: str) -> None:
    """A history that was written anew from some row on is not the one that the head names."""
    head = store.audit_head()
    behind(store_url, "DELETE FROM provision_audit WHERE seq > 4")
    commit(store, happened("other"), happened("story"), happened("now"))
    assert _found(store) == []
    expected = "audit row 6: is not the row that the kept head names: the history was rewritten"
    assert [expected] == _found(store, head)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # each example puts back what it changed
@given(
    row=st.integers(1, ROWS),
    column=st.sampled_from(TEXTS),
    at=st.integers(0, 200),
    char=st.sampled_from(["", " ", "0", "x", "é", '"', "\\"]),
)
def test_no_change_of_a_row_goes_unseen(
    store: StateStore, store_url: str, row: int, column: str, at: int, char: str
) -> None:
    """Whatever character of whatever column is replaced or removed, verification finds something."""
    head = store.audit_head()
    where = "WHERE project = :project AND seq = :row"
    ((text,),) = behind(
        store_url, f"SELECT {column} FROM provision_audit {where}", project="payments", row=row
    )
    place = at % len(text)
    changed = text[:place] + char + text[place + 1 :]
    change = f"UPDATE provision_audit SET {column} = :value {where}"
    behind(store_url, change, value=changed, project="payments", row=row)
    found = store.audit_verify(head)
    now_of = changed if column == "project" else "payments"
    behind(store_url, change, value=text, project=now_of, row=row)
    assert bool(found) == (changed != text)


def _found(store: StateStore, head: AuditHead | None = None) -> list[str]:
    return [str(finding) for finding in store.audit_verify(head)]
