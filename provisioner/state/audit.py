"""The tamper-evident history: each row's digest covers the row and the digest before it (design §8).

An edit shows at its row, a removed row as a gap, a replaced row at the next one. A cut tail leaves a
chain that is whole, so it shows only against a head that was kept elsewhere (`audit head`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, text

from provisioner.core.canonical import canonical, encoded
from provisioner.core.journal import Audit
from provisioner.core.model import Address
from provisioner.state.rows import stored
from provisioner.state.tables import AUDIT
from provisioner.state.together import write
from provisioner.state.values import AuditHead, AuditRow, Finding, genesis

COLUMNS = (
    AUDIT.c.seq,
    AUDIT.c.at,
    AUDIT.c.actor,
    AUDIT.c.event,
    AUDIT.c.address,
    AUDIT.c.detail,
    AUDIT.c.previous,
    AUDIT.c.digest,
)

NEWEST = (
    select(AUDIT.c.seq, AUDIT.c.digest)
    .where(AUDIT.c.project == bindparam("project"))
    .order_by(AUDIT.c.seq.desc())
    .limit(1)
)


def append(connection: Connection, project: str, events: Sequence[tuple[str, Audit]]) -> None:
    """Add events, each with its actor, in the caller's transaction: without it, they did not happen."""
    if not events:
        return
    if connection.dialect.name == "postgresql":
        # The chain has one end, and runners on other environments of the project add to it as well.
        lock = hashlib.sha256(f"provision audit {project}".encode()).digest()[:8]
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": int.from_bytes(lock, signed=True)}
        )
    end = head(connection, project)
    rows = []
    for actor, event in events:
        rows.append(_row(project, actor, event, end))
        end = AuditHead(rows[-1]["seq"], rows[-1]["digest"])
    write(connection, AUDIT, rows)


def head(connection: Connection, project: str) -> AuditHead:
    """The end of the chain; of an empty one, sequence 0 and a digest of the project's name."""
    found = connection.execute(NEWEST, {"project": project}).first()
    return AuditHead(0, genesis(project)) if found is None else AuditHead(*found)


def log(
    connection: Connection, project: str, address: Address | None = None, *, after: int = 0
) -> Iterator[AuditRow]:
    """The history from a row on, or one address's part of it, oldest first."""
    chosen = _chain(project)
    if after > 0:
        chosen = chosen.where(AUDIT.c.seq > after)
    if address is not None:
        chosen = chosen.where(AUDIT.c.address == str(address))
    for seq, at, actor, event, told, detail, previous, digest in connection.execute(chosen):
        about = None if told is None else Address.parse(told)
        yield AuditRow(
            seq, datetime.fromisoformat(at), actor, event, about, json.loads(detail), previous, digest
        )


def holds(connection: Connection, project: str, kept: AuditHead) -> bool:
    """Whether the chain leads through a head that was kept; a store that was restored may end before it."""
    if kept.seq == 0:
        return kept.digest == genesis(project)
    row = select(AUDIT.c.digest).where(AUDIT.c.project == project, AUDIT.c.seq == kept.seq)
    return connection.execute(row).scalar_one_or_none() == kept.digest


def verify(connection: Connection, project: str, kept: AuditHead | None = None) -> list[Finding]:
    """Everything that is wrong with the history; with a kept head, also whether it still leads there."""
    rows = connection.execution_options(yield_per=1000).execute(_chain(project))
    return list(_findings(rows, AuditHead(0, genesis(project)), kept))


def _chain(project: str) -> Select[Any]:
    return select(*COLUMNS).where(AUDIT.c.project == project).order_by(AUDIT.c.seq)


def _findings(rows: Iterable[Any], end: AuditHead, kept: AuditHead | None) -> Iterator[Finding]:
    for row in rows:
        seq, previous, digest = row[0], row[6], row[7]
        if not isinstance(seq, int):  # SQLite keeps whatever was put into a column
            yield Finding(end.seq + 1, f"was edited: {seq!r} is no number of a row")
            continue
        if seq != end.seq + 1:
            yield Finding(end.seq + 1, f"is missing; the next one is row {seq}")
        elif previous != end.digest:
            yield Finding(seq, "does not follow the row before it: one of the two was replaced")
        if _digest(previous, row[:6]) != digest or any(isinstance(cell, bytes) for cell in row):
            yield Finding(seq, "was edited: its digest is not that of its text")
        if kept is not None and kept.seq == seq and kept.digest != digest:
            yield Finding(seq, "is not the row that the kept head names: the history was rewritten")
        end = AuditHead(seq, digest)
    if kept is not None and kept.seq > end.seq:
        yield Finding(end.seq + 1, f"is missing: the kept head says that there are {kept.seq} rows")


def _row(project: str, actor: str, event: Audit, end: AuditHead) -> dict[str, Any]:
    address = None if event.address is None else str(event.address)
    told = (end.seq + 1, stored(event.at), actor, event.event, address, canonical(event.detail))
    row = dict(zip(("seq", "at", "actor", "event", "address", "detail"), told, strict=True))
    return row | {"project": project, "previous": end.digest, "digest": _digest(end.digest, told)}


def _digest(previous: str, told: Sequence[Any]) -> str:
    # As a JSON list no two rows read alike, bytes apart: they read like their base64 (see `_findings`).
    return hashlib.sha256(encoded([previous, *told])).hexdigest()
