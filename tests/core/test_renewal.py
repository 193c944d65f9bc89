"""When a renewal is due: laws over leap days, month ends and changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.core.capabilities import Capabilities, Identity, Observe, Renewal, SecretAccess
from provisioner.core.model import Address, Generation, GenerationState
from provisioner.core.renewal import Due, Policy, due, duration, flaws
from provisioner.core.windows import window

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2029, 12, 31)).map(lambda m: m.replace(tzinfo=UTC))
NAMES = st.text("abcdefgh-", min_size=1, max_size=8)
ZONES = st.sampled_from(["UTC", "Africa/Johannesburg", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
WINDOWS = st.builds(
    lambda days, hour, length, zone: f"{days}{hour:02}:30-{(hour + length) % 24:02}:30 {zone}",
    st.sampled_from(["", "Sat ", "Sun ", "Mon-Fri ", "Fri-Mon ", "Tue,Thu "]),
    st.integers(0, 23),
    st.integers(1, 12),
    ZONES,
)
ADDRESS = Address("test", "key")


def generation(created: datetime, expires: datetime | None = None) -> Generation:
    return Generation(1, GenerationState.ACTIVE, "id", "", created, expires)


def due_at(policy: Policy, created: datetime, now: datetime | None = None, **rest: Any) -> Due:
    found = due(policy, ADDRESS, generation(created, **rest), now or created)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("created", "every", "expected"),
    [
        ("2028-01-30", "30d", "2028-02-29"),  # a leap day
        ("2027-01-30", "30d", "2027-03-01"),  # none
        ("2026-12-31", "60d", "2027-03-01"),  # over a year's end
        ("2026-03-28T12:00", "24h", "2026-03-29T12:00"),  # the clocks change in Europe; UTC does not
    ],
)
def test_age(created: str, every: str, expected: str) -> None:
    """Age is counted in UTC, where each day has 24 hours."""
    start = datetime.fromisoformat(created).replace(tzinfo=UTC)
    assert datetime.fromisoformat(expected).replace(tzinfo=UTC) == due_at(Policy(every=every), start).at


def test_never() -> None:
    """Without an age or an expiry nothing is ever due."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert due(Policy(before="7d"), ADDRESS, generation(start), start) is None


@given(MOMENTS, st.integers(2, 400), st.integers(0, 30), st.integers(1, 400))
def test_the_earliest_counts(created: datetime, every: int, before: int, lives: int) -> None:
    """Due is the earlier of age and expiry, less `before`."""
    expires = created + timedelta(days=lives)
    policy = Policy(every=f"{every}d", before=f"{before}d")
    expected = created + timedelta(days=min(every, lives) - before)
    assert expected == due_at(policy, created, expires=expires).at


@given(NAMES, MOMENTS, st.integers(1, 100))
def test_jitter_is_deterministic_and_early(name: str, created: datetime, hours: int) -> None:
    """Jitter depends on the address alone, and only ever makes a renewal earlier."""
    policy = Policy(every="90d", jitter=f"{hours}h")
    address = Address("test", name)
    first = due(policy, address, generation(created), created)
    assert first == due(policy, address, generation(created), created)
    assert first is not None
    latest = created + timedelta(days=90)
    assert latest - timedelta(hours=hours) <= first.at <= latest


def test_jitter_spreads() -> None:
    """A thousand addresses do not fall due at once."""
    policy, start = Policy(every="90d", jitter="24h"), datetime(2026, 1, 1, tzinfo=UTC)
    found = [due(policy, Address("test", f"k{n}"), generation(start), start) for n in range(1000)]
    by_hour = [one.at.replace(minute=0, second=0, microsecond=0) for one in found if one]
    assert max(by_hour.count(hour) for hour in set(by_hour)) < 100


@given(MOMENTS, MOMENTS, WINDOWS, st.integers(1, 120), st.integers(0, 20))
def test_a_window_never_comes_after_the_limit(
    created: datetime, now: datetime, text: str, every: int, before: int
) -> None:
    """A renewal is never moved to or past the age or the expiry, and never to before it is due."""
    policy = Policy(every=f"{every}d", before=f"{before}d", window=text)
    plain = due_at(Policy(every=f"{every}d", before=f"{before}d"), created)
    found = due_at(policy, created, now)
    assert found.at >= plain.at
    assert found.at == plain.at or found.at < found.limit


@given(MOMENTS, WINDOWS)
def test_moved_into_the_window(created: datetime, text: str) -> None:
    """With room enough, a renewal falls due while its window is open."""
    found = due_at(Policy(every="90d", before="30d", window=text), created)
    opening = window(text).next_opening(found.at)
    assert opening is not None
    assert opening.start <= found.at < opening.end


def test_a_missed_window_waits_for_the_next() -> None:
    """Who runs only after the window was over waits for the next one that comes early enough."""
    policy = Policy(every="60d", before="20d", window="Sat 02:00-05:00 UTC")
    created = datetime(2026, 1, 1, tzinfo=UTC)
    first = due_at(policy, created)
    assert datetime(2026, 2, 14, 2, tzinfo=UTC) == first.at
    missed = due_at(policy, created, datetime(2026, 2, 14, 5, tzinfo=UTC))
    assert datetime(2026, 2, 21, 2, tzinfo=UTC) == missed.at


@pytest.mark.parametrize(
    ("text", "moment", "start", "end"),
    [
        # Daylight saving: the same local hour is another hour in UTC.
        ("Sun 02:00-04:00 Europe/Berlin", "2026-03-21", "2026-03-22T01:00", "2026-03-22T03:00"),
        ("Sun 04:00-06:00 Europe/Berlin", "2026-03-28", "2026-03-29T02:00", "2026-03-29T04:00"),
        # 02:00 to 03:00 does not exist on 2026-03-29: the window opens a week later.
        ("Sun 02:00-03:00 Europe/Berlin", "2026-03-28", "2026-04-05T00:00", "2026-04-05T01:00"),
        # 02:00 to 03:00 is there twice on 2026-10-25: the window is open for both.
        ("Sun 02:00-03:00 Europe/Berlin", "2026-10-24", "2026-10-25T00:00", "2026-10-25T02:00"),
        # Over midnight.
        ("Fri 23:00-01:00 UTC", "2026-11-20T23:30", "2026-11-20T23:00", "2026-11-21T01:00"),
        ("Sat 02:00-05:00 Africa/Johannesburg", "2026-11-21", "2026-11-21T00:00", "2026-11-21T03:00"),
        ("20:00-24:00 UTC", "2026-11-21", "2026-11-21T20:00", "2026-11-22T00:00"),
    ],
)
def test_windows_open_by_local_time(text: str, moment: str, start: str, end: str) -> None:
    """A window's days and hours are its zone's own."""
    opening = window(text).next_opening(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert opening is not None
    assert (start, end) == (f"{opening.start:%Y-%m-%dT%H:%M}", f"{opening.end:%Y-%m-%dT%H:%M}")


@pytest.mark.parametrize(
    "text", ["", "Sat", "Sat 2:00-5:00 UTC", "Xyz 02:00-05:00 UTC", "02:00-05:00", "02:00-25:00 UTC"]
)
def test_not_a_window(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError):
        window(text)


@pytest.mark.parametrize("text", ["", "d", "9", "-1d", "1.5h", "90 days", "٣d"])
def test_not_a_duration(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError):
        duration(text)


IN_PLACE = Capabilities(SecretAccess.RETRIEVABLE, Identity.LABEL, Renewal.IN_PLACE, Observe.LIST)
OVERLAP = Capabilities(SecretAccess.ONCE, Identity.LABEL, Renewal.OVERLAP, Observe.LIST)


@pytest.mark.parametrize(
    ("rotate", "capabilities", "keys"),
    [
        ({"every": "90d", "overlap": "24h"}, OVERLAP, []),
        ({"every": "90d", "overlap": "24h"}, IN_PLACE, ["overlap"]),
        ({"every": "90d", "overlap": "24h", "allow_downtime": True}, IN_PLACE, []),
        ({"every": "2d", "before": "1d"}, OVERLAP, ["every"]),
        ({"every": "2d", "before": "1d"}, IN_PLACE, []),
        ({"every": "90d", "window": "Sat 02:00-05:00 Nowhere"}, OVERLAP, ["window"]),
    ],
)
def test_flaws(rotate: dict[str, Any], capabilities: Capabilities, keys: list[str]) -> None:
    """A policy that cannot be kept is told before it is tried."""
    assert keys == [flaw.key for flaw in flaws(rotate, capabilities)]
