"""What is foretold is what a plan finds when the time has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from provisioner.core.forecast import Coming, Event, forecast
from provisioner.core.model import Address, Generation, GenerationState, Record, Via
from provisioner.core.renewal import Policy, due, duration
from provisioner.core.windows import window

ADDRESS = Address("test", "key")
START = datetime(2026, 11, 21, 12, tzinfo=UTC)
POLICIES = st.builds(
    Policy,
    every=st.sampled_from(["10d", "30d", "90d"]),
    before=st.sampled_from(["0s", "1d", "7d"]),
    overlap=st.sampled_from(["0s", "24h"]),
    window=st.sampled_from([None, "Sat 02:00-05:00 Africa/Johannesburg", "22:00-02:00 Europe/Berlin"]),
    jitter=st.sampled_from(["0s", "6h"]),
)
AGES = st.timedeltas(timedelta(0), timedelta(days=120))


def generation(number: int = 1, state: GenerationState = GenerationState.ACTIVE) -> Generation:
    return Generation(number, state, "id", "", START)


def record(*generations: Generation) -> Record:
    return Record(ADDRESS, "payspace", Via.API, {}, {}, generations)


def foretold(
    policy: Policy | None, held: Record, days: int = 200, *, now: datetime = START, in_place: bool = False
) -> list[Event]:
    found = forecast(held, policy, now, START + timedelta(days=days), in_place=in_place)
    return sorted(found, key=lambda event: event.at)


def renewals(events: list[Event]) -> list[Event]:
    return [event for event in events if event.what is Coming.RENEW]


@given(POLICIES, AGES)
def test_each_renewal_is_due_then_and_not_before(policy: Policy, age: timedelta) -> None:
    """A plan at the foretold moment finds the renewal due, and one a second earlier does not."""
    now = START + age
    present = generation()
    for event in renewals(foretold(policy, record(present), now=now)):
        found = due(policy, ADDRESS, present, max(event.at, now))
        assert found is not None and found.at <= max(event.at, now)
        earlier = event.at - timedelta(seconds=1)
        if earlier > now:
            before = due(policy, ADDRESS, present, earlier)
            assert before is not None and before.at > earlier
        assert present.number == event.generation
        present = replace(present, number=present.number + 1, created_at=max(event.at, now))


@given(POLICIES, AGES)
def test_each_old_one_ends_after_its_overlap(policy: Policy, age: timedelta) -> None:
    """What a renewal leaves behind retires when its overlap is over; one in place leaves nothing."""
    now = START + age
    events = foretold(policy, record(generation()), now=now)
    over = {
        (event.generation, max(event.at, now) + duration(policy.overlap))
        for event in renewals(events)
        if max(event.at, now) + duration(policy.overlap) <= START + timedelta(days=200)
    }
    assert over == {(event.generation, event.at) for event in events if event.what is Coming.RETIRE}
    in_place = foretold(policy, record(generation()), now=now, in_place=True)
    assert {Coming.RENEW} >= {event.what for event in in_place}


@given(POLICIES)
def test_a_window_is_told_only_where_the_renewal_is_in_it(policy: Policy) -> None:
    """An event that names a window is within it; one that cannot wait for it names none."""
    for event in renewals(foretold(policy, record(generation()))):
        if event.opening is None:
            assert "" == event.window
        else:
            assert event.opening.start <= event.at < event.opening.end
            assert window(event.window).next_opening(event.at) == event.opening


def test_expiry_and_retirement_without_a_policy() -> None:
    """Without a policy nothing is renewed; what ends by itself, and what retires, is told all the same."""
    old = replace(generation(1, GenerationState.RETIRING), retire_after=START - timedelta(days=1))
    new = replace(generation(2), expires_at=START + timedelta(days=20))
    told = [(event.what, event.generation, event.at) for event in foretold(None, record(old, new))]
    assert [
        (Coming.RETIRE, 1, START - timedelta(days=1)),
        (Coming.EXPIRE, 2, START + timedelta(days=20)),
    ] == told
    assert [(Coming.RETIRE, 1)] == [
        (event.what, event.generation) for event in foretold(None, record(old, new), days=10)
    ]


def test_nothing_beyond_the_horizon_and_no_end_without_one() -> None:
    """Events end with the time asked for, and a policy that renews at once is not followed for ever."""
    until = START + timedelta(days=45)
    events = foretold(Policy(every="10d"), record(generation()), days=45)
    assert 4 == len(renewals(events)) and all(event.at <= until for event in events)
    assert 1000 == len(renewals(foretold(Policy(every="0s", overlap="0s"), record(generation()))))
