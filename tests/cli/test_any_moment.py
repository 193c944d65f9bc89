"""Plans for any moment, and older secrets that are held in an incident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from program_runner import KEY, PAYROLL, Cli

from provisioner.cli.moments import moment
from provisioner.core.renewal import UNITS, duration

ROTATING = PAYROLL + "    rotate: {every: 30d, before: 3d, overlap: 24h}\n"
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2029, 12, 31)).map(lambda m: m.replace(tzinfo=UTC))


def files(cli: Cli) -> dict[str, bytes]:
    """Everything of the project, but not the twins: they count the writes that they are asked for."""
    found = (path for path in cli.root.rglob("*") if path.is_file() and path.parent.name != "sandbox")
    return {str(path): path.read_bytes() for path in found if not path.name.endswith(("-wal", "-shm"))}


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_asking_twice_is_the_same_and_writes_nothing(cli: Cli, form: str) -> None:
    """A plan for another moment writes nothing, asks no vendor, and is the same bytes each time."""
    cli.write(ROTATING)
    cli.applied()
    with cli.sandbox() as twins:
        writes = twins.writes()
    before = files(cli)
    for at in ("2031-03-01", "+40d", "+5w"):
        first, again = (cli("plan", "--at", at, "--format", form) for _ in range(2))
        assert (0, first.out) == (again.code, again.out)
        assert "renew" in first.out
    assert before == files(cli)
    with cli.sandbox() as twins:
        assert writes == twins.writes()


def test_it_says_for_when_it_is(cli: Cli) -> None:
    """The answer begins with its moment, and with what it goes by."""
    cli.write(ROTATING)
    cli.applied()
    asked = cli("plan", "--at", "2031-03-01T06:00+02:00", "--detailed-exitcode")
    assert 2 == asked.code
    assert asked.out.startswith(
        "As of 2031-03-01 04:00 UTC, by what is recorded and declared now; the vendors"
    )
    assert "not observed" in asked.out
    assert "2031-03-01T04:00:00+00:00" == cli("plan", "--at", "2031-03-01T04:00", "--json").json["planned_at"]
    assert "No changes." in cli("plan", "--at", "+1d").out


@pytest.mark.parametrize(
    "args",
    [("--at", "soon"), ("--at", "+5"), ("--at", "+99999999999w"), ("--at", "2027-02-30"), ("--at", "")],
)
def test_no_moment(cli: Cli, args: tuple[str, str]) -> None:
    """What is no moment is the command line's fault, and is met with the forms that are."""
    ran = cli("plan", *args)
    assert (64, True) == (ran.code, "2027-03-01" in ran.err)


def test_another_moment_is_not_saved(cli: Cli) -> None:
    """A plan for another moment cannot be saved, so it cannot be applied now."""
    assert 64 == cli("plan", "--at", "+1d", "--out", "plan.json").code


@given(MOMENTS, st.integers(0, 400), st.sampled_from(sorted(UNITS)))
def test_counted_in_whole_units(now: datetime, number: int, unit: str) -> None:
    """`+30d` is not before thirty days from now, and not a whole unit after, whenever in it one asks."""
    length = duration(f"{number}{unit}")
    found = moment(f"+{number}{unit}", lambda: now)
    step = min(duration(f"1{unit}"), timedelta(days=1))
    assert timedelta(0) <= found - (now + length) < step
    assert found == moment(f"+{number}{unit}", lambda: found - length)


def test_held_secrets_live_on(cli: Cli) -> None:
    """With --hold-retire no older secret ends, not even with a renewal; the next apply without it ends it."""
    cli.write(ROTATING)
    cli.applied()
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    cli("sandbox", "clock", "--advance", "30d")
    assert "retire" in cli("plan").out
    held = cli("plan", "--hold-retire", "--out", str(cli.root / "plan.json"))
    assert "Plan: 1 to renew, 0 unchanged." == held.last
    assert 0 == cli("apply", str(cli.root / "plan.json")).code
    assert ["active"] * 3 == cli.ledger("payspace", "test")
    assert "No changes." in cli.applied("--hold-retire").out
    cli.applied()
    assert ["ended", "active", "active"] == cli.ledger("payspace", "test")


def test_a_saved_plan_holds_by_itself(cli: Cli) -> None:
    """Whether older secrets are held stands in the plan, so a saved one takes no such option."""
    cli.write(ROTATING + KEY)
    assert 0 == cli("plan", "--hold-retire", "--out", str(cli.root / "plan.json")).code
    assert 64 == cli("apply", str(cli.root / "plan.json"), "--hold-retire").code
    assert {True} == {
        change["hold_retire"] for change in cli("plan", "--hold-retire", "--json").json["changes"]
    }
