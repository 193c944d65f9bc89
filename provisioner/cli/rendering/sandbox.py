"""What the twins hold, as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from provisioner.cli.rendering.status import columns, moment
from provisioner.cli.values import count_of
from provisioner.core.model import JsonValue

if TYPE_CHECKING:
    from provisioner.sandbox.refresh import Refreshed
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


def refreshed(vendors: Sequence[Refreshed]) -> str:
    """What a refresh did, in a line for each vendor."""
    return "\n".join(f"{one.vendor}: {_became(one)}" for one in vendors)


def _became(one: Refreshed) -> str:
    credentials = count_of(one.gone, "test credential")
    copies = f"{one.copied} of production's stand{'s' * (one.copied == 1)} there instead"
    replaced = [f"{credentials} gone, {copies}"] * bool(one.gone or one.copied)
    kept = [f"{count_of(one.survived, 'test credential')} kept"] * bool(one.survived)
    data = [f"{count_of(one.objects, 'other object')} copied"] * bool(one.objects)
    return "; ".join([*kept, *replaced, *data]) or "nothing to copy"


def _status(entry: LedgerEntry) -> str:
    return "ended" if entry.ended_at else entry.status
