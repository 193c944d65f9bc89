"""Leases and fencing: one run writes, a dead one is not waited for, an overtaken one writes nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine
from store_harness import NOON, PAYROLL, RECORD, Clock, behind, commit, ended, happened, opened, process, save

from provisioner.core.journal import SaveRecord
from provisioner.core.model import Address
from provisioner.errors import Fenced, LeaseHeld
from provisioner.state import process as processes

HOLDS = """
with opened(sys.argv[1], lease=3600) as store:
    store.acquire(["test"], holder="bob@ci-8 pid 8")
    commit(store, save("bobs"))
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_who_comes_second_is_told_who_came_first(store_url: str) -> None:
    """A held lease is refused with the holder, since when, from which host, and until when."""
    with opened(store_url) as first, opened(store_url) as second:
        first.acquire(["test"], holder="ada@ci-7 pid 7")
        (held,) = second.leases()
        with pytest.raises(LeaseHeld) as refusal:
            second.acquire(["test"], holder="bob@ci-8 pid 8")
    since, until = (f"{moment:%Y-%m-%d %H:%M:%S} UTC" for moment in (held.acquired_at, held.expires_at))
    assert (
        f"ada@ci-7 pid 7 works on test from host {held.host} since {since}"
        f" (its lease ends {until} unless it goes on)" == refusal.value.message
    )
    assert refusal.value.exit_code == 4


def test_all_leases_or_none(store_url: str) -> None:
    """Where one of several environments is taken, none is kept from others."""
    with opened(store_url) as first, opened(store_url) as second, opened(store_url) as third:
        first.acquire(["production"], holder="ada")
        with pytest.raises(LeaseHeld, match="production"):
            second.acquire(["test", "production", "a"], holder="bob")
        third.acquire(["test", "a"], holder="eve")
        assert [("a", "eve"), ("production", "ada"), ("test", "eve")] == [
            (lease.environment, lease.holder) for lease in third.leases()
        ]


def test_runners_on_different_environments_write_at_once(store_url: str) -> None:
    """Leases of different environments do not meet, and the audit log stays one chain."""
    with opened(store_url) as first, opened(store_url) as second:
        first.acquire(["test"], holder="ada")
        second.acquire(["production"], holder="bob")

        async def both() -> None:
            for number in range(20):
                await asyncio.gather(
                    first.commit([save("a", "test"), happened("first", number=number)]),
                    second.commit([save("a", "production"), happened("second", number=number)]),
                )

        asyncio.run(both())
        assert {"ada": 20, "bob": 20} == Counter(row.actor for row in first.audit_log())
        assert first.audit_verify() == []


def test_a_released_lease_is_free(store_url: str) -> None:
    """A run that is done blocks nobody, and the next one's epoch is higher."""
    epochs = []
    for holder in ("ada", "bob", "eve"):
        with opened(store_url) as store:
            store.acquire(["test"], holder=holder)
            epochs.append(store.leases()[0].epoch)
            store.release()
            assert store.leases() == ()
            with pytest.raises(Fenced, match="does not hold"):
                commit(store, save("late"))
    assert epochs == [1, 2, 3]


def test_acquiring_twice_changes_nothing(store_url: str) -> None:
    """A lease that is ours already is neither refused nor counted up."""
    with opened(store_url) as store:
        store.acquire(["test"], holder="ada")
        store.acquire(["test", "production"], holder="ada")
        assert [1, 1] == [lease.epoch for lease in store.leases()]
        commit(store, save("a"))


def test_one_of_many_processes_gets_the_lease(store_url: str) -> None:
    """Of processes that ask at the same moment, exactly one gets the lease."""
    with opened(store_url):
        pass
    racers = [
        process(
            """
            from provisioner.errors import LeaseHeld
            with opened(sys.argv[1]) as store:
                print("ready", flush=True)
                sys.stdin.readline()
                try:
                    store.acquire(["test", "production"], holder="racer")
                    print("got it", flush=True)
                except LeaseHeld:
                    print("held", flush=True)
                sys.stdin.readline()
            """,
            store_url,
        )
        for _ in range(3)
    ]
    told = []
    for line in range(2):
        for racer in racers:
            assert racer.stdout is not None
            told.append(racer.stdout.readline().strip())
        if line == 0:
            _go_on(racers)
    _go_on(racers)
    for racer in racers:
        ended(racer, lambda _: None)
    assert ["ready"] * 3 + ["got it", "held", "held"] == sorted(told, key=["ready", "got it", "held"].index)


def test_a_killed_run_blocks_nobody_here(store_url: str) -> None:
    """A lease whose process is provably dead is free at once, however long it was."""
    other = process(HOLDS, store_url)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with opened(store_url) as store:
        with pytest.raises(LeaseHeld, match="bob@ci-8"):
            store.acquire(["test"], holder="ada")
        other.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # a zombie, as under a parent that is slow
        store.acquire(["test"], holder="ada")
        commit(store, save("adas"))
        assert {"adas", "bobs"} == {address.name for address in store.all_records()}
    ended(other, lambda _: None)


def test_a_pid_that_is_used_again_is_another_process(store_url: str) -> None:
    """A running process that only has the holder's pid does not keep the lease alive."""
    with opened(store_url) as first, opened(store_url) as second:
        first.acquire(["test"], holder="ada")
        (birth,) = behind(store_url, "SELECT birth FROM provision_leases")[0]
        earlier = " ".join([*birth.split()[:-1], "1"])
        behind(store_url, "UPDATE provision_leases SET birth = :earlier", earlier=earlier)
        second.acquire(["test"], holder="bob")
        assert ["bob"] == [lease.holder for lease in second.leases()]


@pytest.mark.parametrize("change", ["host = 'elsewhere'", "birth = 'other-boot pid:[1] 1'", "birth = ''"])
def test_what_cannot_be_known_is_not_dead(store_url: str, change: str) -> None:
    """A process of another machine, boot or container is believed to live until its lease ends."""
    with opened(store_url) as first, opened(store_url) as second:
        first.acquire(["test"], holder="ada")
        behind(store_url, f"UPDATE provision_leases SET pid = 999999999, {change}")
        with pytest.raises(LeaseHeld):
            second.acquire(["test"], holder="bob")


def test_an_overtaken_run_writes_nothing_ever(store_url: str) -> None:
    """Once its lease ran out and was taken, a run that wakes up is fenced, now and later."""
    with opened(store_url) as slow, opened(store_url) as quick:
        slow.acquire(["test"], holder="ada")
        commit(slow, SaveRecord(RECORD))
        _run_out(store_url)
        quick.acquire(["test"], holder="bob")
        for _ in range(2):
            with pytest.raises(Fenced, match="test by bob"):
                commit(slow, SaveRecord(replace(RECORD, provider="paynet")), happened("late"))
        quick.release()
        with pytest.raises(Fenced, match="test by bob"):
            commit(slow, happened("still late"))
        with pytest.raises(Fenced):
            slow.acquire(["test"], holder="ada")
        assert quick.records(["test"])[PAYROLL].provider == "payspace"
        assert quick.audit_log() == ()


def test_losing_one_lease_of_several_stops_the_run(store_url: str) -> None:
    """A run that lost one environment writes nothing to its others either."""
    with opened(store_url) as slow, opened(store_url) as quick:
        slow.acquire(["production", "test"], holder="ada")
        behind(store_url, "UPDATE provision_leases SET expires_at = '2000' WHERE environment = 'test'")
        quick.acquire(["test"], holder="bob")
        with pytest.raises(Fenced):
            commit(slow, save("a", "production"))
        assert quick.all_records() == {}


def test_a_lease_whose_row_is_gone_is_lost(store_url: str) -> None:
    """A store that was replaced under a run is not written by it."""
    with opened(store_url) as store:
        store.acquire(["test"], holder="ada")
        behind(store_url, "DELETE FROM provision_leases")
        with pytest.raises(Fenced, match="its row is gone"):
            commit(store, save("a"))


def test_a_lease_that_ran_out_untaken_is_prolonged_first(store_url: str) -> None:
    """A run that slept, but was not overtaken, has a whole lease again before it writes."""
    with opened(store_url) as slow, opened(store_url) as other:
        slow.acquire(["test"], holder="ada")
        (before,) = slow.leases()
        _run_out(store_url)
        commit(slow, save("a"))
        assert before.expires_at <= slow.leases()[0].expires_at
        assert slow.leases()[0].epoch == 1
        with pytest.raises(LeaseHeld):
            other.acquire(["test"], holder="bob")


def test_a_heartbeat_keeps_the_lease(store_url: str) -> None:
    """A run that writes nothing has its lease prolonged before it runs out."""
    with opened(store_url, lease=3, clock=_really_now) as quiet, opened(store_url) as other:
        quiet.acquire(["test"], holder="ada")
        (first,) = other.leases()
        while other.leases() == (first,):
            sleep(0.01)
        assert _really_now() < first.expires_at
        assert other.leases()[0].epoch == 1


def test_a_run_that_is_being_overtaken_writes_nothing(store_url: str) -> None:
    """A commit that meets another run's taking of the lease waits for it, and is fenced."""
    with opened(store_url) as slow:
        slow.acquire(["test"], holder="ada")

        async def meet() -> None:
            with _being_overtaken(store_url) as finish:
                late = asyncio.create_task(slow.commit([save("late")]))
                await asyncio.wait([late], timeout=0.3)
                finish()
            with pytest.raises(Fenced):
                await late

        asyncio.run(meet())
        assert slow.all_records() == {}


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_breaks_nothing(tmp_path: Path, hours: int) -> None:
    """A run goes on through a clock that jumps an hour either way, and is fenced only if overtaken."""
    url, clock = f"sqlite:///{tmp_path}/state.db", Clock()
    with opened(url, clock=clock) as store, opened(url, clock=clock) as other:
        store.acquire(["test"], holder="ada")
        commit(store, save("before"), happened("before"))
        clock.move(hours=hours)
        commit(store, save("after"), happened("after"))
        with pytest.raises(LeaseHeld):
            other.acquire(["test"], holder="bob")
        assert {"before", "after"} == {address.name for address in store.all_records()}
        assert store.audit_verify() == []


def test_the_server_s_clock_counts(empty_postgres_url: str) -> None:
    """On PostgreSQL, a runner whose own clock is a year ahead takes no lease that still runs."""
    ahead = Clock(NOON + timedelta(days=365))
    with opened(empty_postgres_url) as store, opened(empty_postgres_url, clock=ahead) as other:
        store.acquire(["test"], holder="ada")
        with pytest.raises(LeaseHeld):
            other.acquire(["test"], holder="bob")


def test_a_paused_run_wakes_up_fenced(store_url: str) -> None:
    """A process stopped for longer than its lease and then continued writes nothing."""
    paused = process(
        """
        from provisioner.errors import Fenced
        with opened(sys.argv[1], lease=3600) as store:
            store.acquire(["test"], holder="the paused one")
            print("held", flush=True)
            sys.stdin.readline()
            try:
                commit(store, save("late"))
            except Fenced:
                print("fenced", flush=True)
        """,
        store_url,
    )
    assert paused.stdout is not None
    assert paused.stdout.readline() == "held\n"
    paused.send_signal(signal.SIGSTOP)
    _run_out(store_url)
    with opened(store_url) as store:
        store.acquire(["test"], holder="ada")
        paused.send_signal(signal.SIGCONT)
        _go_on([paused])
        assert paused.stdout.readline() == "fenced\n"
        commit(store, save("in time"))
        assert [Address("test", "in time")] == list(store.all_records())
    ended(paused, lambda _: None)


def test_this_process_lives() -> None:
    """A process never takes itself for dead, nor a pid that nobody has for alive."""
    here = processes.here()
    assert not processes.is_dead(here)
    assert processes.is_dead(replace(here, pid=999_999_999))


@contextmanager
def _being_overtaken(url: str) -> Iterator[Callable[[], None]]:
    """A transaction of another run that took the lease and is not committed until the function is called."""
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql("UPDATE provision_leases SET epoch = epoch + 1, holder = 'bob'")
        yield connection.commit
    engine.dispose()


def _really_now() -> datetime:
    return datetime.now(UTC)


def _run_out(url: str) -> None:
    behind(url, "UPDATE provision_leases SET expires_at = '2000-01-01T00:00:00.000000+00:00'")


def _go_on(others: list[subprocess.Popen[str]]) -> None:
    for other in others:
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()
