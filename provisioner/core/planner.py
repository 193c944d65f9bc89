"""Plan: what must happen so that the vendors hold what the manifests say. Pure: same input, same plan.

`CHECKS` is the table of design §6 in its order: the first check that has something to say about an address
decides. The end of an older generation is a change of its own and may stand beside that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from provisioner.core import renewal
from provisioner.core.capabilities import OnChange
from provisioner.core.journal import Action
from provisioner.core.making import (
    drift,
    end,
    field_changes,
    make,
    paths_that_take,
    postpone,
    renamed,
    retire,
    vendor_differences,
)
from provisioner.core.model import Desired, GenerationState, RemoteStatus
from provisioner.core.plan import Change, Plan, Reason
from provisioner.core.privilege import width
from provisioner.core.recovery import in_place
from provisioner.core.situation import Case, Situation, cases
from provisioner.core.underway import never_sent, open_operation

LOST = frozenset({RemoteStatus.DEAD, RemoteStatus.DENIED, RemoteStatus.DISABLED})
"""How a credential can stand at its vendor when its consumers can no longer use it."""

BESIDE_RETIRE = frozenset({Action.UPDATE, Action.RENEW, Action.REPLACE})
"""What may be planned for an address beside the end of an older generation."""


def plan(situation: Situation) -> Plan:
    """Decide every change. The result has no verdicts yet: those are `rails.judge`'s."""
    addresses: list[tuple[tuple[bool, float], list[Change]]] = []
    unchanged = 0
    for case in cases(situation):
        found = list(_decide(case))
        if found:
            addresses.append((_urgency(case, found[0]), found))
        unchanged += not found and case.desired is not None
    addresses.sort(key=lambda one: one[0])
    return Plan(
        project=situation.project,
        state=situation.state,
        environments=dict(situation.environments),
        changes=tuple(change for _, found in addresses for change in found),
        unchanged=unchanged,
        planned_at=situation.now,
        observed_at=situation.observed_at,
        unseen=tuple(
            f"{provider} in {environment}: {listing.unseen}"
            for (provider, environment), listing in sorted(situation.observations.items())
            if listing.unseen
        ),
    )


def _urgency(case: Case, change: Change) -> tuple[bool, float]:
    """What is compromised goes first, the widest scopes before others; the rest stays in its order."""
    if not change.compromised:
        return True, 0
    held = case.record or case.desired
    return False, -width(held.fields.get("scopes") if held else None, case.rules.includes)


def _decide(case: Case) -> Iterator[Change]:
    main = next((change for check in CHECKS if (change := check(case))), None)
    if main is not None:
        yield main
    if main is None or main.action in BESIDE_RETIRE:
        yield from _retirements(case)


def _undeclared(case: Case) -> Change | None:
    if case.desired is not None or case.record is None or not case.record.live:
        return None
    if case.removed:
        return end(case, case.record, Reason("removed", f"removed: {case.removed}"))
    return end(case, case.record, Reason("undeclared", "no longer declared"))


def _revoke_ordered(case: Case) -> Change | None:
    if case.order is None or case.order.action is not Action.REVOKE or case.record is None:
        return None
    return end(case, case.record, Reason("ordered", case.order.reason)) if case.record.live else None


def _absent(case: Case) -> Change | None:
    if case.desired is None:
        return None
    if case.record is None:
        why = Reason("new", f"declared in {case.desired.source}, no record")
        return make(case, case.desired, Action.CREATE, why)
    if case.record.active is None:
        why = Reason("ended", f"declared in {case.desired.source}, nothing active")
        return make(case, case.desired, Action.CREATE, why)
    return None


def _gone(case: Case) -> Change | None:
    """The vendor no longer has, or no longer accepts, what the record says is active."""
    if case.desired is None or case.record is None or not case.looked:
        return None
    if case.observed is None:
        return make(case, case.desired, Action.CREATE, Reason("drift", "drift: gone at the vendor"))
    if case.observed.status in LOST:
        why = Reason("drift", f"drift: {case.observed.status} at the vendor")
        return make(case, case.desired, Action.REPLACE, why)
    return None


def _other_provider(case: Case) -> Change | None:
    if case.desired is None or case.record is None or case.desired.provider == case.record.provider:
        return None
    why = Reason("provider", f"provider {case.record.provider} → {case.desired.provider}")
    return make(case, case.desired, Action.REPLACE, why)


def _field_takes(takes: OnChange, action: Action, case: Case) -> Change | None:
    """A field differs that only a new credential, or only a new secret, can change."""
    if case.desired is None:
        return None
    paths = paths_that_take(case, case.desired, takes)
    if not paths:
        return None
    names = ", ".join(paths)
    if _altered(case, case.desired) >= set(paths):
        why = Reason("drift", f"drift: {names} altered at the vendor, which takes a {action}")
    else:
        why = Reason("differs", f"{names}: takes a {action}")
    return make(case, case.desired, action, why)


def _renewal_ordered(case: Case) -> Change | None:
    if case.order is None or case.order.action is not Action.RENEW or case.desired is None:
        return None
    return _renewal(case, case.desired, Reason("ordered", case.order.reason))


def _renewal(case: Case, desired: Desired, reason: Reason) -> Change | None:
    """A renewal, where the vendor has room for one more; the oldest is never ended to make room."""
    most, live = case.capabilities.max_live, case.record.live if case.record else ()
    if most is None or len(live) < most or in_place(Action.RENEW, case.capabilities):
        return make(case, desired, Action.RENEW, reason)
    if case.order is not None and case.order.compromised:
        return make(case, desired, Action.RENEW, reason)  # its old ones end first
    return postpone(case, desired, Reason("max live", f"{reason.text}; {len(live)} live, {most} allowed"))


def _renewal_due(case: Case) -> Change | None:
    if case.desired is None or case.record is None or case.record.active is None:
        return None
    if not case.record.secret_known:
        return None  # adopted: it is renewed when somebody asks, never on its own
    policy = renewal.Policy.of(case.desired.local.get("rotate"))
    due = renewal.due(policy, case.address, case.record.active, case.now)
    if due is None or due.at > case.now:
        return None
    return _renewal(case, case.desired, Reason("due", due.why))


def _updated(case: Case) -> Change | None:
    if case.desired is None:
        return None
    fields = field_changes(case, case.desired)
    if not fields:
        return None
    return make(case, case.desired, Action.UPDATE, _why_updated(case, [change.path for change in fields]))


def _why_updated(case: Case, paths: list[str]) -> Reason:
    if paths == ["name"] and case.renamed_from:
        return renamed(case.renamed_from)
    if case.desired and _altered(case, case.desired) == set(paths):
        return Reason("drift", f"drift: {', '.join(paths)} altered at the vendor")
    return Reason("differs", f"{', '.join(paths)} differ{'s' if len(paths) == 1 else ''}")


def _altered(case: Case, desired: Desired) -> set[str]:
    """What is otherwise at the vendor although the manifest wants what was applied."""
    edited = {difference.path for difference in vendor_differences(case, desired)}
    return {difference.path for difference in drift(case, desired)} - edited


CHECKS: tuple[Callable[[Case], Change | None], ...] = (
    open_operation,
    _undeclared,
    _revoke_ordered,
    _absent,
    _gone,
    _other_provider,
    partial(_field_takes, OnChange.REPLACE, Action.REPLACE),
    _renewal_ordered,
    _renewal_due,
    partial(_field_takes, OnChange.RENEW, Action.RENEW),
    _updated,
    never_sent,
)
"""What can be said about an address; the first that has something to say decides."""


def _retirements(case: Case) -> Iterator[Change]:
    """Second copies of our generations, and older generations whose overlap is over."""
    if case.record is None:
        return
    for generation, remote_id in case.copies:
        # A create was taken for lost and sent again, and both came about: nobody uses this one.
        why = Reason("copy", f"{remote_id} is a second copy of generation {generation.number}")
        yield retire(case, case.record, generation, why, copy=remote_id)
    for generation in () if case.hold_retire else case.record.generations:
        over = generation.retire_after
        if generation.state is not GenerationState.RETIRING or over is None or over > case.now:
            continue
        why = Reason("overlap", f"overlap of generation {generation.number} ended {over:%Y-%m-%d %H:%M} UTC")
        yield retire(case, case.record, generation, why)
