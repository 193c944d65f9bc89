"""An emergency: which secrets were renewed for it already, and what the history is told of it.

The reason names the emergency. An address that got a new secret for the very same reason is left as it is, so
a run that was stopped, or that partly failed, is simply run again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from provisioner.core.journal import Action, Audit
from provisioner.core.model import Address
from provisioner.core.recovery import MAKES
from provisioner.core.situation import Order
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session

ISSUED = frozenset(f"{action} done" for action in MAKES)
"""The events of the history that tell of a new secret in use."""


def order(reason: str) -> Order:
    """The order for one emergency. Raises UsageError without a reason: it is what the audit is for."""
    if not reason.strip():
        raise UsageError("an emergency has a reason", remedy='say it: --reason "INC-4711: laptop stolen"')
    return Order(Action.RENEW, f"compromised: {reason.strip()}", compromised=True)


def issued_for(session: Session, why: str) -> frozenset[Address]:
    """The addresses whose secret in use was issued for this reason, or after that one."""
    with session.store() as store:
        records, history = store.all_records(), store.audit_log()
    return frozenset(
        row.address
        for row in history
        if row.event in ISSUED
        and row.address in records
        and why in row.detail.get("reasons", ())
        and records[row.address].active is not None
    )


def told(session: Session, addresses: Iterable[Address], reason: str) -> tuple[Audit, ...]:
    """One row of the history for each address, before anything is done."""
    now = session.now()
    return tuple(Audit("compromised", now, address, {"reason": reason}) for address in addresses)
