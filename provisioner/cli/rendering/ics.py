"""What comes, as an iCalendar for whoever's calendar subscribes to it (RFC 5545).

An event keeps its UID from one writing to the next, so a calendar moves it instead of showing it twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from provisioner.cli.coming import Outlook, Window
from provisioner.cli.rendering.calendar import names
from provisioner.cli.values import plain
from provisioner.core.forecast import Coming, Event

TITLES = {Coming.RENEW: "Renew", Coming.EXPIRE: "Expires:", Coming.RETIRE: "Retire the old secret of"}
"""What an event is called, before its address."""

LONGEST = 75
"""Octets of one line, without its end (RFC 5545 §3.1)."""

EMPTY = ("BEGIN:VTIMEZONE", "TZID:Etc/UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000")
EMPTY_END = ("TZOFFSETFROM:+0000", "TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE")
"""A calendar holds at least one component (RFC 5545 §3.6): this one, where nothing comes."""


def calendar_ics(project: str, found: Outlook) -> str:
    """The calendar, its lines ended by CRLF and folded."""
    name = _text(f"provision {project}")
    begin = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//provision//calendar//EN", "METHOD:PUBLISH")
    components = [*_components(project, found)] or [*EMPTY, *EMPTY_END]
    lines = [*begin, f"X-WR-CALNAME:{name}", *components, "END:VCALENDAR"]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _components(project: str, found: Outlook) -> Iterator[str]:
    stamp = f"DTSTAMP:{_moment(found.start)}"
    for event in found.events:
        yield from ("BEGIN:VEVENT", stamp, *_event(project, event), "END:VEVENT")
    for window in found.windows:
        yield from ("BEGIN:VEVENT", stamp, *_window(project, window), "END:VEVENT")


def _event(project: str, event: Event) -> Iterator[str]:
    yield _uid(project, event.what.value, str(event.address), str(event.generation))
    yield f"DTSTART:{_moment(event.at)}"
    if event.opening is not None and event.opening.end > event.at:
        yield f"DTEND:{_moment(event.opening.end)}"
    yield f"SUMMARY:{_text(f'{TITLES[event.what]} {event.address}')}"
    yield f"DESCRIPTION:{_text(f'Generation {event.generation}: {event.why}')}"
    yield f"CATEGORIES:{event.what.value.upper()}"
    yield "TRANSP:TRANSPARENT"


def _window(project: str, window: Window) -> Iterator[str]:
    yield _uid(project, "window", window.text, _moment(window.opening.start))
    yield f"DTSTART:{_moment(window.opening.start)}"
    yield f"DTEND:{_moment(window.opening.end)}"
    yield f"SUMMARY:{_text(f'Maintenance window: {window.text}')}"
    yield f"DESCRIPTION:{_text(f'Renews {names(window)}')}"
    yield "CATEGORIES:WINDOW"
    yield "TRANSP:TRANSPARENT"


def _uid(project: str, *parts: str) -> str:
    return f"UID:{uuid5(NAMESPACE_URL, '/'.join(['provision:', project, *parts]))}"


def _moment(value: datetime) -> str:
    return f"{value:%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A text value (RFC 5545 §3.3.11); what no calendar shows is written as an escape of ours first."""
    escaped = plain(value).replace("\\", "\\\\")
    return escaped.replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> str:
    """The line in pieces of at most 75 octets, each character whole (RFC 5545 §3.1)."""
    pieces, size = [""], 0
    for character in line:
        width = len(character.encode())
        if size + width > LONGEST:
            pieces.append("")
            size = 1  # the space that begins a continued line
        pieces[-1] += character
        size += width
    return "\r\n ".join(pieces)
