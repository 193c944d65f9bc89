"""What the twins hold, as text and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.cli.render_status import columns, moment
from provisioner.core.model import JsonValue

if TYPE_CHECKING:
    from provisioner.sandbox.world import LedgerEntry, Sandbox

Ledger = list[tuple[str, str, "LedgerEntry"]]
"""(vendor, tenant, entry)."""


def ledger(twins: Sandbox, *, everything: bool) -> Ledger:
    """Every credential of every twin; `everything` also those that ended."""
    from provisioner.sandbox.registry import VENDORS
    from provisioner.sandbox.tenancy import TENANTS

    return [
        (vendor, tenant, entry)
        for vendor in VENDORS
        for tenant in TENANTS
        for entry in twins.ledger(vendor, tenant)
        if everything or entry.ended_at is None
    ]


def ledger_text(found: Ledger) -> str:
    """A line for each credential."""
    if not found:
        return "The twins hold no credentials."
    cells = [
        [vendor, tenant, entry.id, _status(entry), f"{entry.created_at:%Y-%m-%d %H:%M}", entry.label]
        for vendor, tenant, entry in found
    ]
    return "\n".join(columns(["VENDOR", "TENANT", "ID", "STATUS", "CREATED", "LABEL"], cells))


def ledger_json(found: Ledger) -> JsonValue:
    """The same for programs."""
    return [
        {
            "vendor": vendor,
            "tenant": tenant,
            "id": entry.id,
            "status": _status(entry),
            "label": entry.label,
            "client_id": entry.client_id,
            "created_at": moment(entry.created_at),
            "ended_at": moment(entry.ended_at),
            "fields": dict(entry.fields),
        }
        for vendor, tenant, entry in found
    ]


def _status(entry: LedgerEntry) -> str:
    return "ended" if entry.ended_at else entry.status
