"""Group commit: durable when it returns, shared by who waits, and nobody's mistake is another's."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event
from store_harness import NOON, PAYROLL, behind, commit, ended, opened, process, save

from provisioner.core.journal import Audit, SaveDelivery
from provisioner.core.model import Address
from provisioner.errors import StateError, StateUnavailable
from provisioner.state.store import StateStore


@pytest.fixture
def store(store_url: str) -> Iterator[StateStore]:
    with opened(store_url) as opened_store:
        opened_store.acquire(["test"], holder="ada@ci-7 pid 1")
        yield opened_store


def test_a_commit_survives_a_kill(store_url: str) -> None:
    """What commit returned from is there after a SIGKILL in the next moment."""
    killed = process(
        """
        with opened(sys.argv[1]) as store:
            store.acquire(["test"], holder="the one that is killed")
            commit(store, save("kept"), happened("saved"))
            print("committed", flush=True)
            sys.stdin.read()
        """,
        store_url,
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == "committed\n"
    ended(killed, lambda other: other.send_signal(signal.SIGKILL))
    with opened(store_url) as store:
        assert [Address("test", "kept")] == list(store.all_records())
        assert ["saved"] == [row.event for row in store.audit_log()]


def test_commits_that_wait_share_one_transaction(store: StateStore, store_url: str) -> None:
    """While one transaction waits, whatever comes meanwhile needs one more, however much it is."""

    async def many() -> None:
        with _locked(store_url) as unlock:
            commits = [asyncio.create_task(store.commit([save(f"n{n}")])) for n in range(100)]
            await asyncio.sleep(0)
            unlock()
        await asyncio.gather(*commits)

    with _counted_commits() as count:
        asyncio.run(many())
    assert 2 >= len(count)
    assert len(store.all_records()) == 100


def test_a_bad_write_fails_alone(store: StateStore, store_url: str) -> None:
    """In a shared transaction, the commit that the store refuses is the only one that fails."""
    bad = SaveDelivery(PAYROLL, 1, "app-env", NOON)  # of a generation that nobody saved

    async def several() -> list[BaseException | None]:
        with _locked(store_url) as unlock:
            wanted = [
                [save("a")],
                [save("b"), bad],
                [save("c")],
                [save("d"), Audit("odd", NOON, detail={"x": object()})],
            ]
            commits = [asyncio.create_task(store.commit(writes)) for writes in wanted]
            await asyncio.sleep(0)
            unlock()
        return await asyncio.gather(*commits, return_exceptions=True)

    outcomes = asyncio.run(several())
    assert [type(None), StateError, type(None), TypeError] == [type(outcome) for outcome in outcomes]
    assert ["a", "c"] == sorted(address.name for address in store.all_records())


def test_commits_keep_their_order(store: StateStore) -> None:
    """Each caller's commits take effect in the order in which it made them, whoever else commits."""

    async def caller(name: str) -> None:
        for number in range(25):
            await store.commit([Audit("step", NOON, Address("test", name), {"number": number})])

    async def all_callers() -> None:
        await asyncio.gather(*(caller(f"caller-{n}") for n in range(8)))

    asyncio.run(all_callers())
    for n in range(8):
        steps = store.history(Address("test", f"caller-{n}"))
        assert list(range(25)) == [row.detail["number"] for row in steps]


def test_a_cancelled_caller_takes_nothing_back(store: StateStore, store_url: str) -> None:
    """Who stops waiting for a commit does not undo it: Ctrl-C saves what is in flight."""

    async def impatient() -> None:
        with _locked(store_url) as unlock:
            waiting = asyncio.create_task(store.commit([save("kept")]))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            unlock()

    asyncio.run(impatient())
    commit(store, save("later"))
    assert {"kept", "later"} == {address.name for address in store.all_records()}


def test_a_full_disk_fails_in_words(tmp_path: Path) -> None:
    """Where the disk takes no more, every commit of the transaction fails; given space, the next works."""
    limited = process(
        """
        import resource
        from provisioner.errors import StateUnavailable

        async def several(size):
            writes = [happened("big", text="x" * size) for _ in range(3)]
            return await asyncio.gather(*(store.commit([w]) for w in writes), return_exceptions=True)

        with opened(sys.argv[1]) as store:
            store.acquire(["test"], holder="ada")
            forever = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, forever))
            print([type(outcome) is StateUnavailable for outcome in asyncio.run(several(1_000_000))])
            resource.setrlimit(resource.RLIMIT_FSIZE, (forever, forever))
            print(asyncio.run(several(10)), len(store.audit_log()), store.audit_verify())
        """,
        f"sqlite:///{tmp_path}/state.db",
    )
    told, _ = limited.communicate(timeout=60)
    assert told == "[True, True, True]\n[None, None, None] 3 []\n"


def test_a_server_that_comes_back_is_used_again(empty_postgres_url: str) -> None:
    """Connections that the server cut are replaced at the next commit and the next read."""
    with opened(empty_postgres_url) as store:
        store.acquire(["test"], holder="ada")
        commit(store, save("before"))
        _cut_connections(empty_postgres_url)
        commit(store, save("after"))
        _cut_connections(empty_postgres_url)
        assert {"before", "after"} == {address.name for address in store.all_records()}


def test_a_connection_cut_in_a_transaction(empty_postgres_url: str) -> None:
    """A commit whose connection is cut fails in words and leaves nothing; the next one works."""
    with opened(empty_postgres_url) as store:
        store.acquire(["test"], holder="ada")

        async def cut() -> None:
            with _locked(empty_postgres_url):
                waiting = asyncio.create_task(store.commit([save("cut")]))
                while not behind(
                    empty_postgres_url, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                ):
                    await asyncio.sleep(0.01)
                _cut_connections(empty_postgres_url, "wait_event_type = 'Lock'")
                with pytest.raises(StateUnavailable, match="cannot be written"):
                    await waiting

        asyncio.run(cut())
        commit(store, save("next"))
        assert [Address("test", "next")] == list(store.all_records())


def test_many_threads_may_commit(store: StateStore) -> None:
    """The store can be shared by threads, each with an event loop of its own."""
    threads = [threading.Thread(target=commit, args=(store, save(f"n{n}"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.all_records()) == 8


@contextmanager
def _locked(url: str) -> Iterator[Callable[[], None]]:
    """Keep every store's transaction waiting until the function is called, or the context is left."""
    engine = create_engine(url, connect_args={"autocommit": True} if url.startswith("postgresql") else {})
    connection = engine.connect()
    lock = "BEGIN IMMEDIATE"
    if engine.dialect.name == "postgresql":
        lock = "BEGIN; LOCK TABLE provision_leases IN ACCESS EXCLUSIVE MODE"
    connection.exec_driver_sql(lock)

    def unlock() -> None:
        if not connection.closed:
            connection.exec_driver_sql("ROLLBACK")
            connection.close()
            engine.dispose()

    try:
        yield unlock
    finally:
        unlock()


@contextmanager
def _counted_commits() -> Iterator[list[object]]:
    seen: list[object] = []

    def count(connection: object) -> None:
        seen.append(connection)

    event.listen(Engine, "commit", count)
    try:
        yield seen
    finally:
        event.remove(Engine, "commit", count)


def _cut_connections(url: str, where: str = "true") -> None:
    behind(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {where}",
    )
