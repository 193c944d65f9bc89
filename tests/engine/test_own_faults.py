"""Faults of our own side: whatever gives way, nothing is lost, and the run after it was mended converges."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from crash_runs import ADDRESS, final, open_here
from engine_world import make_world
from msgspec.structs import replace
from own_faults import at_each_step, begin, converge, full_disk, killed_at, meet
from postgres_server import Server, postgres_server
from sqlalchemy import create_engine, text

from provisioner.core.journal import Action, Audit
from provisioner.errors import LeaseHeld

STEPS = 8
"""The least number of commits of an apply of one change: its own row, and every durable step."""

CAPTURED = {"payspace": 4, "paynet": 4, "fpay": 5}
"""Which commit makes the new secret durable; FPay's answer is durable before a person reads it (FP9)."""


SQLITE = "sqlite:///.provision/state.db"


@pytest.mark.parametrize(
    ("scenario", "provider"),
    [("create", "payspace"), ("create", "fpay"), ("renew", "paynet")],
)
def test_a_disk_that_fills_up(tmp_path: Path, scenario: str, provider: str) -> None:
    """Full at any step: the apply says so, the consumer keeps a secret that works or has none, and with room
    again the next run ends it: what was captured is not made a second time."""
    for at, root in at_each_step(tmp_path):
        world = begin(root, scenario, provider, SQLITE)
        told = meet(world, at, full_disk)
        made = len(world.sandbox.ledger(provider, "test"))
        assert [] == converge(world, scenario, provider)
        assert at < CAPTURED[provider] or made == len(world.sandbox.ledger(provider, "test"))
        world.sandbox.close()
        if not told:
            break
        assert "cannot be written" in told
    assert at > STEPS


def test_a_disk_without_room_for_the_emergency_file(tmp_path: Path) -> None:
    """Where not even the emergency folder takes the new secret, the error names the credential; it is ended
    by the next run, which makes another."""
    world = begin(tmp_path, "create", "payspace", SQLITE)
    unharmed = world.wrap

    class Nowhere:
        def __init__(self, emergency: Any) -> None:
            self.emergency = emergency

        def __getattr__(self, name: str) -> Any:
            return getattr(self.emergency, name)

        def save(self, rescued: Any) -> None:
            with full_disk(0):
                self.emergency.save(rescued)

    world.wrap = lambda context: replace(unharmed(context), emergency=Nowhere(context.emergency))
    told = meet(world, CAPTURED["payspace"], full_disk)
    (made,) = world.live("payspace", "test")
    assert "neither the store nor" in told
    world.wrap = unharmed
    assert [] == converge(world, "create", "payspace")
    assert [made] != world.live("payspace", "test")


def test_a_server_that_stops_in_mid_apply(tmp_path: Path, server: Server) -> None:
    """PostgreSQL stopped at any step: the apply says so; once it is back, the next run ends what it began."""
    for at, root in at_each_step(tmp_path):
        world = begin(root, "renew", "payspace", database(server, f"stops_{at}"))
        told = meet(world, at, partial(stopped, server))
        assert [] == converge(world, "renew", "payspace")
        world.sandbox.close()
        if not told:
            break
        assert "cannot be written" in told
    assert at > STEPS


def test_a_server_that_restarts_in_mid_apply(tmp_path: Path, server: Server) -> None:
    """PostgreSQL that is back before the next step gets a new connection: the apply notices nothing."""
    world = begin(tmp_path, "create", "payspace", database(server, "restarts"))

    def restart() -> Any:
        if restarts:
            restarts.pop()
            server.stop()
            server.start()
        return nullcontext()

    restarts = ["once"]
    assert "" == meet(world, CAPTURED["payspace"], restart)
    assert [] == restarts
    assert [] == converge(world, "create", "payspace")


def test_a_server_that_becomes_read_only(tmp_path: Path, server: Server) -> None:
    """A PostgreSQL that takes no more writes at any step, as a replica: the same as one that is gone."""
    for at, root in at_each_step(tmp_path):
        name = f"read_only_{at}"
        world = begin(root, "create", "payspace", database(server, name))
        told = meet(world, at, partial(read_only, server, name))
        assert [] == converge(world, "create", "payspace")
        world.sandbox.close()
        if not told:
            break
        assert "read-only transaction" in told
    assert at > STEPS


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL of this module's own, to be stopped and started."""
    with postgres_server() as running:
        yield running


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """It is gone, until the apply that met this has ended."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextmanager
def read_only(server: Server, name: str) -> Iterator[None]:
    """Its sessions may only read, the new ones, which take the place of those that it ended."""
    cut = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
    _tell(server, f"ALTER DATABASE {name} SET default_transaction_read_only = on", cut)
    try:
        yield
    finally:
        _tell(server, f"ALTER DATABASE {name} RESET default_transaction_read_only", cut)


def database(server: Server, name: str) -> str:
    """The URL of a new database."""
    _tell(server, f"CREATE DATABASE {name}")
    return server.url.replace("/postgres?", f"/{name}?")


def _tell(server: Server, *statements: str) -> None:
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_a_sink_that_fails_and_heals(tmp_path: Path) -> None:
    """A sink that does not take its delivery leaves the old secret in use; once it does, the very secret that
    was made is delivered, and the vendor is not asked for another."""
    world = begin(tmp_path, "renew", "payspace", SQLITE)
    old = world.delivered(ADDRESS)
    folder = world.root / "secrets"
    folder.rename(world.root / "aside")
    folder.write_text("in the way")
    failed = world.apply()
    made = world.live("payspace", "test")
    assert (1, 2) == (failed.exit_code, len(made))
    folder.unlink()
    (world.root / "aside").rename(folder)
    assert old == world.delivered(ADDRESS)
    assert world.works(ADDRESS, *final("renew", "payspace"))
    assert [] == converge(world, "renew", "payspace")
    assert made == world.live("payspace", "test")
    assert old != world.delivered(ADDRESS)


def test_no_identity_at_recovery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was captured and is shown once can only be opened with an identity (PS2): without one recovery
    waits and leaves the old secret in use; with one it goes on with the secret that was captured."""
    world = begin(tmp_path, "renew", "payspace", SQLITE)
    old = world.delivered(ADDRESS)
    with killed_at("after-captured", monkeypatch):
        world.apply()
    made = world.live("payspace", "test")
    world.with_identity = False
    assert 5 == world.apply().exit_code
    with world.store() as store:
        assert ["identity"] == [operation.waiting for operation in store.operations(["test"])]
    assert old == world.delivered(ADDRESS)
    assert world.works(ADDRESS, *final("renew", "payspace"))
    world.with_identity = True
    assert [] == converge(world, "renew", "payspace")
    assert made == world.live("payspace", "test")


def test_no_identity_needed_at_recovery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the vendor shows again (PN4) is recovered on a runner that holds only public keys."""
    world = begin(tmp_path, "renew", "paynet", SQLITE)
    with killed_at("after-captured", monkeypatch):
        world.apply()
    world.with_identity = False
    assert [] == converge(world, "renew", "paynet")


HOUR = timedelta(hours=1)


@pytest.mark.parametrize("point", ["after-sent", "after-captured", "after-cut_over"])
def test_a_clock_that_jumps_back_in_a_renewal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """A run that finds the clock an hour earlier than what it goes on with ends it all the same, once, and
    the history stays whole."""
    world = begin(tmp_path, "renew", "payspace", SQLITE)
    with killed_at(point, monkeypatch):
        world.apply()
    world.skew = -HOUR
    assert [] == converge(world, "renew", "payspace")


def test_a_clock_that_jumps_back_renews_nothing_twice(tmp_path: Path) -> None:
    """After a renewal by age, a clock that is back an hour finds nothing due, and no overlap over."""
    make_world(tmp_path).sandbox.close()
    world = open_here(tmp_path, SQLITE)
    rotate = {"every": "60d", "before": "7d", "overlap": "24h"}
    world.declare(ADDRESS, fields={"scopes": ["read-only"]}, rotate=rotate)
    world.apply()
    world.sandbox.advance(53 * 86400)
    assert [Action.RENEW] == [outcome.change.action for outcome in world.apply().outcomes]
    world.skew = -HOUR
    assert () == world.plan().changes
    world.sandbox.advance(24 * 3600)
    assert () == world.plan().changes
    world.sandbox.advance(3600)
    assert [Action.RETIRE] == [outcome.change.action for outcome in world.apply().outcomes]
    with world.store() as store:
        assert [] == store.audit_verify()


def test_a_lease_and_a_clock_that_jumps_back(tmp_path: Path) -> None:
    """A run whose lease was taken before the clock jumped back goes on, and another one is still refused."""
    world = begin(tmp_path, "create", "payspace", SQLITE)
    with world.store() as ours, world.store() as theirs:
        ours.acquire(["test"], holder="ada")
        world.skew = -HOUR
        with pytest.raises(LeaseHeld, match="ada works on test"):
            theirs.acquire(["test"], holder="bob")
        asyncio.run(ours.commit([Audit("late", world.now())]))
