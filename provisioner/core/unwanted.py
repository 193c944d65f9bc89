"""What was made at a vendor, and is of no use any more: it is ended instead of finished.

Nobody uses it yet and nobody wants it any more, or somebody ended it at the vendor meanwhile. Without this a
vendor that denies its approval, a sink that is gone for good, or a deleted key would block an address for
ever: what is open comes before anything else.
"""

from __future__ import annotations

from datetime import timedelta

from provisioner.core.capabilities import OnChange
from provisioner.core.diff import differences
from provisioner.core.journal import Action, Operation, Phase
from provisioner.core.model import Desired, RemoteStatus
from provisioner.core.recovery import MAKES
from provisioner.core.situation import Case

NOT_IN_USE = frozenset({Phase.CAPTURED, Phase.VERIFIED})
"""The phases in which a new secret is ours, and no consumer goes by it."""

HOLDS_ONE = NOT_IN_USE | {Phase.DELIVERED, Phase.CUT_OVER}
"""The phases in which there is a credential to go on with."""

MAKES_ANEW = frozenset({Action.CREATE, Action.REPLACE})
"""A renewal is not among them: its secret may be the only one that there is."""

TAKES_ANEW = frozenset({OnChange.REPLACE, OnChange.RENEW})


def given_up(case: Case, operation: Operation) -> str:
    """Why an open operation is to be undone, in words; empty where it is to be finished.

    Where some sinks may have it already, protection holds as for every revoke.
    """
    if _ended_elsewhere(case, operation):
        return f"{_what(operation)} is given up: {operation.remote_id} is gone at the vendor"
    if operation.action not in MAKES_ANEW or operation.phase not in NOT_IN_USE:
        return ""
    unused = operation.waiting == "approval"
    why = _no_longer(case)
    if why and (unused or case.removed or case.record is None or not case.record.protected):
        return f"{_what(operation)} is given up: {why}"
    if unused and case.desired is not None and (paths := _wanted_otherwise(case, case.desired, operation)):
        return f"{_what(operation)} is given up: {paths} changed before the vendor approved it"
    return ""


def vanished(case: Case, operation: Operation) -> bool:
    """Whether a person is to bring a secret of what is gone at its vendor: then there is none to bring.

    A create only: what a renewal or replacement is to end may be there still.
    """
    waits = operation.phase is Phase.SENT and operation.waiting == "handoff" and bool(operation.remote_id)
    if operation.action is not Action.CREATE or not waits or not case.looked:
        return False
    if case.observed is not None:
        return case.observed.status is RemoteStatus.DEAD
    return case.now - operation.updated_at > timedelta(seconds=case.capabilities.consistency)


def _ended_elsewhere(case: Case, operation: Operation) -> bool:
    """Whether its credential is dead, and not only too young for the vendor to show it."""
    if operation.action not in MAKES or operation.phase not in HOLDS_ONE or not case.looked:
        return False
    if case.observed is not None:
        return case.observed.status is RemoteStatus.DEAD
    made = [g.created_at for g in case.record.generations if g.live] if case.record else []
    age = case.now - max(made, default=case.now)  # below nothing where a clock was set back
    return not timedelta(0) <= age <= timedelta(seconds=case.capabilities.consistency)


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
