"""Nothing is lost: killed anywhere, the next run converges, by the vendor's own ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_runs import SCENARIOS, VENDORS
from mutations import MUTATIONS
from sweep import Sweep, Zygote, prepare


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """A process that forks."""
    made = Zygote()
    yield made
    made.close()


@pytest.mark.parametrize("provider", VENDORS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_once(zygote: Zygote, tmp_path: Path, scenario: str, provider: str) -> None:
    """Killed at any durable step, or between any two: nothing lost, orphaned, duplicated or stuck."""
    base = prepare(zygote, tmp_path / "base", scenario, provider)
    count = Sweep(zygote, base, scenario, provider, tmp_path).single()
    print(f"{scenario} at {provider}: {count}")
    assert [] == count.wrong
    assert count.kills >= 4


@pytest.mark.parametrize("provider", VENDORS)
@pytest.mark.parametrize("scenario", ["create", "renew"])
def test_killed_again_in_the_recovery(zygote: Zygote, tmp_path: Path, scenario: str, provider: str) -> None:
    """Killed, and killed again at any step of the recovery: the third run converges all the same."""
    base = prepare(zygote, tmp_path / "base", scenario, provider)
    count = Sweep(zygote, base, scenario, provider, tmp_path).double()
    print(f"{scenario} at {provider}, twice: {count}")
    assert [] == count.wrong
    assert count.kills >= 50


CAUGHT_BY = {
    "without intent": ("create", "single"),
    "without separate commits": ("renew", "double"),
    "deliver before capture": ("renew", "double"),
    "retire before delivery": ("renew", "single"),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_sweep_catches_a_broken_promise(zygote: Zygote, tmp_path: Path, mutation: str) -> None:
    """With one promise of design §7 taken out, the sweep finds something wrong."""
    scenario, how = CAUGHT_BY[mutation]
    base = prepare(zygote, tmp_path / "base", scenario, "payspace")
    swept = Sweep(zygote, base, scenario, "payspace", tmp_path, mutation=mutation)
    count = swept.single() if how == "single" else swept.double()
    assert [] != count.wrong
