"""The status of every address, as columns and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from provisioner.cli.inventory import Row
from provisioner.cli.values import ago, count_of, plain, span
from provisioner.core.model import JsonValue

WHOM = {
    "approval": "the vendor's approval",
    "handoff": "a person in the vendor's portal",
    "identity": "an identity (--identity)",
    "person": "a person",
}
"""Whom an operation waits for, in words."""

COLUMNS: Mapping[str, Callable[[Row, datetime], str]] = {
    "ADDRESS": lambda row, now: str(row.address),
    "PROVIDER": lambda row, now: row.provider,
    "STATE": lambda row, now: row.state,
    "GEN": lambda row, now: str(row.generation or ""),
    "AGE": lambda row, now: ago(row.issued_at, now) if row.issued_at else "",
    "DUE": lambda row, now: ahead(row.due.at if row.due else None, now, "now"),
    "EXPIRES": lambda row, now: ahead(row.expires_at, now, "expired"),
    "RETIRING": lambda row, now: ", ".join(_retiring(*one, now) for one in row.retiring),
    "DELIVERED": lambda row, now: f"{ago(row.delivered_at, now)} ago" if row.delivered_at else "",
    "OWNER": lambda row, now: row.owner,
    "WAITS FOR": lambda row, now: WHOM.get(row.waits_for, row.waits_for),
}
"""Every column; one that is empty for all addresses is left out."""


def status_text(rows: Sequence[Row], now: datetime) -> str:
    """A line for each address, what its operation noted, and a last line that counts."""
    if not rows:
        return "Nothing is declared or recorded."
    lines = columns(COLUMNS, [[column(row, now) for column in COLUMNS.values()] for row in rows])
    notes = [line for row in rows for line in _notes(row)]
    waiting = sum(1 for row in rows if row.waits_for)
    last = count_of(len(rows), "credential") + (f", {waiting} waiting" if waiting else "")
    return "\n".join([*lines, *([""] if notes else []), *notes, "", f"{last}."])


def status_json(rows: Sequence[Row]) -> JsonValue:
    """The same for programs."""
    return {"credentials": [_json(row) for row in rows]}


def columns(titles: Iterable[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Lines of aligned cells under their titles, without columns that are empty."""
    table = [[plain(cell) for cell in row] for row in cells]
    kept = [(number, title) for number, title in enumerate(titles) if any(row[number] for row in table)]
    lines = [[title for _, title in kept], *([row[number] for number, _ in kept] for row in table)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(kept))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _notes(row: Row) -> Iterator[str]:
    if row.note:
        yield f"  {row.address}: {plain(row.note)}"
    for handoff in row.handoffs:
        yield f"  {row.address}: see provision handoff show {handoff}"


def _retiring(number: int, until: datetime | None, now: datetime) -> str:
    return f"{number}" if until is None else f"{number} ({ahead(until, now, 'over')})"


def ahead(value: datetime | None, now: datetime, past: str) -> str:
    """How far away it is, or the word for what is past; empty where there is nothing."""
    if value is None:
        return ""
    return f"in {span(value - now)}" if value > now else past


def _json(row: Row) -> JsonValue:
    return {
        "address": str(row.address),
        "environment": row.address.environment,
        "name": row.address.name,
        "provider": row.provider,
        "owner": row.owner,
        "state": row.state,
        "waits_for": row.waits_for,
        "note": row.note,
        "handoffs": list(row.handoffs),
        "generation": row.generation,
        "secret_known": row.secret_known,
        "users": list(row.users),
        "issued_at": moment(row.issued_at),
        "due_at": moment(row.due.at if row.due else None),
        "due_limit": moment(row.due.limit if row.due else None),
        "due_reason": row.due.why if row.due else "",
        "expires_at": moment(row.expires_at),
        "retiring": [{"generation": number, "until": moment(until)} for number, until in row.retiring],
        "delivered_at": moment(row.delivered_at),
        "done_at": moment(row.done_at),
    }


def moment(value: datetime | None) -> str | None:
    """A moment for programs."""
    return value.isoformat() if value else None
