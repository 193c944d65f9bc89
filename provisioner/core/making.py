"""How a decision becomes a change: its generation, its fields before and after, and what to know first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provisioner.core.capabilities import OnChange, Renewal, SecretAccess, Sessions
from provisioner.core.diff import Difference, differences
from provisioner.core.drift import altered, because, drift
from provisioner.core.handoff import announce, verbs_of
from provisioner.core.journal import Action, Operation
from provisioner.core.model import Desired, Generation, JsonObject, Record
from provisioner.core.plan import Change, FieldChange, Reason
from provisioner.core.privilege import weigh
from provisioner.core.recovery import MAKES
from provisioner.core.situation import ORDERED, Case


def make(case: Case, desired: Desired, action: Action, reason: Reason) -> Change:
    """A change that brings about what is declared: create, update, replace or renew."""
    record = case.record
    return Change(
        address=case.address,
        action=action,
        provider=desired.provider,
        via=desired.via,
        reasons=tuple(_reasons(case, reason)),
        record_version=record.version if record else 0,
        generation=_generation(record, action),
        fields=_first_fields(desired) if action is Action.CREATE else field_changes(case, desired),
        desired=desired_to_json(desired),
        operation=_superseded(case),
        previously=case.renamed_from,
        notes=tuple(_notes(case, desired, action)),
        handoffs=_handoffs(case, desired, action),
        compromised=_compromised(case, action),
        hold_retire=case.hold_retire,
    )


def _compromised(case: Case, action: Action) -> bool:
    return action in MAKES and case.order is not None and case.order.compromised


def _handoffs(case: Case, desired: Desired, action: Action) -> tuple[str, ...]:
    if action is Action.UPDATE and not vendor_differences(case, desired) and not drift(case, desired):
        return ()  # what only we keep changes without anybody
    return tuple(announce(case.declaration, verb) for verb in verbs_of(action, case.capabilities))


def _reasons(case: Case, reason: Reason) -> Iterator[Reason]:
    yield reason
    found = altered(case, case.desired) if case.desired else ()
    if beside := [one for one in found if one.text not in reason.text]:
        yield because(*beside)  # what the change brings back besides
    if case.order is not None and case.order.compromised and reason.code != ORDERED:
        yield Reason(ORDERED, case.order.reason)
    if case.renamed_from and reason.code != "renamed":
        yield renamed(case.renamed_from)


def postpone(case: Case, desired: Desired, reason: Reason) -> Change:
    """A change that cannot be made now, and says what it waits for."""
    record = case.record
    return Change(
        address=case.address,
        action=Action.WAIT,
        provider=desired.provider,
        via=desired.via,
        reasons=(reason,),
        record_version=record.version if record else 0,
        generation=_generation(record, Action.UPDATE),
        operation=_superseded(case),
    )


def renamed(before: str) -> Reason:
    """The reason of a rename, which is neither a revoke nor a create."""
    return Reason("renamed", f"renamed from {before}")


def end(case: Case, record: Record, reason: Reason) -> Change:
    """A change that ends every live generation of an address."""
    live = record.live
    still = case.desired is not None
    return Change(
        address=record.address,
        action=Action.REVOKE,
        provider=record.provider,
        via=record.via,
        reasons=tuple(_why_ended(case, reason)),
        record_version=record.version,
        generation=live[-1].number,
        ends=tuple(generation.number for generation in live),
        operation=_superseded(case),
        handoffs=_ending_handoffs(case, len(live)),
        notes=("it is still declared: the next plan creates it again",) if still else (),
    )


def _why_ended(case: Case, reason: Reason) -> Iterator[Reason]:
    yield reason
    if case.order is not None and case.order.action is Action.REVOKE and reason.code != ORDERED:
        yield Reason(ORDERED, case.order.reason)


def retire(case: Case, record: Record, generation: Generation, reason: Reason, *, copy: str = "") -> Change:
    """A change that ends one older generation, or only a copy of it that stands at the vendor."""
    return Change(
        address=case.address,
        action=Action.RETIRE,
        provider=record.provider,
        via=record.via,
        reasons=(reason,),
        record_version=record.version,
        generation=generation.number,
        ends=() if copy else (generation.number,),
        copy=copy,
        operation=_superseded(case),
        handoffs=_ending_handoffs(case, 1),
    )


def _superseded(case: Case) -> str | None:
    """The open operation that gives way to this change: one that never reached its vendor."""
    return case.operation.id if case.operation else None


def _ending_handoffs(case: Case, count: int) -> tuple[str, ...]:
    return (
        tuple(announce(case.declaration, verb) for verb in verbs_of(Action.REVOKE, case.capabilities)) * count
    )


def go_on(case: Case, operation: Operation, action: Action, reason: Reason) -> Change:
    """A change that goes on with an open operation: recover, activate or wait."""
    return Change(
        address=operation.address,
        action=action,
        provider=operation.provider,
        via=operation.via,
        reasons=(reason,),
        record_version=case.record.version if case.record else 0,
        generation=operation.generation,
        operation=operation.id,
        hold_retire=case.hold_retire,
    )


def desired_to_json(desired: Desired) -> JsonObject:
    """What an apply needs of a declared credential, as the plan carries it."""
    return {
        "fields": dict(desired.fields),
        "local": dict(desired.local),
        "kind": desired.kind.value,
        "user": desired.user,
    }


def field_changes(case: Case, desired: Desired) -> tuple[FieldChange, ...]:
    """Every field that is to change: the vendor's, ours, and what somebody altered at the vendor."""
    record = case.record
    found = list(vendor_differences(case, desired))
    if record is not None:
        found.extend(differences(record.local, desired.local))
    known = {difference.path for difference in found}
    found.extend(difference for difference in drift(case, desired) if difference.path not in known)
    if case.renamed_from:
        found.append(Difference("name", case.renamed_from, case.address.name))
    users = case.users if record is not None and record.provider == desired.provider else None
    return tuple(
        FieldChange(d.path, d.before, d.after, str(weigh(d.path, d.before, d.after, case.rules, users)))
        for d in found
    )


def vendor_differences(case: Case, desired: Desired) -> tuple[Difference, ...]:
    """What the manifest wants otherwise than it was applied, in the fields that the vendor holds."""
    if case.record is None:
        return ()
    return differences(case.record.fields, desired.fields, sets=case.rules.sets)


def paths_that_take(case: Case, desired: Desired, takes: OnChange) -> tuple[str, ...]:
    """The fields that differ, here or at the vendor, and whose change takes this."""
    found = {d.path for d in (*vendor_differences(case, desired), *drift(case, desired))}
    return tuple(path for path in sorted(found) if case.rules.on_change.get(path) is takes)


def _generation(record: Record | None, action: Action) -> int:
    if record is None:
        return 1
    if action is Action.UPDATE and record.active is not None:
        return record.active.number
    return max((generation.number for generation in record.generations), default=0) + 1


def _first_fields(desired: Desired) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(path, None, value, "wider: first access" if path == "scopes" else "")
        for path, value in sorted(desired.fields.items())
    )


def _notes(case: Case, desired: Desired, action: Action) -> Iterator[str]:
    if action is Action.RENEW and case.capabilities.renew is Renewal.IN_PLACE:
        yield "in place: consumers hold a dead secret from the renewal to the delivery"
    elif _compromised(case, action):
        yield "revoked first: consumers hold a dead secret until the delivery"
    if _compromised(case, action) and case.capabilities.sessions is Sessions.OUTLIVE:
        until = case.now + timedelta(seconds=case.capabilities.session_lifetime)
        yield f"sessions that it opened may go on until {until:%Y-%m-%d %H:%M} UTC"
    yield from _left_behind(case.record, desired)
    if action is Action.UPDATE and delivers_anew(case.record, desired):
        if case.record is not None and not case.record.secret_known:
            yield f"secret unknown: nothing is delivered until provision renew {case.address}"
        elif case.capabilities.secret is SecretAccess.RETRIEVABLE:
            yield "the vendor shows the secret again for the new delivery"
        else:
            yield "the new delivery needs an identity that opens the sealed secret"


def _left_behind(record: Record | None, desired: Desired) -> Iterator[str]:
    """What sinks took and will not be told of any more: nobody takes a secret back from its consumers."""
    names: dict[str, set[str]] = {}
    for one in desired.local.get("deliver") or ():
        names.setdefault(one.get("target", ""), set()).update(one.get("as", ()))
    for one in record.local.get("deliver") or () if record else ():
        left = sorted(set(one.get("as", ())) - names.get(one.get("target", ""), set()))
        if left:
            where = f" in {one['target']}" if one.get("target") else ""
            yield f"sink {one['to']} keeps {', '.join(left)}{where}: remove that once nobody reads it"


def delivers_anew(record: Record | None, desired: Desired) -> bool:
    """Whether the present secret goes to other places, or under other names, than it went."""
    return record is not None and record.local.get("deliver") != desired.local.get("deliver")
