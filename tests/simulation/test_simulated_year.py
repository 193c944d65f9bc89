"""A year of 50 credentials at five vendors, on the twins' clock: an apply every six hours, consumers hourly.

Vendors fail and runs are killed at random (by a fixed seed). A run is killed here by an exception that
nothing catches, at a failpoint: what is durable then is what a SIGKILL leaves, as tests/crash proves.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from crash_runs import VENDORS, Vendor
from engine_world import World, deliver, make_world
from msgspec.structs import replace
from operated import OperatorPerson

from provisioner.core.model import Address, Desired, Record
from provisioner.core.renewal import Policy, due, duration
from provisioner.engine import failpoints
from provisioner.state.store import StateStore

SEED = 20261121
DAYS = 365
APPLY_EVERY = 6
"""Hours."""
OVERLAPPING = {"every": "60d", "before": "7d", "overlap": "24h", "jitter": "3d"}
IN_PLACE = {"every": "60d", "before": "7d", "jitter": "3d", "allow_downtime": True}
WINDOW = {"window": "Sat 00:00-07:00 Africa/Johannesburg"}

KILLS = 0.01
"""The chance that a run is killed, at each failpoint that it passes."""
FAULTS = 0.06
"""The chance that a vendor is about to fail, at each run."""
KINDS = ("error-before", "error-after", "cut", "truncated", "empty", "busy")
"""What goes wrong at a vendor; each is one of the sandbox's fault kinds."""


class Killed(BaseException):
    """The run ends here and now."""


@dataclass
class Year:
    """The simulation, and what its consumers saw."""

    world: World
    chance: random.Random
    hour: int = 0
    dead_for: dict[Address, int] = field(default_factory=dict)
    """Hours since which a consumer holds a dead secret."""
    wrong: list[str] = field(default_factory=list)
    last_whole_run: int = 0
    """The hour of the last run in which nothing went wrong."""
    kills: int = 0
    faults: int = 0
    moved: bool = True
    """Whether anything may have changed since everything was looked at: only applies change anything."""
    records: Mapping[Address, Record] = field(default_factory=dict)
    open: ExitStack = field(default_factory=ExitStack)
    store: StateStore | None = None

    def run(self) -> None:
        """All hours of the year."""
        for self.hour in range(DAYS * 24):
            if self.hour % APPLY_EVERY == 0:
                self.apply()
            self.consumers()
            self.world.sandbox.advance(3600)
        self.open.close()

    def apply(self) -> None:
        """One run, which may meet a fault or be killed; then nothing may be older than its policy says."""
        self.approve()
        troubles = self.kills + self.faults
        self.world.sandbox.clear_faults()
        if self.chance.random() < FAULTS:
            self.break_a_vendor()
        with self.maybe_killed():
            if self.store is None:
                self.store = self.open.enter_context(self.world.store())
            self.moved = bool(self.world.apply_in(self.store).outcomes) or self.moved
        if troubles == self.kills + self.faults:
            self.last_whole_run = self.hour
        self.ages()

    def approve(self) -> None:
        """PayNet's people work through what waits (PN2)."""
        for entry in self.world.sandbox.ledger("paynet", "production"):
            if entry.status == "pending" and entry.ended_at is None and self.chance.random() < 0.5:
                self.world.sandbox.approve("paynet", entry.id)

    def break_a_vendor(self) -> None:
        """The next change at one vendor goes wrong in one way."""
        self.faults += 1
        kind = self.chance.choice(KINDS)
        self.world.sandbox.fault(self.chance.choice(list(VENDORS)), "test", kind, operation="POST")

    @contextmanager
    def maybe_killed(self) -> Iterator[None]:
        """Now and then the run ends at a random failpoint."""

        def hit(name: str) -> None:
            if self.chance.random() < KILLS:
                raise Killed

        failpoints.hit = hit
        try:
            yield
        except Killed:
            self.kills += 1
            self.moved = True
            self.open.close()  # the next run is another process
            self.store = None
        finally:
            failpoints.hit = failpoints._unarmed

    def consumers(self) -> None:
        """Every consumer tries what lies in its sink; nobody needs to try again where nothing happened."""
        if not self.moved:
            return
        self.moved = False
        for address, declared in self.world.declared.items():
            if not self.world.delivered(str(address)):
                continue  # it has nothing to use yet
            if self.usable(address, declared):
                self.dead_for.pop(address, None)
            else:
                self.note_dead(address, VENDORS[declared.provider])

    def usable(self, address: Address, declared: Desired) -> bool:
        """Whether the vendor takes what lies in the sink."""
        if declared.provider != "paytia":
            return self.world.works(str(address), declared.provider, declared.fields)
        # Its access token lives for an hour (PY5); what a consumer keeps using is the key.
        name = f"{address.name}_api_key".upper().replace("-", "_")
        return asyncio.run(self._calls_paytia(self.world.delivered(str(address))[name]))

    async def _calls_paytia(self, key: str) -> bool:
        transport = httpx.ASGITransport(self.world.sandbox.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://sandbox.test/paytia/test"
        ) as client:
            answer = await client.get("api/v1/transactions", headers={"x-api-key": key})
            return answer.status_code == 200

    def note_dead(self, address: Address, vendor: Vendor) -> None:
        """A dead secret at an overlap vendor is wrong at once; in place it has until the next whole run."""
        since = self.dead_for.setdefault(address, self.hour)
        if vendor.overlaps:
            self.wrong.append(f"hour {self.hour}: {address} holds a dead secret")
        elif self.last_whole_run > since:
            self.wrong.append(f"hour {self.hour}: {address} is out since hour {since}")

    def ages(self) -> None:
        """No active secret is older than its policy's `every`."""
        now = self.world.sandbox.now()
        if self.moved:
            self.records = self.store.all_records() if self.store else self.world.records()
        for address, record in self.records.items():
            if record.active and now - record.active.created_at > duration(record.local["rotate"]["every"]):
                self.wrong.append(
                    f"hour {self.hour}: {address} is older than {record.local['rotate']['every']}"
                )


PLACES = {
    "payspace": {"test": 11},
    "paynet": {"test": 7, "production": 3},
    "paytia": {"test": 10},
    "timeclock": {"test": 4, "production": 4},  # one for each active user (TC1)
    "fpay": {"test": 11},
}
"""How many credentials of each vendor stand where: 50 in all."""


def declare(world: World) -> None:
    """All of them; every other one renews only in a window."""
    for provider, places in PLACES.items():
        for environment, count in places.items():
            for number in range(count):
                declare_one(world, provider, environment, number)


def declare_one(world: World, provider: str, environment: str, number: int) -> None:
    """One credential, with its vendor's kind of policy."""
    vendor, name = VENDORS[provider], f"{provider}-{number}"
    rotate: dict[str, Any] = OVERLAPPING if vendor.overlaps else IN_PLACE
    world.declare(
        f"{environment}/{name}",
        provider=provider,
        fields={"user": 17 + number} if provider == "timeclock" else vendor.first,
        deliver=deliver(name, *vendor.parts),
        rotate={**rotate, **(WINDOW if number % 2 else {})},
    )


def renewals(world: World, address: Address) -> int:
    """How often a credential must be renewed in the year, when each renewal happens at its moment."""
    declared, record = world.declared[address], world.records()[address]
    policy, first = Policy.of(declared.local["rotate"]), record.generations[0]
    end, count, created = first.created_at + timedelta(days=DAYS), 0, first.created_at
    while True:
        found = due(policy, address, replace(first, created_at=created), created)
        assert found is not None
        if found.at >= end:
            return count
        count, created = count + 1, found.at


def costs(root: Path, provider: str) -> tuple[int, int]:
    """The vendor's writes of one create, and of one renewal with its retirement, when nothing goes wrong."""
    world = operated(root)
    declare_one(world, provider, "test", 0)
    world.apply()
    create = world.sandbox.writes()
    world.sandbox.advance(58 * 86400)
    world.apply()
    world.sandbox.advance(2 * 86400)
    world.apply()
    return create, world.sandbox.writes() - create


def operated(root: Path) -> World:
    """A world with the operator at the vendors' consoles."""
    root.mkdir()
    world = make_world(root)
    person = OperatorPerson(world.sandbox)
    world.wrap = lambda context: replace(context, person=person)
    return world


def test_a_year(tmp_path: Path) -> None:
    """No consumer of an overlap vendor ever holds a dead secret, no other one longer than to the next run;
    nothing grows too old; and the vendors are asked for at most 10 % more than the least."""
    world = operated(tmp_path / "world")
    declare(world)
    year = Year(world, random.Random(SEED))
    year.run()
    assert [] == year.wrong
    assert year.kills > 20
    assert year.faults > 40
    least = 0
    for provider in VENDORS:
        create, renewal = costs(tmp_path / provider, provider)
        mine = [address for address, declared in world.declared.items() if declared.provider == provider]
        least += sum(create + renewal * renewals(world, address) for address in mine)
    asked = world.sandbox.writes()
    print(f"{asked} writes, at least {least}: {asked / least:.3f}; {year.kills} kills, {year.faults} faults")
    assert asked <= 1.10 * least
