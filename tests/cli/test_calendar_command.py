"""What comes: as lines, as JSON, and as a calendar that another program reads."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from program_runner import KEY, PAYROLL, REPORT, Cli

from provisioner.cli.coming import Outlook, Window
from provisioner.cli.rendering.calendar import calendar_text
from provisioner.cli.rendering.ics import calendar_ics
from provisioner.core.forecast import Coming, Event
from provisioner.core.model import Address
from provisioner.core.windows import Opening

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOON = PAYROLL + "    rotate: {every: 30d, before: 3d, overlap: 24h}\n"
SATURDAYS = REPORT + '    rotate: {every: 40d, before: 20d, window: "Sat 02:00-05:00 Africa/Johannesburg"}\n'
TEXTS = st.text(max_size=300)


def outlook(*events: Event, windows: tuple[Window, ...] = ()) -> Outlook:
    return Outlook(NOW, NOW + timedelta(days=90), events, windows)


def event(why: str = "", *, days: float = 1, name: str = "key", **rest: object) -> Event:
    return Event(NOW + timedelta(days=days), Coming.RENEW, Address("test", name), 1, why, **rest)  # type: ignore[arg-type]


def test_what_comes(cli: Cli) -> None:
    """Renewals with their windows, and the end of what each leaves behind, in the order of time."""
    cli.write(SOON + SATURDAYS + KEY)
    cli.applied()
    found = cli("calendar", "--days", "29", "--json").json
    assert [
        ("renew", "test/report"),
        ("retire", "test/report"),
        ("renew", "test/payroll"),
        ("retire", "test/payroll"),
    ] == sorted(
        ((one["what"], one["address"]) for one in found["events"]),
        key=lambda one: (one[1] != "test/report", one[0]),
    )
    assert sorted(one["at"] for one in found["events"]) == [one["at"] for one in found["events"]]
    (window,) = found["windows"]
    assert ["test/report"] == window["addresses"]
    opens, closes = (datetime.fromisoformat(window[edge]) for edge in ("opens", "closes"))
    assert ("Saturday", timedelta(hours=3), 0) == (f"{opens:%A}", closes - opens, opens.hour)
    text = cli("calendar", "--days", "29").out
    assert "4 events in the next 29 days." in text
    assert re.search(r"window +until 03:00 +Sat 02:00-05:00 Africa/Johannesburg: test/report", text)
    assert "Nothing comes in the next 1 day." == cli("calendar", "--days", "1").last


def test_what_is_overdue_comes_first(cli: Cli) -> None:
    """What should have happened already is told first, and says so."""
    cli.write(SOON)
    cli.applied()
    cli("sandbox", "clock", "--advance", "29d")
    assert "overdue" in cli("calendar").out.splitlines()[1]


def test_the_calendar_is_one(cli: Cli) -> None:
    """A calendar program reads what the JSON says, and finds each event under the UID that it had before."""
    cli.write(SOON + SATURDAYS)
    cli.applied()
    path = cli.root / "coming.ics"
    assert 0 == cli("calendar", "--ics", str(path)).code
    first = read(path.read_bytes())
    told = cli("calendar", "--json").json
    starts = {datetime.fromisoformat(one["at"]).replace(microsecond=0) for one in told["events"]}
    starts |= {datetime.fromisoformat(one["opens"]) for one in told["windows"]}
    assert starts == {start for _, start in first.values()}
    assert len(told["events"]) + len(told["windows"]) == len(first)
    assert {"Renew test/payroll", "Retire the old secret of test/payroll"} <= {
        title for title, _ in first.values()
    }
    cli("sandbox", "clock", "--advance", "3d")
    cli("calendar", "--days", "87", "--ics", str(path))
    again = read(path.read_bytes())
    assert 0o644 == stat.S_IMODE(path.stat().st_mode)
    assert first == again


def read(data: bytes) -> dict[str, tuple[str, datetime]]:
    """Each event's title and start by its UID."""
    calendar = Calendar.from_ical(data)
    events = calendar.walk("VEVENT")
    assert all(one["DTSTAMP"].dt.tzinfo is not None for one in events)
    found = {str(one["UID"]): (str(one["SUMMARY"]), one["DTSTART"].dt) for one in events}
    assert len(events) == len(found)
    return found


@given(TEXTS, st.sampled_from(["a;b", "c,d", "back\\slash", "ünï", "日本" * 60, "x" * 200]))
def test_every_text_survives(why: str, name: str) -> None:
    """Lines are at most 75 octets, end with CRLF, and a reader gets back every text that can be shown."""
    data = calendar_ics("pay;ments", outlook(event(why, name=name))).encode()
    for line in data.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    assert data.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"") and b"\r" not in data.replace(b"\r\n", b"")
    (one,) = Calendar.from_ical(data).walk("VEVENT")
    assert f"Renew test/{name}" == str(one["SUMMARY"])
    escaped = name.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    assert f"SUMMARY:Renew test/{escaped}\r\n" in data.decode().replace("\r\n ", "")
    if why.isprintable():
        assert f"Generation 1: {why}" == str(one["DESCRIPTION"])


def test_a_renewal_in_a_window_lasts_as_long_as_it() -> None:
    """An event in a window ends when it closes; a window is an event of its own, naming what is renewed."""
    opening = Opening(NOW + timedelta(days=1), NOW + timedelta(days=1, hours=3))
    window = Window(opening, "Sat 02:00-05:00 UTC", tuple(Address("test", name) for name in "abcde"))
    made = outlook(event("w", window=window.text, opening=opening), windows=(window,))
    renewal, around = Calendar.from_ical(calendar_ics("p", made)).walk("VEVENT")
    assert timedelta(hours=3) == renewal["DTEND"].dt - renewal["DTSTART"].dt
    assert (opening.start, opening.end) == (around["DTSTART"].dt, around["DTEND"].dt)
    assert "Renews test/a, test/b, test/c and 2 more" == str(around["DESCRIPTION"])
    assert "test/a, test/b, test/c and 2 more" in calendar_text(made)


def test_an_empty_calendar_is_valid() -> None:
    """Where nothing comes there still is the one component that a calendar needs."""
    calendar = Calendar.from_ical(calendar_ics("p", outlook()))
    assert ([], 1) == (calendar.walk("VEVENT"), len(calendar.subcomponents))
