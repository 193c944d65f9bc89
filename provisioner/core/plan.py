"""The plan as a value: what would change, why, and a digest over all of it.

A plan is plain data without secrets. Its canonical form is JSON with sorted keys and no white space; the
digest covers everything but who made it, the moments at which it was made and observed, and what it only
tells of besides its changes, so that two plans would do the same exactly when their digests are equal.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from provisioner.core.action import Action
from provisioner.core.canonical import encoded
from provisioner.core.model import Address, JsonObject, JsonValue, Kind

if TYPE_CHECKING:
    from provisioner.core.situation import Situation

FORMAT_VERSION = 1
"""Counts the incompatible changes of the plan's JSON (schemas/plan.json)."""


class Reason(Struct, frozen=True):
    """Why a change is planned: a code for programs, words for people."""

    code: str
    text: str


class FieldChange(Struct, frozen=True):
    """One field before and after; `effect` says what it does to access (core.privilege.Effect)."""

    path: str
    before: JsonValue
    after: JsonValue
    effect: str = ""


class Change(Struct, frozen=True):
    """One planned action on one address, with its reasons, field changes and risks."""

    address: Address
    action: Action
    provider: str
    via: str
    reasons: tuple[Reason, ...]
    record_version: int
    """The version of the record that was planned on; 0 where there was none."""
    generation: int
    """The generation that it makes, updates, or ends last."""
    ends: tuple[int, ...] = ()
    """The generations that it ends: of a revoke or a retire."""
    copy: str = ""
    """Of a retire: the vendor's id of a second credential under that tag, which is ended instead."""
    remote_id: str = ""
    """Of an import: the vendor's id of what is taken into the state."""
    fields: tuple[FieldChange, ...] = ()
    desired: JsonObject | None = None
    """What to bring about: fields, local, user, kind; None where nothing is wanted any more."""
    operation: str | None = None
    """The open operation that it goes on with (wait, activate, recover), or that gives way to it."""
    previously: str | None = None
    """The name that the address had before."""
    notes: tuple[str, ...] = ()
    """What to know before saying yes: outages, sessions that outlive, identities needed."""
    handoffs: tuple[str, ...] = ()
    """The steps that only a person can do, each with the screen's path."""
    compromised: bool = False
    """Somebody else may have the secret: the old one ends first, whatever its consumers face."""
    hold_retire: bool = False
    """Older generations live on although their overlap is over, as in an incident."""

    @property
    def widens(self) -> bool:
        """Whether an existing credential gets more access than it had."""
        return self.action is not Action.CREATE and any(
            field.effect.startswith("wider") for field in self.fields
        )


class Verdict(Struct, frozen=True):
    """One rail's refusal. `address` is None where it speaks of the whole plan."""

    rail: str
    text: str
    remedy: str
    address: Address | None = None


class Plan(Struct, frozen=True):
    """Everything that an apply would do, in the order in which it is shown."""

    project: str
    state: str
    """The store's URL without credentials."""
    environments: Mapping[str, Kind]
    changes: tuple[Change, ...]
    unchanged: int
    planned_at: datetime
    observed_at: datetime | None = None
    unseen: tuple[str, ...] = ()
    """What could not be observed, in words."""
    verdicts: tuple[Verdict, ...] = ()
    """What the rails say; an apply judges again."""
    secrets_unknown: tuple[str, ...] = ()
    """The addresses whose secret we never had, and that this plan leaves so."""
    users_left: tuple[str, ...] = ()
    """What is wrong with the linked users of credentials in use, in words; nothing is done about them."""
    unmanaged: tuple[str, ...] = ()
    """What the vendors have besides what is recorded, counted in words; nothing is done about it."""
    author: str = ""
    """Who made it, as they say themselves; their own approval does not count."""

    @property
    def pending(self) -> bool:
        """Whether an apply would do anything but wait."""
        return any(change.action is not Action.WAIT for change in self.changes)

    def count(self) -> Counter[Action]:
        """How many changes there are of each action."""
        return Counter(change.action for change in self.changes)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over the canonical form without what says nothing of what it would do."""
        still = {key: value for key, value in to_json(self).items() if key not in _CIRCUMSTANCES}
        return hashlib.sha256(encoded(still)).hexdigest()


_CIRCUMSTANCES = frozenset(
    {
        *("planned_at", "observed_at", "author"),
        *("users_left", "unmanaged", "unseen", "unchanged", "secrets_unknown"),
    }
)
"""What of a plan says nothing of what it would do: its author, its moments, what it only tells of."""


def to_json(plan: Plan) -> dict[str, JsonValue]:
    """The plan as JSON, without its digest (schemas/plan.json)."""
    return {
        "format_version": FORMAT_VERSION,
        "project": plan.project,
        "state": plan.state,
        "author": plan.author,
        "environments": {name: kind.value for name, kind in plan.environments.items()},
        "planned_at": plan.planned_at.isoformat(),
        "observed_at": plan.observed_at.isoformat() if plan.observed_at else None,
        "unseen": list(plan.unseen),
        "unchanged": plan.unchanged,
        "secrets_unknown": list(plan.secrets_unknown),
        "users_left": list(plan.users_left),
        "unmanaged": list(plan.unmanaged),
        "changes": [change_to_json(change) for change in plan.changes],
        "verdicts": [
            {
                "rail": verdict.rail,
                "text": verdict.text,
                "remedy": verdict.remedy,
                "address": str(verdict.address) if verdict.address else None,
            }
            for verdict in plan.verdicts
        ],
    }


def from_json(document: JsonObject) -> Plan:
    """The plan that `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    if document["format_version"] != FORMAT_VERSION:
        raise ValueError(
            f"format_version is {document['format_version']}, this version reads {FORMAT_VERSION}"
        )
    observed_at = document["observed_at"]
    return Plan(
        project=document["project"],
        state=document["state"],
        environments={name: Kind(kind) for name, kind in document["environments"].items()},
        changes=tuple(change_from_json(change) for change in document["changes"]),
        unchanged=document["unchanged"],
        planned_at=datetime.fromisoformat(document["planned_at"]),
        observed_at=datetime.fromisoformat(observed_at) if observed_at else None,
        unseen=tuple(document["unseen"]),
        verdicts=tuple(_verdict(verdict) for verdict in document["verdicts"]),
        secrets_unknown=tuple(document["secrets_unknown"]),
        users_left=tuple(document["users_left"]),
        unmanaged=tuple(document["unmanaged"]),
        author=document["author"],
    )


def _verdict(document: JsonObject) -> Verdict:
    address = document["address"]
    return Verdict(
        rail=document["rail"],
        text=document["text"],
        remedy=document["remedy"],
        address=Address.parse(address) if address else None,
    )


def change_to_json(change: Change) -> dict[str, JsonValue]:
    """One change as JSON; an operation keeps it so that recovery can go on from it."""
    return {
        "address": str(change.address),
        "action": change.action.value,
        "provider": change.provider,
        "via": change.via,
        "reasons": [{"code": reason.code, "text": reason.text} for reason in change.reasons],
        "record_version": change.record_version,
        "generation": change.generation,
        "ends": list(change.ends),
        "copy": change.copy,
        "remote_id": change.remote_id,
        "fields": [
            {"path": field.path, "before": field.before, "after": field.after, "effect": field.effect}
            for field in change.fields
        ],
        "desired": change.desired,
        "operation": change.operation,
        "previously": change.previously,
        "notes": list(change.notes),
        "handoffs": list(change.handoffs),
        "compromised": change.compromised,
        "hold_retire": change.hold_retire,
    }


def change_from_json(document: JsonObject) -> Change:
    """The change that `change_to_json` wrote."""
    return Change(
        address=Address.parse(document["address"]),
        action=Action(document["action"]),
        provider=document["provider"],
        via=document["via"],
        reasons=tuple(Reason(**reason) for reason in document["reasons"]),
        record_version=document["record_version"],
        generation=document["generation"],
        ends=tuple(document["ends"]),
        copy=document["copy"],
        remote_id=document.get("remote_id", ""),  # an operation of an older version has none
        fields=tuple(FieldChange(**field) for field in document["fields"]),
        desired=document["desired"],
        operation=document["operation"],
        previously=document["previously"],
        notes=tuple(document["notes"]),
        handoffs=tuple(document["handoffs"]),
        compromised=document["compromised"],
        hold_retire=document["hold_retire"],
    )


def nothing_changes(situation: Situation) -> Plan:
    """The plan where every address is plainly unchanged (core.unchanged), and nothing was observed.

    It is what the planner would say, told without it: most plans of a large project in CI are this one.
    """
    return Plan(
        project=situation.project,
        state=situation.state,
        environments=dict(situation.environments),
        changes=(),
        unchanged=situation.settled,
        planned_at=situation.now,
    )


def judged(plan: Plan, verdicts: tuple[Verdict, ...]) -> Plan:
    """The same plan with what the rails say of it."""
    return replace(plan, verdicts=verdicts)
