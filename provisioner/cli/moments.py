"""Moments and lengths of time, as a person writes them on the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from provisioner.core.renewal import UNITS, duration
from provisioner.errors import UsageError

FORMS = "write a day (2027-03-01), a moment (2027-03-01T06:00, in UTC), or how far away it is (+30d)"


def moment(text: str, now: Callable[[], datetime]) -> datetime:
    """Read `2027-03-01`, `2027-03-01T06:00+02:00` or `+30d`, as UTC. Without a zone it is UTC.

    What is counted from now ends with the whole unit that it is counted in: `+30d` with that day and `+36h`
    with that hour, so that asking twice is asking the same. Raises UsageError for anything else.
    """
    try:
        if text.startswith("+"):
            return _ahead(text[1:], now())
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is not a moment", remedy=FORMS) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def as_of(moment: datetime) -> str:
    """What stands above an answer for another moment."""
    when = f"{moment:%Y-%m-%d %H:%M} UTC"
    return f"As of {when}, by what is recorded and declared now; the vendors were not asked."


def length(text: str, option: str) -> timedelta:
    """Read `14d` or `10m`. Raises UsageError, naming the option, for anything else."""
    try:
        return duration(text)
    except (ValueError, OverflowError):
        units = ", ".join(UNITS)
        raise UsageError(
            f"{option} {text!r} is not a length of time",
            remedy=f"write a number and one of {units}, like 14d",
        ) from None


def _ahead(text: str, now: datetime) -> datetime:
    unit = timedelta(**{UNITS[text[-1:]]: 1}) if text[-1:] in UNITS else timedelta(0)
    day = min(unit, timedelta(days=1))  # weeks end with a day as well
    until = now + duration(text)
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - (midnight - until) // day * day
