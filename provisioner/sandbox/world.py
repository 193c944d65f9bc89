"""The sandbox: every vendor's twin over one directory, with one clock."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from starlette.applications import Starlette

from provisioner.sandbox import fault_store, faults
from provisioner.sandbox.application import build
from provisioner.sandbox.database import Database
from provisioner.sandbox.faults import Fault
from provisioner.sandbox.refresh import Refreshed, refresh
from provisioner.sandbox.registry import VENDORS
from provisioner.sandbox.tenancy import TENANTS, Tenancy


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A credential that the vendor ever made, live (`ended_at` is `None`) or dead; never its secret."""

    id: str
    label: str
    status: str
    created_at: datetime
    ended_at: datetime | None
    client_id: str
    fields: Mapping[str, object]


class Sandbox:
    """The twins of all vendors over `directory`; several processes may open the same one.

    `clock` is the base of the sandbox's own time, which `advance` moves forward for every process that shares
    the directory. `app` is the ASGI application: call it in process, or serve it.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._base = clock
        self._database = Database(directory)
        self._seed()
        self.app: Starlette = build(self._database, self._moment)

    def _seed(self) -> None:
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO settings VALUES ('offset', 0)")
            present = {tuple(row) for row in connection.execute("SELECT vendor, tenant FROM tenants")}
            for vendor in VENDORS.values():
                for tenant in TENANTS:
                    if (vendor.name, tenant) not in present:
                        token = secrets.token_urlsafe(32)
                        connection.execute(
                            "INSERT INTO tenants VALUES (?, ?, ?, 0)", (vendor.name, tenant, token)
                        )
                        vendor.seed(Tenancy(connection, vendor.name, tenant, self._moment(connection)))

    def _moment(self, connection: sqlite3.Connection) -> datetime:
        offset = connection.execute("SELECT value FROM settings WHERE name = 'offset'").fetchone()[0]
        return self._base() + timedelta(seconds=offset)

    def now(self) -> datetime:
        """The sandbox's time: the base clock plus everything it was advanced by."""
        with self._database.transaction(writing=False) as connection:
            return self._moment(connection)

    def advance(self, seconds: float) -> None:
        """Let time pass. Raises `ValueError` for a step back: no vendor's clock does that."""
        if not 0 <= seconds < float("inf"):
            raise ValueError("time only moves forward")
        with self._database.transaction() as connection:
            connection.execute("UPDATE settings SET value = value + ? WHERE name = 'offset'", (seconds,))

    def token(self, vendor: str, tenant: str) -> str:
        """The management token of a tenant. Raises `LookupError` for an unknown vendor or tenant."""
        with self._database.transaction(writing=False) as connection:
            row = connection.execute(
                "SELECT token FROM tenants WHERE vendor = ? AND tenant = ?", (vendor, tenant)
            ).fetchone()
        if row is None:
            raise LookupError(f"the sandbox has no {vendor}/{tenant}")
        return str(row["token"])

    def approve(self, vendor: str, key_id: str, decision: Literal["approved", "denied"] = "approved") -> None:
        """Decide on a credential that waits for the vendor (PN2). Raises `LookupError` if none waits."""
        status = {"approved": "active", "denied": "denied"}[decision]
        with self._database.transaction() as connection:
            decided = connection.execute(
                "UPDATE credentials SET status = ? WHERE vendor = ? AND id = ?"
                # A copy in test, which a refresh makes, is no request for access to production.
                " AND tenant = 'production' AND status = 'pending' AND ended_at IS NULL",
                (status, vendor, key_id),
            )
        if decided.rowcount != 1:
            raise LookupError(f"no credential {key_id} waits for {vendor}'s approval")

    @contextmanager
    def tenancy(self, vendor: str, tenant: str) -> Iterator[Tenancy]:
        """The data of a tenant within one transaction, as the vendor's own console works on it.

        Raises `LookupError` for an unknown vendor or tenant.
        """
        if vendor not in VENDORS or tenant not in TENANTS:
            raise LookupError(f"the sandbox has no {vendor}/{tenant}")
        with self._database.transaction() as connection:
            yield Tenancy(connection, vendor, tenant, self._moment(connection))

    def refresh(self) -> tuple[Refreshed, ...]:
        """Copy production over test at every vendor, in one transaction: what became of each one's test."""
        with self._database.transaction() as connection:
            moment = self._moment(connection)
            return tuple(refresh(connection, vendor, moment) for vendor in VENDORS)

    def fault(
        self,
        vendor: str,
        tenant: str,
        kind: str,
        *,
        operation: str | None = None,
        times: int = 1,
        seconds: float | None = None,
    ) -> None:
        """Let the next `times` requests of `operation` meet a fault (see `faults.KINDS`).

        `operation` is `METHOD`, or `METHOD path/{id}` as the vendor's contract writes it; by default every
        one that the kind can act on. Raises `LookupError` for an unknown vendor or tenant, `ValueError` for
        an unknown kind or operation, or a fault that this vendor cannot have.
        """
        chosen = faults.Kind(kind)
        _check_fault(vendor, chosen, operation, times, seconds)
        seconds = faults.KINDS[chosen].seconds if seconds is None else seconds
        with self.tenancy(vendor, tenant) as data:
            stale = chosen is faults.Kind.STALE
            until = data.now + timedelta(seconds=seconds or 0.0) if stale else None
            fault_store.arm(data, Fault(vendor, tenant, chosen, operation or "", seconds, times, until))

    def faults(self) -> list[Fault]:
        """Every fault that still waits for a request, oldest first."""
        with self._database.transaction(writing=False) as connection:
            return [fault for _, fault in fault_store.armed(connection, self._moment(connection))]

    def clear_faults(self) -> None:
        """Forget every fault: the vendors are well again."""
        with self._database.transaction() as connection:
            fault_store.clear(connection)

    def ledger(self, vendor: str, tenant: str) -> list[LedgerEntry]:
        """Every credential ever made there, oldest first: what tests compare with what should be there."""
        with self._database.transaction(writing=False) as connection:
            rows = connection.execute(
                "SELECT id, label, status, created_at, ended_at, client_id, fields FROM credentials"
                " WHERE vendor = ? AND tenant = ? ORDER BY seq",
                (vendor, tenant),
            ).fetchall()
        return [_entry(row) for row in rows]

    def writes(self, vendor: str | None = None, tenant: str | None = None) -> int:
        """How many state changing requests took effect so far; access tokens issued do not count."""
        with self._database.transaction(writing=False) as connection:
            row = connection.execute(
                "SELECT sum(writes) FROM tenants"
                " WHERE vendor = ifnull(?, vendor) AND tenant = ifnull(?, tenant)",
                (vendor, tenant),
            ).fetchone()
        return int(row[0] or 0)

    def close(self) -> None:
        """Close the data; it stays in the directory."""
        self._database.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_fault(
    vendor: str, kind: faults.Kind, operation: str | None, times: int, seconds: float | None
) -> None:
    if vendor not in VENDORS:
        raise LookupError(f"the sandbox has no {vendor}")
    if kind is faults.Kind.WIDER and vendor not in faults.WIDER:
        raise ValueError(f"{vendor} has nothing that it could grant more of")
    if times < 1 or not 0 <= (seconds or 0.0) < float("inf"):
        raise ValueError("a fault meets one request or more, and its seconds are not negative")
    known = {f"{one.method} {one.path}" for one in VENDORS[vendor].operations}
    if operation is not None and operation not in known | {name.partition(" ")[0] for name in known}:
        raise ValueError(f"{vendor} has no {operation!r}; it has {', '.join(sorted(known))}")


def _entry(row: sqlite3.Row) -> LedgerEntry:
    ended = row["ended_at"]
    return LedgerEntry(
        id=row["id"],
        label=row["label"],
        status=row["status"],
        created_at=datetime.fromisoformat(row["created_at"]),
        ended_at=None if ended is None else datetime.fromisoformat(ended),
        client_id=row["client_id"],
        fields=json.loads(row["fields"]),
    )
