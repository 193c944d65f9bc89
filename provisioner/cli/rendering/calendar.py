"""What comes, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from provisioner.cli.coming import Outlook, Window
from provisioner.cli.rendering.status import columns, moment
from provisioner.cli.values import count_of, listed, span
from provisioner.core.forecast import Coming, Event
from provisioner.core.model import JsonValue

SYMBOLS: Final[Mapping[Coming, str]] = {Coming.RENEW: "↻", Coming.EXPIRE: "×", Coming.RETIRE: "-"}
"""How each kind of event is marked."""

MANY: Final = 3
"""Names that a line about a window tells."""


def calendar_text(found: Outlook) -> str:
    """A line for each event, in the order of time, and a last line that counts. Ends without a newline."""
    days = (found.end - found.start).days
    if not found.events:
        return f"Nothing comes in the next {count_of(days, 'day')}."
    lines = [(one.opening.start, _window_line(one, found.start)) for one in found.windows]
    lines += [(event.at, _line(event, found.start)) for event in found.events]
    cells = [cell for _, cell in sorted(lines, key=lambda line: line[0])]
    last = f"{count_of(len(found.events), 'event')} in the next {count_of(days, 'day')}."
    return "\n".join([*columns(("WHEN", "IN", "", "WHAT", "ADDRESS", "WHY"), cells), "", last])


def calendar_json(found: Outlook) -> JsonValue:
    """The same for programs."""
    return {
        "from": moment(found.start),
        "until": moment(found.end),
        "events": [_json(event) for event in found.events],
        "windows": [
            {
                "window": one.text,
                "opens": moment(one.opening.start),
                "closes": moment(one.opening.end),
                "addresses": [str(address) for address in one.addresses],
            }
            for one in found.windows
        ],
    }


def names(window: Window) -> str:
    """What is renewed in a window, in words."""
    told = [str(address) for address in window.addresses[:MANY]]
    left = len(window.addresses) - len(told)
    return listed([*told, *([f"{left} more"] if left else [])])


def _line(event: Event, now: datetime) -> list[str]:
    return [
        f"{event.at:%Y-%m-%d %H:%M}",
        span(event.at - now) if event.at > now else "overdue",
        SYMBOLS[event.what],
        event.what.value,
        str(event.address),
        event.why,
    ]


def _window_line(one: Window, now: datetime) -> list[str]:
    start, end = one.opening.start, one.opening.end
    closes = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    away = span(start - now) if start > now else "open"
    return [f"{start:%Y-%m-%d %H:%M}", away, "□", "window", f"until {closes}", f"{one.text}: {names(one)}"]


def _json(event: Event) -> JsonValue:
    return {
        "at": moment(event.at),
        "what": event.what.value,
        "address": str(event.address),
        "generation": event.generation,
        "why": event.why,
        "window": event.window,
        "window_closes": moment(event.opening.end if event.opening else None),
    }
