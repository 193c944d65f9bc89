"""The report: one page about all credentials, for people. Strings in, strings out; never a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from provisioner.cli.coming import Outlook
from provisioner.cli.inventory import URGENCIES, Row, urgency
from provisioner.cli.rendering.html_page import name, page, section, table, tag, text, when
from provisioner.cli.rendering.report_timeline import drawn, key, timeline
from provisioner.cli.rendering.status import WHOM, ahead
from provisioner.cli.values import ago, count_of
from provisioner.core.forecast import Coming
from provisioner.core.model import Kind

if TYPE_CHECKING:
    from provisioner.state.values import AuditRow

EVENTS: Final = 200
"""Coming events that the table lists."""

LINKS: Final = (
    ("waits", "What waits for whom"),
    ("timeline", "What comes"),
    ("inventory", "Inventory"),
    ("history", "Recent history"),
)

TAGS: Final[Mapping[str, str]] = {
    "unknown": "end",
    "ended": "end",
    "interrupted": "end",
    "due": "wait",
    "waiting": "wait",
    "not created": "none",
    "in order": "good",
    "revoked": "none",
}
"""How the state of a row stands out, by its urgency."""

BESIDE: Final[Mapping[str, str]] = {"due": ", due", "ended": ", past its end"}
"""What is told of a row beside its state."""


SHORT: Final[Mapping[Coming, str]] = {
    Coming.RENEW: "renewal",
    Coming.EXPIRE: "expiry",
    Coming.RETIRE: "retirement",
}
"""What comes, in a word."""


class Report(Struct, frozen=True):
    """All that the page tells."""

    project: str
    state: str
    """The store's URL without credentials."""
    environments: Mapping[str, Kind]
    rows: Sequence[Row]
    """The most urgent first."""
    outlook: Outlook
    history: Sequence[AuditRow]
    """Oldest first."""
    now: datetime


def report_html(report: Report) -> str:
    """The whole page."""
    lead = f"{report.now:%Y-%m-%d %H:%M} UTC, from the manifests and {report.state}. No vendor was asked."
    body = "\n".join(
        [_figures(report), _waits(report), _coming(report), _inventory(report), _history(report)]
    )
    foot = "Made by provision report. All moments are UTC. This page holds no secret, and needs no network."
    return page(f"Credentials of {report.project}", lead, LINKS, body, foot)


def _figures(report: Report) -> str:
    ranks = list(URGENCIES)
    found = [ranks[urgency(row, report.now)] for row in report.rows]
    trouble = sum(found.count(rank) for rank in ("unknown", "ended", "interrupted"))
    figures = (
        ("credentials", len(found), False),
        ("need a look", trouble, trouble > 0),
        ("due for renewal", found.count("due"), False),
        ("wait for somebody", sum(1 for row in report.rows if row.waits_for), False),
        ("older secrets retiring", sum(len(row.retiring) for row in report.rows), False),
    )
    cells = "".join(
        f"<div{' class=alarm' if alarm else ''}><dt>{text(words)}</dt><dd>{number}</dd></div>"
        for words, number, alarm in figures
    )
    return f'<dl class="figures">{cells}</dl>'


def _waits(report: Report) -> str:
    waiting = [row for row in report.rows if row.operation]
    if not waiting:
        return section("waits", "What waits for whom", "<p>Nothing is open, and nobody is waited for.</p>")
    rows = (
        (
            name(str(row.address)),
            _tag(row, report.now),
            text(WHOM.get(row.waits_for, row.waits_for) or "the next apply"),
            text(row.note),
            "<br>".join(name(f"provision handoff show {id}") for id in row.handoffs),
        )
        for row in waiting
    )
    titles = ("Address", "State", "Waits for", "What is known", "To see more")
    caption = f"{count_of(len(waiting), 'operation')} begun and not done"
    return section("waits", "What waits for whom", table(caption, titles, rows))


def _coming(report: Report) -> str:
    found = report.outlook
    heading, days = "What comes", (found.end - found.start).days
    if not found.events:
        return section("timeline", heading, f"<p>Nothing comes in the next {count_of(days, 'day')}.</p>")
    shown_here = len(drawn(found))
    others = len({event.address for event in found.events}) - shown_here
    more = (
        f"<p>{count_of(others, 'credential')} with later events left out of the picture.</p>"
        if others
        else ""
    )
    rows = (
        (
            when(event.at, ahead(event.at, found.start, "overdue")),
            text(SHORT[event.what]),
            name(str(event.address)),
            text(event.why),
        )
        for event in found.events[:EVENTS]
    )
    left = len(found.events) - EVENTS
    caption = f"The next {count_of(days, 'day')}" + (f", without {left} later events" if left > 0 else "")
    picture = f'<div class="wide" role="region" tabindex="0" aria-label="Timeline">{timeline(found)}</div>'
    listing = table(caption, ("When", "What", "Address", "Why"), rows)
    return section("timeline", heading, f"{key()}{picture}{more}{listing}")


def _inventory(report: Report) -> str:
    rows = sorted(report.rows, key=lambda row: (row.address.environment, row.provider))
    parts = [
        _of_environment(report, environment, list(held))
        for environment, held in groupby(rows, key=lambda row: row.address.environment)
    ]
    return section("inventory", "Inventory", "\n".join(parts) or "<p>Nothing is declared or recorded.</p>")


COLUMNS: Final = (
    "Name",
    "Vendor",
    "State",
    "Owner",
    "User",
    "Age",
    "Due",
    "Expires",
    "Retiring",
    "Delivered",
)


def _of_environment(report: Report, environment: str, rows: Sequence[Row]) -> str:
    kind = report.environments.get(environment)
    heading = f"{environment} ({kind})" if kind and kind != environment else environment
    vendors = len({row.provider for row in rows})
    caption = f"{count_of(len(rows), 'credential')} of {count_of(vendors, 'vendor')} in {environment}"
    listing = table(caption, COLUMNS, (tuple(_cells(row, report.now)) for row in rows))
    return f"<h3>{text(heading)}</h3>{listing}"


def _cells(row: Row, now: datetime) -> Iterator[str]:
    yield name(row.address.name)
    yield text(row.provider)
    yield _tag(row, now)
    yield name(row.owner) if row.owner else ""
    yield name(", ".join(row.users)) if row.users else ""
    yield text(ago(row.issued_at, now)) if row.issued_at else ""
    yield when(row.due.at, ahead(row.due.at, now, "now")) if row.due else ""
    yield when(row.expires_at, ahead(row.expires_at, now, "expired"))
    yield "<br>".join(
        f'<span class="name">{number}: {when(until, ahead(until, now, "over"))}</span>'
        for number, until in row.retiring
    )
    yield text(f"{ago(row.delivered_at, now)} ago") if row.delivered_at else ""


def _tag(row: Row, now: datetime) -> str:
    rank = list(URGENCIES)[urgency(row, now)]
    return tag(f"{row.state}{BESIDE.get(rank, '')}", TAGS[rank])


def _history(report: Report) -> str:
    if not report.history:
        return section("history", "Recent history", "<p>Nothing was done yet.</p>")
    rows = (
        (
            when(event.at),
            text(event.event),
            name(str(event.address or "")),
            text(_why(event)),
            text(event.actor),
        )
        for event in reversed(report.history)
    )
    caption = f"The newest {count_of(len(report.history), 'row')} of the audit log"
    listing = table(caption, ("When", "Event", "Address", "Why", "By"), rows)
    return section("history", "Recent history", listing)


def _why(event: AuditRow) -> str:
    told = event.detail.get("reasons") or event.detail.get("reason") or event.detail.get("why") or ""
    return "; ".join(map(str, told)) if isinstance(told, list) else str(told) if told else _digest(event)


def _digest(event: AuditRow) -> str:
    digest = event.detail.get("digest")
    return f"plan {str(digest)[:12]}" if digest else ""
