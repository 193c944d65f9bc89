"""The vendors' weekly refresh: a tenant's data is copied from production over test.

What was in test is gone, and copies of production's credentials stand there, with the same ids, labels and
secrets, since a copied database knows nothing of environments. PaySpace says that its test credentials are
not overwritten (PS6); the other documents say nothing, so that theirs are is ours, and so is that the
AuthAccess with which FPay's test account is managed stays: without it nobody could work there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from provisioner.sandbox.tenancy import timestamp

KEEP_CREDENTIALS = frozenset({"payspace"})
"""The vendors whose test credentials outlive a refresh (PS6)."""

KEEP_MANAGEMENT = frozenset({"fpay"})
"""The vendors that are managed with a credential like any other."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did to one vendor's test: how many credentials it left, ended and brought."""

    vendor: str
    survived: int
    gone: int
    copied: int
    objects: int
    """Users, projects, payslips and whatever else there is beside credentials, as copied."""


def refresh(connection: sqlite3.Connection, vendor: str, now: datetime) -> Refreshed:
    """Copy this vendor's production over its test; production is only read."""
    gone = copied = 0
    if vendor not in KEEP_CREDENTIALS:
        gone = _end(connection, vendor, timestamp(now))
        copied = _copy(connection, vendor)
    survived = _count(connection, vendor) - copied
    return Refreshed(vendor, survived, gone, copied, _copy_objects(connection, vendor))


def _end(connection: sqlite3.Connection, vendor: str, moment: str) -> int:
    """The ledger remembers what was there; the vendor does not."""
    ended = connection.execute(
        "UPDATE credentials SET ended_at = ?, secret = NULL"
        " WHERE vendor = ? AND tenant = 'test' AND ended_at IS NULL AND client_id IS NOT ?",
        (moment, vendor, _managing(connection, vendor)),
    )
    return ended.rowcount


def _managing(connection: sqlite3.Connection, vendor: str) -> str | None:
    """The client id of the credential that test is managed with, where it is one like any other."""
    if vendor not in KEEP_MANAGEMENT:
        return None
    row = connection.execute(
        "SELECT token FROM tenants WHERE vendor = ? AND tenant = 'test'", (vendor,)
    ).fetchone()
    return str(row["token"]).partition(":")[0]


def _copy(connection: sqlite3.Connection, vendor: str) -> int:
    """Every live credential with its tokens: whatever works in production then works in test as well."""
    originals = _rows(
        connection,
        "SELECT seq, id, label, status, created_at, client_id, secret, fields FROM credentials"
        " WHERE vendor = ? AND tenant = 'production' AND ended_at IS NULL ORDER BY seq",
        vendor,
    )
    for seq, *columns in originals:
        copy = connection.execute(
            "INSERT INTO credentials"
            " (vendor, tenant, id, label, status, created_at, client_id, secret, fields, copied)"
            " VALUES (?, 'test', ?, ?, ?, ?, ?, ?, ?, 1)",
            (vendor, *columns),
        )
        connection.execute(
            "INSERT INTO access_tokens SELECT digest, ?, scope, expires_at FROM access_tokens"
            " WHERE credential = ?",
            (copy.lastrowid, seq),
        )
    return len(originals)


def _copy_objects(connection: sqlite3.Connection, vendor: str) -> int:
    connection.execute("DELETE FROM objects WHERE vendor = ? AND tenant = 'test'", (vendor,))
    copied = connection.execute(
        "INSERT INTO objects (vendor, tenant, kind, id, body)"
        " SELECT vendor, 'test', kind, id, body FROM objects"
        " WHERE vendor = ? AND tenant = 'production' ORDER BY seq",
        (vendor,),
    )
    return copied.rowcount


def _count(connection: sqlite3.Connection, vendor: str) -> int:
    live = "SELECT count(*) FROM credentials WHERE vendor = ? AND tenant = 'test' AND ended_at IS NULL"
    return int(connection.execute(live, (vendor,)).fetchone()[0])


def _rows(connection: sqlite3.Connection, query: str, vendor: str) -> Sequence[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(query, (vendor,))]
