"""Where faults wait for their requests: rows in the sandbox's database, which every process sees."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from provisioner.sandbox.faults import Fault, Kind, credentials
from provisioner.sandbox.tenancy import Tenancy


def arm(data: Tenancy, fault: Fault) -> None:
    """Let it wait for its requests."""
    past = json.dumps([tuple(row) for row in credentials(data)]) if fault.kind is Kind.STALE else ""
    data.connection.execute(
        "INSERT INTO faults (vendor, tenant, kind, operation, seconds, times, until, past)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            fault.vendor,
            fault.tenant,
            fault.kind,
            fault.operation,
            fault.seconds,
            fault.times,
            fault.until.isoformat() if fault.until else None,
            past,
        ),
    )


def armed(connection: sqlite3.Connection, now: datetime) -> list[tuple[int, Fault]]:
    """Every fault that still waits, oldest first, each with its number."""
    rows = connection.execute("SELECT * FROM faults ORDER BY seq")
    found = [(int(row["seq"]), _fault(row)) for row in rows]
    return [(seq, fault) for seq, fault in found if fault.until is None or now < fault.until]


def clear(connection: sqlite3.Connection) -> None:
    """Forget every fault."""
    connection.execute("DELETE FROM faults")


def some(connection: sqlite3.Connection, vendor: str, tenant: str) -> bool:
    """Whether there may be one for this tenant: the cheap question that every request asks."""
    query = "SELECT 1 FROM faults WHERE vendor = ? AND tenant = ? LIMIT 1"
    return connection.execute(query, (vendor, tenant)).fetchone() is not None


def take(data: Tenancy, method: str, path: str) -> Fault | None:
    """The oldest fault that fits this operation; it waits for one request less from now on."""
    for seq, fault in armed(data.connection, data.now):
        if (fault.vendor, fault.tenant) == (data.vendor, data.tenant) and fault.fits(method, path):
            if fault.kind is not Kind.STALE:
                data.connection.execute("UPDATE faults SET times = times - 1 WHERE seq = ?", (seq,))
                data.connection.execute("DELETE FROM faults WHERE times < 1")
            return fault
    return None


def _fault(row: sqlite3.Row) -> Fault:
    return Fault(
        vendor=row["vendor"],
        tenant=row["tenant"],
        kind=Kind(row["kind"]),
        operation=row["operation"],
        seconds=row["seconds"],
        times=row["times"],
        until=datetime.fromisoformat(row["until"]) if row["until"] else None,
        past=row["past"],
    )
