"""Nothing is lost: killed anywhere, the next run converges, by the vendor's own ledger.

`make crash` sweeps all there is; without CRASH_FULL=1 a part of it that a minute or two suffices for.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from crash_runs import SCENARIOS, VENDORS
from crash_stores import Stores
from forking import Zygote
from mutations import MUTATIONS
from sweep import RENEWALS, STATES, UNLIKE, Sweep, prepare

FULL = os.environ.get("CRASH_FULL") == "1"
ENGINES = ("sqlite", "postgresql")
EVERYTHING = [
    (scenario, provider, engine) for scenario in SCENARIOS for provider in VENDORS for engine in ENGINES
]
SAMPLE = [("create", "paynet"), ("renew", "payspace")]
"""A secret that can be read again, and one that is shown once."""

ALIKE = frozenset({"renew-at-once", "compromised"})
"""Scenarios that are renewals in all but one step: two vendors stand for all."""

ONCE = [
    (scenario, provider, engine)
    for scenario, provider, engine in EVERYTHING
    if FULL
    or (engine == "sqlite" and (scenario not in ALIKE or provider in ("payspace", "paynet")))
    or (scenario, provider) in SAMPLE
]
TWICE = [one for one in EVERYTHING if FULL or one == ("renew", "payspace", "sqlite")]

WINDOW = ["before-captured", "after-captured", "before-verified", "after-verified", "before-delivery"]
"""Where a kill leaves a consumer with a dead secret, when that was renewed in place."""

OpenStores = Callable[[str], Stores]
Told = Callable[[str, object], None]


@pytest.mark.parametrize(("scenario", "provider", "engine"), ONCE)
def test_killed_once(
    zygote: Zygote,
    open_stores: OpenStores,
    scratch: Path,
    record_property: Told,
    scenario: str,
    provider: str,
    engine: str,
) -> None:
    """Killed at any durable step, or between any two: nothing lost, orphaned, duplicated or stuck. Where a
    vendor renews in place (PN7, TC2), consumers hold a dead secret from its answer to the delivery, no
    sooner and no later, and the next run closes that window."""
    count = _sweep(zygote, open_stores(engine), scratch, scenario, provider).single()
    count.tell(record_property, "killed once", scenario, provider, engine)
    assert [] == count.wrong
    assert count.kills >= 4
    in_place = scenario in RENEWALS and not VENDORS[provider].overlaps
    assert (WINDOW if in_place else []) == count.outages


@pytest.mark.parametrize(("scenario", "provider", "engine"), TWICE)
def test_killed_again_in_the_recovery(
    zygote: Zygote,
    open_stores: OpenStores,
    scratch: Path,
    record_property: Told,
    scenario: str,
    provider: str,
    engine: str,
) -> None:
    """Killed, and killed again at any step of the recovery: the third run converges all the same."""
    count = _sweep(zygote, open_stores(engine), scratch, scenario, provider).double()
    count.tell(record_property, "killed twice", scenario, provider, engine)
    assert [] == count.wrong
    assert count.kills >= 10


CAUGHT_BY = {
    "without intent": ("create", "single"),
    "without separate commits": ("renew", "double"),
    "deliver before capture": ("renew", "double"),
    "retire before delivery": ("renew", "single"),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_sweep_catches_a_broken_promise(
    zygote: Zygote, open_stores: OpenStores, scratch: Path, mutation: str
) -> None:
    """With one promise of design §7 taken out, the sweep finds something wrong."""
    scenario, how = CAUGHT_BY[mutation]
    swept = _sweep(zygote, open_stores("sqlite"), scratch, scenario, "payspace", mutation)
    count = swept.single() if how == "single" else swept.double()
    assert [] != count.wrong


def _sweep(
    zygote: Zygote, stores: Stores, scratch: Path, scenario: str, provider: str, mutation: str = ""
) -> Sweep:
    base = prepare(zygote, stores, scratch / "base", scenario, provider)
    firsts = STATES if FULL else UNLIKE
    return Sweep(zygote, stores, base, scenario, provider, scratch, mutation, firsts, forked=FULL)
