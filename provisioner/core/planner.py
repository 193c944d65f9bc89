"""Plan: what must happen so that the vendors hold what the manifests say. Pure: same input, same plan.

`CHECKS` is the table of design §6 in its order: the first check that has something to say about an address
decides. The end of an older generation is a change of its own and may stand beside that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from msgspec.structs import replace

from provisioner.core import renewal
from provisioner.core.adoption import held_back, imported, left_unknown
from provisioner.core.capabilities import OnChange
from provisioner.core.drift import Kind, altered, because, rotated, standing
from provisioner.core.findings import counted, not_managed
from provisioner.core.journal import Action
from provisioner.core.making import (
    end,
    field_changes,
    make,
    paths_that_take,
    postpone,
    renamed,
    retire,
)
from provisioner.core.model import Address, Desired, GenerationState
from provisioner.core.permitted import permitted
from provisioner.core.plan import Change, Plan, Reason
from provisioner.core.privilege import width
from provisioner.core.recovery import in_place
from provisioner.core.situation import ORDERED, Case, Situation, cases
from provisioner.core.underway import never_sent, open_operation
from provisioner.core.users import left

BESIDE_RETIRE = frozenset({Action.UPDATE, Action.RENEW, Action.REPLACE})
"""What may be planned for an address beside the end of an older generation."""


def plan(situation: Situation) -> Plan:
    """Decide every change. The result has no verdicts yet: those are `rails.judge`'s."""
    addresses: list[tuple[tuple[bool, float], list[Change]]] = []
    unchanged = situation.settled
    unknown: list[str] = []
    for case in cases(situation):
        found = list(_decide(case))
        if found:
            addresses.append((_urgency(case, found[0]), found))
        unchanged += not found and case.desired is not None
        unknown += [str(case.address)] if left_unknown(case, found) else []
    addresses.sort(key=lambda one: one[0])
    return Plan(
        project=situation.project,
        state=situation.state,
        environments=dict(situation.environments),
        changes=tuple(change for _, found in addresses for change in found),
        unchanged=unchanged,
        secrets_unknown=tuple(unknown),
        planned_at=situation.now,
        observed_at=situation.observed_at,
        unseen=tuple(
            f"{provider} in {environment}: {listing.unseen}"
            for (provider, environment), listing in sorted(situation.observations.items())
            if listing.unseen
        )
        + tuple(situation.unasked),
        unmanaged=tuple(counted(not_managed(situation))),
        users_left=tuple(left(situation, _told_of_users(addresses))),
    )


def _told_of_users(addresses: Iterable[tuple[object, list[Change]]]) -> set[Address]:
    """The addresses that have a change which waits for its user."""
    changes = (change for _, found in addresses for change in found)
    return {one.address for one in changes if any(reason.code == "user" for reason in one.reasons)}


def _urgency(case: Case, change: Change) -> tuple[bool, float]:
    """What is compromised goes first, the widest scopes before others; the rest stays in its order."""
    if not change.compromised:
        return True, 0
    held = case.record or case.desired
    return False, -width(held.fields.get("scopes") if held else None, case.rules.includes)


def _decide(case: Case) -> Iterator[Change]:
    main = next((change for check in CHECKS if (change := check(case))), None)
    if main is not None:
        main = held_back(case, main)
        yield permitted(case, main)
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
    return end(case, case.record, Reason(ORDERED, case.order.reason)) if case.record.live else None


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


def _lost(case: Case) -> Change | None:
    """The vendor no longer has, or no longer accepts, what the record says is active."""
    found = standing(case)
    if case.desired is None or found is None:
        return None
    if found.kind is Kind.WAITING:
        return postpone(case, case.desired, because(found))
    action = Action.CREATE if case.observed is None else Action.REPLACE
    return make(case, case.desired, action, because(found))


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
    drifted = [one for one in altered(case, case.desired) if {f.path for f in one.fields} & set(paths)]
    if {field.path for one in drifted for field in one.fields} >= set(paths):
        why = because(*drifted)
        return make(case, case.desired, action, replace(why, text=f"{why.text}, which takes a {action}"))
    return make(case, case.desired, action, Reason("differs", f"{', '.join(paths)}: takes a {action}"))


def _renewal_ordered(case: Case) -> Change | None:
    if case.order is None or case.order.action is not Action.RENEW or case.desired is None:
        return None
    return _renewal(case, case.desired, Reason(ORDERED, case.order.reason))


def _renewal(case: Case, desired: Desired, reason: Reason) -> Change | None:
    """A renewal, where the vendor has room for one more; the oldest is never ended to make room."""
    most, live = case.capabilities.max_live, case.record.live if case.record else ()
    if most is None or len(live) < most or in_place(Action.RENEW, case.capabilities):
        return make(case, desired, Action.RENEW, reason)
    if case.order is not None and case.order.compromised:
        return make(case, desired, Action.RENEW, reason)  # its old ones end first
    return postpone(case, desired, Reason("max live", f"{reason.text}; {len(live)} live, {most} allowed"))


def _rotated(case: Case) -> Change | None:
    """Somebody else had the secret replaced: what consumers were given is dead."""
    found = rotated(case)
    if case.desired is None or case.record is None or found is None or not case.record.secret_known:
        return None
    return _renewal(case, case.desired, because(found))


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
    drifted = altered(case, case.desired) if case.desired else ()
    theirs = {field.path for one in drifted for field in one.fields}
    ours = [path for path in paths if path not in theirs]
    if not ours:
        return because(*drifted)
    return Reason("differs", f"{', '.join(ours)} differ{'s' if len(ours) == 1 else ''}")


CHECKS: tuple[Callable[[Case], Change | None], ...] = (
    open_operation,
    _undeclared,
    _revoke_ordered,
    imported,
    _absent,
    _lost,
    _other_provider,
    partial(_field_takes, OnChange.REPLACE, Action.REPLACE),
    _renewal_ordered,
    _rotated,
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
