"""What was made at a vendor, is not in use yet, and nobody wants any more: it is ended instead of finished.

Without this a vendor that denies its approval, or a sink that is gone for good, would block an address for
ever: what is open comes before anything else.
"""

from __future__ import annotations

from provisioner.core.capabilities import OnChange
from provisioner.core.diff import differences
from provisioner.core.journal import Action, Operation, Phase
from provisioner.core.model import Desired
from provisioner.core.situation import Case

NOT_IN_USE = frozenset({Phase.CAPTURED, Phase.VERIFIED})
"""The phases in which a new secret is ours, and no consumer goes by it."""

MAKES_ANEW = frozenset({Action.CREATE, Action.REPLACE})
"""A renewal is not among them: its secret may be the only one that there is."""

TAKES_ANEW = frozenset({OnChange.REPLACE, OnChange.RENEW})


def given_up(case: Case, operation: Operation) -> str:
    """Why an open operation is to be undone, in words; empty where it is to be finished.

    Where some sinks may have it already, protection holds as for every revoke.
    """
    if operation.action not in MAKES_ANEW or operation.phase not in NOT_IN_USE:
        return ""
    unused = operation.waiting == "approval"
    why = _no_longer(case)
    if why and (unused or case.removed or case.record is None or not case.record.protected):
        return f"{_what(operation)} is given up: {why}"
    if unused and case.desired is not None and (paths := _wanted_otherwise(case, case.desired, operation)):
        return f"{_what(operation)} is given up: {paths} changed before the vendor approved it"
    return ""


def _no_longer(case: Case) -> str:
    if case.desired is None:
        return f"removed: {case.removed}" if case.removed else "no longer declared"
    ordered = case.order is not None and case.order.action is Action.REVOKE
    return case.order.reason if case.order is not None and ordered else ""


def _wanted_otherwise(case: Case, desired: Desired, operation: Operation) -> str:
    """What takes another credential than the one that waits; all else is updated once it is in use."""
    if desired.provider != operation.provider:
        return "provider"
    asked = (operation.desired.get("desired") or {}).get("fields", desired.fields)
    found = differences(asked, desired.fields, sets=case.rules.sets)
    return ", ".join(one.path for one in found if case.rules.on_change.get(one.path) in TAKES_ANEW)


def _what(operation: Operation) -> str:
    return f"{operation.action} of generation {operation.generation}"
