"""Adoption: what a vendor has already is taken into the state; a secret that we never had is left in use.

An import calls no vendor but to look. A credential whose secret is unknown may be in use by somebody whom no
sink of ours reaches: it is ended or replaced only where a person asked for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from provisioner.core.capabilities import Capabilities, Observe, SecretAccess, Verb
from provisioner.core.diff import declared_only, differences
from provisioner.core.journal import Action
from provisioner.core.making import desired_to_json, postpone
from provisioner.core.model import Desired, Observed, RemoteStatus
from provisioner.core.plan import Change, Reason
from provisioner.core.recovery import MAKES
from provisioner.core.situation import Candidate, Case

UNUSABLE = frozenset({RemoteStatus.DEAD, RemoteStatus.DENIED, RemoteStatus.DISABLED})
"""How a credential can stand at its vendor when there is nothing to take over."""

INSTEAD: Mapping[Action, str] = {
    Action.REVOKE: "it is not revoked: list it under `removed`, or forget it with provision state rm {}",
    Action.REPLACE: "it is not replaced: provision renew {}",
    Action.RENEW: "it is not renewed: provision renew {}",
}
"""What would end a secret that others may use, and what a person says who wants that."""


def imported(case: Case) -> Change | None:
    """The import that a manifest asks for, or why it cannot be; nothing once the address has had that id."""
    candidate, desired = case.candidate, case.desired
    if candidate is None or desired is None or _had(case, desired, candidate):
        return None
    named = f"import of {candidate.entry.remote_id}"
    if why := _refusal(case, desired, candidate):
        return postpone(case, desired, Reason("import", f"{named}: {why}"))
    where = f"listed in {candidate.entry.source}" if candidate.entry.source else "asked for"
    return replace(
        postpone(case, desired, Reason("import", f"{named}, {where}")),
        action=Action.IMPORT,
        generation=max((g.number for g in case.record.generations), default=0) + 1 if case.record else 1,
        desired=desired_to_json(desired),
        remote_id=candidate.entry.remote_id,
        notes=tuple(_notes(case, desired, candidate)),
    )


def held_back(case: Case, change: Change) -> Change:
    """The change itself; or, where it would end what has an unknown secret unasked, what it waits for."""
    if case.record is None or case.record.secret_known or change.action not in INSTEAD:
        return change
    if case.order is not None or any(reason.code == "removed" for reason in change.reasons):
        return change
    why = "; ".join(reason.text for reason in change.reasons)
    instead = INSTEAD[change.action].format(change.address)
    return replace(
        change,
        action=Action.WAIT,
        reasons=(Reason("secret unknown", f"{why}; its secret is unknown, so {instead}"),),
        fields=(),
        desired=None,
        ends=(),
        notes=(),
        handoffs=(),
    )


def left_unknown(case: Case, changes: Sequence[Change]) -> bool:
    """Whether a declared credential's secret is unknown, and stays so."""
    if case.desired is None or case.record is None or case.record.secret_known:
        return False
    return not any(change.action in MAKES for change in changes)


def reads_secret(capabilities: Capabilities) -> bool:
    """Whether the vendor shows a secret again to a call, so that an import knows it at once."""
    return capabilities.secret is SecretAccess.RETRIEVABLE and Verb.CAPTURE not in capabilities.portal


def _had(case: Case, desired: Desired, candidate: Candidate) -> bool:
    """Whether the address has it, or had it: an entry may stay in its file after a renewal, or an end."""
    record = case.record
    return record is not None and any(
        (generation.provider or record.provider, generation.remote_id)
        == (desired.provider, candidate.entry.remote_id)
        for generation in record.generations
    )


def _refusal(case: Case, desired: Desired, candidate: Candidate) -> str:
    if case.record is not None and case.record.live:
        has = case.record.live[-1].remote_id
        return f"{case.address} has {has} already: first provision state rm {case.address}"
    if candidate.held_by is not None:
        return f"{candidate.held_by} has it already: provision state mv {candidate.held_by} {case.address}"
    if case.capabilities.observe is Observe.NONE and Verb.REVOKE not in case.capabilities.portal:
        return f"{desired.provider} lets nobody manage what was not made here: let a new one be created"
    if not candidate.looked:
        return ""  # the apply looks before it takes anything
    return unusable(case.declaration.title, candidate.entry.remote_id, candidate.seen)


def unusable(title: str, remote_id: str, seen: Observed | None) -> str:
    """Why there is nothing to take over; empty where there is."""
    if seen is None:
        return f"{title} has no credential {remote_id}"
    return f"it is {seen.status} at {title}" if seen.status in UNUSABLE else ""


def _notes(case: Case, desired: Desired, candidate: Candidate) -> Iterator[str]:
    if candidate.entry.secret_given:
        yield "its secret was given: it is tried at the vendor, sealed and delivered"
    elif reads_secret(case.capabilities):
        yield "its secret is read at the vendor, sealed and delivered"
    else:
        yield f"secret unknown: nothing is delivered until provision renew {case.address}"
    seen = candidate.seen
    if seen is None:
        yield "not observed: the apply looks first"
        return
    shown = declared_only(desired.fields, seen.fields)
    if differing := differences(shown, desired.fields, sets=case.rules.sets):
        names = ", ".join(one.path for one in differing)
        yield f"otherwise at the vendor: {names}; the plan after the import says what that takes"
    if seen.tag is not None and (seen.tag.project, seen.tag.environment) != (
        candidate.project,
        case.address.environment,
    ):
        yield f"tagged {seen.tag.address} of project {seen.tag.project}: theirs, unless they forgot it"
    if seen.status is RemoteStatus.WAITING:
        yield "it waits for the vendor's approval"
