"""What is under way: an operation that is open after a crash, or waits, and how a plan goes on with it."""

from __future__ import annotations

from provisioner.core.capabilities import Observe
from provisioner.core.journal import Action, Operation, Phase
from provisioner.core.making import desired_to_json, go_on
from provisioner.core.model import RemoteStatus
from provisioner.core.plan import Change, Reason
from provisioner.core.recovery import MAKES, in_place
from provisioner.core.redirect import redirected
from provisioner.core.situation import Case
from provisioner.core.unwanted import given_up, vanished

PHASE_WORDS = {
    "intent": "intended, compromised,",
    "sent": "sent, answer never seen,",
    "captured": "secret captured and sealed",
    "verified": "secret verified, not delivered everywhere,",
    "delivered": "delivered",
    "cut_over": "cut over",
    "unknown": "outcome unknown since",
}
"""How far an operation got, in words that a moment can follow."""

DESIRES = MAKES | {Action.UPDATE}
"""The actions that bring about what a manifest declares."""


def open_operation(case: Case) -> Change | None:
    """What may have reached a vendor is brought to its end before anything else on that address."""
    if case.operation is None or _reconsidered(case, case.operation):
        return None
    if why := given_up(case, case.operation):
        return go_on(case, case.operation, Action.RECOVER, Reason("given up", why))
    how, why_open = _how_to_go_on(case, case.operation), _why_open(case, case.operation)
    return redirected(case, case.operation, go_on(case, case.operation, how, why_open))


def never_sent(case: Case) -> Change | None:
    """An intent that never left, and that nothing above wants any more: recovery drops it."""
    if case.operation is None:
        return None
    why = Reason("dropped", f"{case.operation.action} intended, never done, no longer planned")
    return go_on(case, case.operation, Action.RECOVER, why)


def _reconsidered(case: Case, operation: Operation) -> bool:
    """Whether it asks a person for something that is not wanted any more, or wanted otherwise.

    What nobody did yet gives way to the new plan. Once a vendor was called it is brought to its end; so is
    what was begun because a secret is compromised.
    """
    if operation.phase is Phase.INTENT:
        return not operation.desired.get("compromised")
    if operation.waiting != "handoff" or operation.phase is not Phase.SENT:
        return False
    if vanished(case, operation):
        return True
    if (
        operation.action in MAKES
        and operation.remote_id
        and not in_place(operation.action, case.capabilities)
    ):
        return False
    wanted = desired_to_json(case.desired) if case.desired else None
    return operation.action in DESIRES and operation.desired.get("desired") != wanted


def _how_to_go_on(case: Case, operation: Operation) -> Action:
    if operation.phase is Phase.UNKNOWN or operation.waiting == "handoff":
        return Action.WAIT
    if operation.waiting != "approval":
        return Action.RECOVER
    if case.capabilities.observe is Observe.NONE:
        return Action.ACTIVATE  # nothing shows the decision but trying the secret
    approved = case.observed is not None and case.observed.status is RemoteStatus.LIVE
    return Action.ACTIVATE if approved else Action.WAIT


def _why_open(case: Case, operation: Operation) -> Reason:
    since = f"{operation.updated_at:%Y-%m-%d %H:%M} UTC"
    if operation.waiting == "approval":
        return _why_waiting(case, since)
    if operation.waiting == "handoff":
        return Reason("handoff", f"waits for a person since {since}: {operation.note}")
    note = f"; {operation.note}" if operation.note else ""
    how_far = f"{operation.action} of generation {operation.generation}: {PHASE_WORDS[operation.phase]}"
    return Reason("open", f"{how_far} {since}{note}")


def _why_waiting(case: Case, since: str) -> Reason:
    status = case.observed.status if case.observed else None
    if status is RemoteStatus.LIVE:
        return Reason("approved", "approved by the vendor")
    if status is RemoteStatus.DENIED:
        remedy = f"take it up with them, or end it: provision revoke {case.address}"
        return Reason("denied", f"denied by the vendor: {remedy}")
    tried = "; its secret is tried again" if case.capabilities.observe is Observe.NONE else ""
    return Reason("approval", f"waits for the vendor's approval since {since}{tried}")
