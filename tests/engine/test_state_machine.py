"""Edits, applies, kills, vendors' faults, other people's hands, the clock and a second runner, in any order.

Whatever came before: once vendors are well, at most a few applies leave nothing to do, by the vendors' own
ledgers; and what is not ours is never touched.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from crash_runs import VENDORS, open_here
from engine_world import deliver, make_world
from hypothesis import HealthCheck, Phase, currently_in_test_context, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from postgres_server import quick_folder
from verdicts import Wanted, verdict

from provisioner.core.journal import Action
from provisioner.core.model import Address, Tag
from provisioner.core.plan import Plan
from provisioner.core.provider import Spec
from provisioner.core.situation import Order
from provisioner.engine import failpoints
from provisioner.errors import ProvisionError

NAMES = ("one", "two", "three")
PROVIDERS = ("payspace", "paynet", "fpay")
"""A secret shown once, one renewed in place, one that a person reads."""

POINTS = tuple(
    f"{when}-{phase}"
    for phase in ("intent", "sent", "captured", "verified", "delivery", "delivered", "cut_over", "done")
    for when in ("before", "after")
)
FAULTS = ("error-before", "error-after", "cut", "truncated", "empty", "swallowed", "busy")
MOST = 400 if os.environ.get("CRASH_FULL") == "1" else 12
"""Walks through all this; `make crash` takes more of them."""

SETTLES = 4
"""Applies after which nothing may be left to do."""


class Killed(BaseException):
    """The run ends here and now."""


def count(what: str) -> None:
    """For hypothesis's statistics, where a walk is one of its own."""
    if currently_in_test_context():
        event(what)


class Machine(RuleBasedStateMachine):
    """Everything that can happen to three addresses, in any order."""

    names = st.sampled_from(NAMES)
    providers = st.sampled_from(PROVIDERS)

    @initialize(chosen=st.tuples(*[providers] * len(NAMES)))
    def begin(self, chosen: tuple[str, ...]) -> None:
        """Some credentials are declared, and the vendors already have some of other people."""
        self.root = Path(tempfile.mkdtemp(prefix="provision-machine-", dir=quick_folder()))
        make_world(self.root).sandbox.close()
        self.world = open_here(self.root, "sqlite:///.provision/state.db")
        self.saved: Plan | None = None
        asyncio.run(self._foreign())
        self.foreign = self._not_ours()
        assert 2 <= len(self.foreign)
        for name, provider in zip(NAMES, chosen, strict=True):
            self.edit(name, provider, False)

    async def _foreign(self) -> None:
        with self.world.store() as store:
            context = self.world.context(store)
        for name in ("payspace", "paynet"):
            provider = context.providers[name, "test"]
            tag = Tag("elsewhere", "test", "theirs", 1, "0123456789abcdef")
            await provider.create(Spec(Address("test", "theirs"), VENDORS[name].first), tag)
        for provider in context.providers.values():
            await provider.close()

    @rule(name=names, provider=providers, edited=st.booleans())
    def edit(self, name: str, provider: str, edited: bool) -> None:
        """Declare, edit or move one credential."""
        vendor = VENDORS[provider]
        self.world.declare(
            f"test/{name}",
            provider=provider,
            fields=vendor.second if edited else vendor.first,
            deliver=deliver(name, *vendor.parts),
            rotate={"every": "60d", "before": "7d", "overlap": "24h", "allow_downtime": True},
        )

    @rule(name=names)
    def forget(self, name: str) -> None:
        """Delete the entry."""
        self.world.declared.pop(Address("test", name), None)

    @rule()
    def plan(self) -> None:
        """Make a plan, to be applied later, when it may be stale; planning asks no vendor for a change."""
        before = self.world.sandbox.writes()
        with suppress(ProvisionError):
            self.saved = self.world.plan()
        assert before == self.world.sandbox.writes()

    @precondition(lambda self: self.saved is not None)
    @rule()
    def apply_saved(self) -> None:
        """Apply what was planned earlier."""
        self._apply(self.saved)

    @rule()
    def apply(self) -> None:
        """Plan and apply."""
        self._apply()

    @rule(name=names, point=st.sampled_from(POINTS))
    def kill(self, name: str, point: str) -> None:
        """Renew, or whatever is to be done, killed at a point."""

        def hit(passed: str) -> None:
            if passed == point:
                count("killed")
                raise Killed

        failpoints.hit = hit
        try:
            with suppress(Killed):
                self.renew(name)
        finally:
            failpoints.hit = failpoints._unarmed

    @rule(name=names)
    def renew(self, name: str) -> None:
        """Ask for a renewal, out of turn."""
        self.world.orders = {Address("test", name): Order(Action.RENEW, "asked for")}
        try:
            self._apply()
        finally:
            self.world.orders = {}

    @rule(
        name=names,
        kind=st.sampled_from(FAULTS),
        method=st.sampled_from(["POST", "GET", "DELETE"]),
        times=st.sampled_from([1, 10]),
    )
    def fault(self, name: str, kind: str, method: str, times: int) -> None:
        """A vendor goes wrong when something is asked of it."""
        declared = self.world.declared.get(Address("test", name))
        if declared is None or (declared.provider, method) == ("fpay", "DELETE"):
            return  # FP8: there is no delete
        self.world.sandbox.fault(declared.provider, "test", kind, operation=method, times=times)
        self.renew(name)

    @rule(name=names)
    def revoked_elsewhere(self, name: str) -> None:
        """Somebody ends the active generation in the vendor's console."""
        record = self.world.records().get(Address("test", name))
        if record is None or record.active is None or record.provider == "fpay":
            return
        asyncio.run(self._revoke(record.provider, record.active.remote_id))

    async def _revoke(self, name: str, remote_id: str) -> None:
        self.world.sandbox.clear_faults()
        with self.world.store() as store:
            provider = self.world.context(store).providers[name, "test"]
        await provider.revoke(remote_id)
        await provider.close()

    @rule(hours=st.sampled_from([1, 24, 24 * 30, 24 * 54]))
    def time_passes(self, hours: int) -> None:
        """The clock goes on: overlaps end, and renewals are due."""
        self.world.sandbox.advance(hours * 3600)

    @rule(hours=st.sampled_from([-1, 0, 1]))
    def clock_steps(self, hours: int) -> None:
        """This machine's clock is set."""
        self.world.skew = timedelta(hours=hours)

    @rule()
    def second_runner(self) -> None:
        """Another run holds the lease: ours is refused before it does anything."""
        before = self.world.sandbox.writes()
        with self.world.store() as theirs:
            theirs.acquire(["test"], holder="somebody else")
            with suppress(ProvisionError):
                if self.world.plan().changes:
                    with pytest.raises(ProvisionError):
                        self.world.apply()
        assert before == self.world.sandbox.writes()

    @invariant()
    def what_is_not_ours_is_not_touched(self) -> None:
        """Other people's credentials stay what they were, to the letter."""
        if hasattr(self, "world"):
            assert self.foreign == self._not_ours()

    def teardown(self) -> None:
        """Vendors are well again: a few applies, and everything is as declared."""
        if not hasattr(self, "world"):
            return
        try:
            self._settle()
        finally:
            self.world.sandbox.close()
            shutil.rmtree(self.root)

    def _settle(self) -> None:
        self.world.sandbox.clear_faults()
        self.world.orders = {}
        self.world.skew = timedelta(0)
        self.world.sandbox.advance(5)  # by now each vendor shows what it has
        for _ in range(SETTLES):
            if not self.world.plan().changes:  # what waits for a person is done by whoever is there
                break
            self.world.apply()
        self.world.sandbox.advance(26 * 3600)  # overlaps are over, also one that began an hour ahead
        self.world.apply()
        self.what_is_not_ours_is_not_touched()
        wanted = {str(a): Wanted(one.provider, one.fields) for a, one in self.world.declared.items()}
        assert [] == [one for one in verdict(self.world, wanted) if "/elsewhere/" not in one]

    def _not_ours(self) -> list[str]:
        ledgers = {name: self.world.sandbox.ledger(name, "test") for name in PROVIDERS}
        return [repr(e) for ledger in ledgers.values() for e in ledger if "/payments/" not in e.label]

    def _apply(self, made: Plan | None = None) -> None:
        """What is reported is no loss."""
        try:
            with suppress(ProvisionError):
                count(f"apply ended with {self.world.apply(made).exit_code}")
        finally:
            self._nothing_is_silent()

    def _nothing_is_silent(self) -> None:
        """An address without a secret that works is one that the next plan does something about."""
        faults, orders = self.world.sandbox.faults(), self.world.orders
        self.world.sandbox.clear_faults()
        self.world.orders = {}
        planned = {change.address for change in self.world.plan().changes}
        silent = [str(one) for one in self.world.declared if one not in planned and not self._works(one)]
        assert [] == silent
        self.world.orders = orders
        for one in faults:
            self.world.sandbox.fault(one.vendor, "test", one.kind, operation=one.operation, times=one.times)

    def _works(self, address: Address) -> bool:
        """As it was applied; where that differs from what is declared by now, the next plan says so."""
        record = self.world.record(str(address))
        return self.world.works(str(address), record.provider, record.fields)


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=MOST,
    stateful_step_count=16,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # making a failing walk shorter takes minutes, and it is short already
    suppress_health_check=list(HealthCheck),
)


def test_a_person_who_was_not_believed() -> None:
    """A renewal whose reading could not be tried is done by the next apply, so that its overlap begins, and
    ends, while things settle: an apply that waited a day would begin it at the end, and leave two live."""
    walk = Machine()
    walk.begin(chosen=("fpay", "payspace", "paynet"))
    walk.forget("two")
    walk.forget("three")
    walk.apply()
    walk.fault("one", "swallowed", "GET", 10)
    (change,) = walk.world.plan().changes
    assert (Action.WAIT, "handoff") == (change.action, change.reasons[0].code)
    walk.teardown()
