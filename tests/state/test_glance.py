"""A glance tells what the store itself tells, or there is none."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from store_harness import GENERATION, NOON, OPERATION, RECORD

from provisioner.core.journal import Phase, SaveGeneration, SaveOperation, SaveRecord, Write
from provisioner.core.model import Address, GenerationState
from provisioner.state import open_store
from provisioner.state.glance import VERSION, glance
from provisioner.state.migrations import STEPS
from provisioner.state.store import StateStore
from provisioner.state.values import AuditHead

URL = "sqlite:///.provision/state.db"
BOTH = ("test", "production")
ADDRESSES = (Address("test", "a"), Address("test", "b"), Address("production", "a"))


def _store(root: Path, project: str = "payments") -> StateStore:
    return open_store(URL, project=project, root=root, clock=lambda: NOON)


def _filled(root: Path, *more: Write, project: str = "payments") -> None:
    writes: list[Write] = [*more]
    for number, address in enumerate(
        [Address("test", "a"), Address("test", "b"), Address("production", "a")]
    ):
        writes.append(SaveRecord(replace(RECORD, address=address, secret_known=bool(number))))
        for generation in range(1, number + 2):
            state = GenerationState.ACTIVE if generation > number else GenerationState.RETIRED
            issued = replace(
                GENERATION, number=generation, state=state, tag=f"{project}/{number}/{generation}"
            )
            writes.append(SaveGeneration(address, issued, "age"))
    with _store(root, project) as store:
        store.acquire(BOTH, holder="a test")
        asyncio.run(store.commit(writes))


def test_it_tells_what_the_store_tells(tmp_path: Path) -> None:
    """Every answer is the store's own, for one environment and for both, beside another project."""
    closed = replace(OPERATION, phase=Phase.DONE)
    _filled(tmp_path, SaveOperation(closed))
    _filled(tmp_path, project="other")
    found = glance(URL, project="payments", root=tmp_path)
    assert found is not None
    with found, _store(tmp_path) as store:
        for places in (BOTH, ("test",), ("production", "elsewhere"), ()):
            assert store.records(places) == found.held(places).values()
            assert store.held(places).records == found.held(places).records
            assert store.operations(places) == found.operations(places)
        tags = ["payments/0/1", "other/0/1", str(closed.tag)]
        assert {tags[0], tags[2]} == store.known_tags(tags) == found.known_tags(tags)
        assert store.environments_with_records() == found.environments_with_records()
        assert {"other": 3} == store.other_projects() == found.other_projects()
        assert store.where == found.where
        head = store.audit_head()
        for one in (
            head,
            replace(head, digest="0" * 64),
            AuditHead(99, head.digest),
            AuditHead(0, head.digest),
        ):
            assert store.audit_holds(one) is found.audit_holds(one)


def test_before_the_first_apply_there_is_nothing(tmp_path: Path) -> None:
    """A store that is not there tells what an empty one does, and is not made."""
    found = glance(URL, project="payments", root=tmp_path)
    assert found is not None
    with found, open_store(URL, project="payments", root=tmp_path, clock=lambda: NOON, create=False) as store:
        assert {} == store.records(BOTH) == found.held(BOTH).values()
        assert set() == store.known_tags(["tag"]) == found.known_tags(["tag"])
        assert {} == store.other_projects() == found.other_projects()
        assert () == store.environments_with_records() == found.environments_with_records()
        for head in (store.audit_head(), AuditHead(0, "0" * 64), AuditHead(1, "0" * 64)):
            assert store.audit_holds(head) is found.audit_holds(head)
        assert store.where == found.where
    assert [] == list(tmp_path.iterdir())


def test_values_are_made_without_some(tmp_path: Path) -> None:
    """What is left out is not there, and the rest is as it was."""
    _filled(tmp_path)
    found = glance(URL, project="payments", root=tmp_path)
    assert found is not None
    with found:
        held = found.held(BOTH)
        without = held.values(without={("test", "a")})
        assert {a: r for a, r in held.values().items() if a != Address("test", "a")} == without


def test_its_statements_are_about_todays_tables() -> None:
    """Whoever adds a step to the tables looks at the statements as well."""
    assert len(STEPS) == VERSION


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://a/b",
        "sqlite:///a.db?mode=ro",
        "sqlite:///folder",
        "sqlite:///nowhere",
        "sqlite:///file/state.db",
        "sqlite:///loop/state.db",
    ],
)
def test_other_stores_are_opened(tmp_path: Path, url: str) -> None:
    """Another kind of store, what is no file, or what cannot be looked for, takes the store itself."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to("missing")
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    assert glance(url, project="payments", root=tmp_path) is None


def test_an_open_operation_takes_the_store(tmp_path: Path) -> None:
    """What is under way is read by the store alone."""
    _filled(tmp_path, SaveOperation(OPERATION))
    assert glance(URL, project="payments", root=tmp_path) is None


def test_another_version_takes_the_store(tmp_path: Path) -> None:
    """Tables of another version are for the store to bring up to date, or to refuse."""
    _filled(tmp_path)
    with sqlite3.connect(tmp_path / ".provision" / "state.db") as connection:
        connection.execute("UPDATE provision_meta SET value = '99'")
    connection.close()
    assert glance(URL, project="payments", root=tmp_path) is None


@pytest.mark.parametrize("damage", [b"", b"no database at all, but long enough to be taken for one" * 99])
def test_a_damaged_file_takes_the_store(tmp_path: Path, damage: bytes) -> None:
    """What is wrong with a file the store itself says."""
    (tmp_path / ".provision").mkdir()
    (tmp_path / ".provision" / "state.db").write_bytes(damage)
    assert glance(URL, project="payments", root=tmp_path) is None


def test_it_sees_one_moment(tmp_path: Path) -> None:
    """What is written after the first look does not show."""
    _filled(tmp_path)
    found = glance(URL, project="payments", root=tmp_path)
    assert found is not None
    with found:
        with _store(tmp_path) as store:
            store.acquire(BOTH, holder="a test")
            later = replace(GENERATION, number=9, created_at=NOON + timedelta(days=1), tag="late")
            asyncio.run(store.commit([SaveGeneration(Address("test", "a"), later, "age")]))
        assert set() == found.known_tags(["late"])
