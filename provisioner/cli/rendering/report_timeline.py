"""The timeline of a report: due dates, expiries and retirements as one SVG. Strings in, strings out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from provisioner.cli.coming import Outlook
from provisioner.cli.rendering.html_page import text
from provisioner.core.forecast import Coming, Event
from provisioner.core.model import Address

MOST: Final = 40
"""Credentials that are drawn: those with the nearest events. The table below the picture has them all."""

WIDTH, LABELS, EDGE, TOP, ROW = 1100, 260, 18, 30, 26
"""Sizes, in the units of the picture."""

LONGEST: Final = 36
"""Characters of an address that fit beside its line."""

STEPS: Final = (1, 2, 7, 14, 30, 61, 91, 182, 365)
"""Days between two lines of the grid; the first that gives few enough is taken."""

LINES: Final = 9


def drawn(found: Outlook) -> list[Address]:
    """The credentials that the picture shows, those with the nearest events first."""
    first: dict[Address, datetime] = {}
    for event in found.events:
        first.setdefault(event.address, event.at)
    return sorted(first, key=lambda address: (first[address], address))[:MOST]


def timeline(found: Outlook) -> str:
    """The picture, with a line for each credential that has events; HTML."""
    addresses = drawn(found)
    events: Mapping[Address, list[Event]] = defaultdict(list)
    for event in found.events:
        events[event.address].append(event)
    height = TOP + ROW * len(addresses) + 8
    lines = [*_grid(found, height)]
    for number, address in enumerate(addresses):
        lines.extend(_line(found, address, events[address], TOP + ROW * number + ROW // 2))
    days = (found.end - found.start).days
    label = (
        f"Timeline of the next {days} days for {len(addresses)} credentials; the table below says the same."
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{text(label)}">\n'
        + "\n".join(lines)
        + "\n</svg>"
    )


def key() -> str:
    """What each mark means; HTML."""
    items = "".join(
        f'<li><svg viewBox="-8 -8 16 16" aria-hidden="true">{mark}</svg>{text(WORDS[what])}</li>'
        for what, mark in MARKS.items()
    )
    return f'<ul class="key" aria-label="Key">{items}</ul>'


MARKS: Final[Mapping[Coming, str]] = {
    Coming.RENEW: '<circle class="due" r="6"/>',
    Coming.EXPIRE: '<path class="end" d="M-5 -5L5 5M-5 5L5 -5"/>',
    Coming.RETIRE: '<rect class="old" x="-4.5" y="-4.5" width="9" height="9"/>',
}
"""Each kind of event has a shape of its own, for whoever does not see its colour."""

LAYERS: Final = (Coming.RETIRE, Coming.RENEW, Coming.EXPIRE)
"""What is drawn over what, where they are close together."""

WORDS: Final[Mapping[Coming, str]] = {
    Coming.RENEW: "renewal due",
    Coming.EXPIRE: "the vendor ends it",
    Coming.RETIRE: "the overlap of an older one ends",
}


def _grid(found: Outlook, height: int) -> Iterator[str]:
    days = (found.end - found.start).days
    step = timedelta(days=next((step for step in STEPS if days / step <= LINES), STEPS[-1]))
    moment = found.start
    while moment <= found.end:
        x = _x(found, moment)
        words = "now" if moment == found.start else f"{moment:%d %b}"
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP - 6}" y2="{height}"/>'
        yield f'<text class="axis" x="{x}" y="{TOP - 12}" text-anchor="middle">{words}</text>'
        moment += step
    x = _x(found, found.start)
    yield f'<line class="today" x1="{x}" x2="{x}" y1="{TOP - 6}" y2="{height}"/>'


def _line(found: Outlook, address: Address, events: Sequence[Event], y: int) -> Iterator[str]:
    name = str(address)
    short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    label = f"{text(short)}<title>{text(name)}</title>"
    yield f'<text x="{LABELS - EDGE}" y="{y + 4}" text-anchor="end">{label}</text>'
    yield f'<line class="track" x1="{_x(found, found.start)}" x2="{_x(found, found.end)}" y1="{y}" y2="{y}"/>'
    for event in sorted(events, key=lambda event: LAYERS.index(event.what)):
        told = f"{event.at:%Y-%m-%d %H:%M} {WORDS[event.what]}: {event.why}"
        place = f'transform="translate({_x(found, event.at)} {y})"'
        yield f"<g {place}><title>{text(told)}</title>{MARKS[event.what]}</g>"


def _x(found: Outlook, moment: datetime) -> int:
    """What is overdue stands at the left edge."""
    share = (moment - found.start) / (found.end - found.start)
    return round(LABELS + (WIDTH - LABELS - 2 * EDGE) * max(0.0, min(1.0, share)))
