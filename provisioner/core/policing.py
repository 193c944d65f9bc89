"""Policies as a rail: what a plan brings about must fit what they deny, at the moment of the apply. Pure.

A rail is about what a plan does. What has no change in it is `validate`'s to tell, and so that no policy
keeps a secret from being renewed, a renewal that changes nothing else is let through, as an emergency is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from provisioner.core.journal import Action
from provisioner.core.model import Address, Desired, Kind, Record, Source, Via
from provisioner.core.plan import Change, Plan, Verdict
from provisioner.core.policy import Level, Policy, Violation, violations
from provisioner.core.recovery import MAKES


class Policing(Struct, frozen=True):
    """What there is to judge by."""

    policies: Sequence[Policy]
    vendor_fields: Mapping[str, Sequence[str]]
    """By provider: the fields that it has."""
    now: datetime
    """The moment that exceptions and ages are judged at, in UTC."""


def refusals(plan: Plan, policing: Policing, records: Mapping[Address, Record]) -> Iterator[Verdict]:
    """A verdict for each credential that a plan would make otherwise than a policy says."""
    denying = [policy for policy in policing.policies if policy.level is Level.DENY]
    for change in plan.changes if denying else ():
        if not _judged(change):
            continue
        one = _declared(change)
        held = {} if change.action in MAKES else _held(change, records)
        for found in violations(denying, [one], policing.vendor_fields, policing.now, held):
            yield _verdict(found)


def _judged(change: Change) -> bool:
    """Whether a change brings about anything that somebody wrote."""
    if change.desired is None or change.compromised:
        return False
    return change.action is Action.CREATE or bool(change.fields)


def _declared(change: Change) -> Desired:
    """What a change brings about, as the plan carries it."""
    wanted = change.desired or {}
    return Desired(
        address=change.address,
        kind=Kind(wanted["kind"]),
        provider=change.provider,
        via=Via(change.via),
        fields=wanted["fields"],
        local=wanted["local"],
        source=Source("", 0),
        user=wanted["user"],
    )


def _held(change: Change, records: Mapping[Address, Record]) -> dict[Address, Record]:
    """The record of what keeps its secret, under the name that it gets."""
    before = replace(change.address, name=change.previously or change.address.name)
    return {change.address: records[before]} if before in records else {}


def _verdict(found: Violation) -> Verdict:
    name, address = found.policy.name, found.address
    return Verdict(
        "policy",
        f"{address}: {found.text}",
        f"make it fit, or write a dated exception: policies: {{{name}: {{exceptions:"
        f" [{{credential: {address}, until: DATE, reason: …}}]}}}}",
        address,
    )
