"""Maintenance windows such as `Sat 02:00-05:00 Africa/Johannesburg`: when they open, in UTC.

Days and times are the zone's own, so a window moves with its daylight saving time. One whose hours fall into
the hour that a clock skips does not open that day; one in the hour that is told twice is open for both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_FORM = re.compile(
    r"(?:(?P<days>[A-Za-z,-]+) )?(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d) (?P<zone>\S+)", re.ASCII
)


class Opening(Struct, frozen=True):
    """One time that a window is open; `end` is the first moment after it. UTC."""

    start: datetime
    end: datetime


class Window(Struct, frozen=True):
    """Days of the week (0 is Monday), times, and a zone. An end before its start is on the next day."""

    days: frozenset[int]
    start: time
    end: time
    zone: ZoneInfo

    def next_opening(self, moment: datetime) -> Opening | None:
        """The first opening that is not over at this moment; None where none comes within two weeks."""
        return next((opening for opening in self._openings(moment) if opening.end > moment), None)

    def _openings(self, moment: datetime) -> Iterator[Opening]:
        first = moment.astimezone(self.zone).date() - timedelta(days=1)
        for day in (first + timedelta(days=number) for number in range(16)):
            if day.weekday() in self.days:
                opening = self._on(day)
                if opening.end > opening.start:
                    yield opening

    def _on(self, day: date) -> Opening:
        closing_day = day if self.end > self.start else day + timedelta(days=1)
        start = datetime.combine(day, self.start, self.zone)
        end = datetime.combine(closing_day, self.end, self.zone).replace(fold=1)
        return Opening(start.astimezone(UTC), end.astimezone(UTC))


@lru_cache(maxsize=256)
def window(text: str) -> Window:
    """Read a window. Raises ValueError, in words, for anything else."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a window: write it like Sat 02:00-05:00 Africa/Johannesburg")
    start, end = _time(found["start"]), _time(found["end"])
    if start == end:
        raise ValueError(f"the window {text!r} never opens: its times are the same")
    return Window(_days(found["days"]), start, end, _zone(found["zone"]))


def _days(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = _day(first), _day(last or first)
        days.update((begin + number) % 7 for number in range((end - begin) % 7 + 1))
    return frozenset(days)


def _day(text: str) -> int:
    if text not in DAYS:
        raise ValueError(f"{text!r} is not a day: write one of {', '.join(DAYS)}")
    return DAYS.index(text)


def _time(text: str) -> time:
    if text == "24:00":
        return time(0)
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time of day") from None


def _zone(text: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # heavy, and most projects have no window

    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{text!r} is not a time zone: write an IANA name, like Africa/Johannesburg or UTC"
        ) from None
