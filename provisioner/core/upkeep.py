"""Upkeep: what keeps credentials alive without anybody's look at the manifests' changes. Pure.

Renewals that are due, the ends of older generations, and what goes on with an open operation. Whatever a
person changed in the manifests waits for a plan that a person looks at: what is renewed is renewed as it was
last applied, and what is no longer declared is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from provisioner.core import permitted
from provisioner.core.journal import Action, Operation, Phase
from provisioner.core.model import Address, Desired, Record
from provisioner.core.plan import Change, Plan
from provisioner.core.planner import plan as decide
from provisioner.core.situation import Situation

KEEPS = frozenset({Action.RETIRE, Action.RECOVER, Action.ACTIVATE, Action.WAIT})
"""What upkeep does beside renewals that are due."""

FOR_A_PLAN = frozenset({"given up", "import", "secret unknown"})
"""The reasons that speak of what the manifests want now, which is for a plan that a person looks at."""

REFUSED = frozenset(permitted.REFUSALS)
"""The reasons for which a vendor would refuse a change: here they matter for a renewal that is due."""


def plan(situation: Situation) -> Plan:
    """The part of a plan that is upkeep. It has no verdicts yet."""
    applied = as_applied(situation)
    made = decide(replace(situation, desired=[*applied.values(), *_of_the_manifests(situation, applied)]))
    return replace(made, changes=tuple(_kept(made, applied)))


def as_applied(situation: Situation) -> dict[Address, Desired]:
    """Each credential that is still declared, under either name, as its record says that it was applied.

    Without those in the middle of something at a vendor: that is brought to its end as it was begun.
    """
    names = dict(_names(situation))
    under_way = {one.address for one in situation.operations if _reached_its_vendor(one)}
    return {
        address: _applied(record, names[address])
        for address, record in situation.records.items()
        if address in names and address not in under_way
    }


def _kept(made: Plan, applied: Mapping[Address, Desired]) -> Iterator[Change]:
    for change in made.changes:
        codes = {reason.code for reason in change.reasons}
        if change.action is Action.RENEW and "due" in codes and change.address in applied:
            yield replace(change, fields=())  # what somebody altered at the vendor is a person's to look at
        elif change.action in KEEPS and not FOR_A_PLAN & codes and ("due" in codes or not REFUSED & codes):
            yield change


def _of_the_manifests(situation: Situation, applied: Mapping[Address, Desired]) -> list[Desired]:
    """What the rest is to become, so that an open operation is not taken for one that nobody wants."""
    return [one for one in situation.desired if one.address not in applied and _old_name(one) not in applied]


def _names(situation: Situation) -> Iterator[tuple[Address, Desired]]:
    """Every declared credential by its name, and by the one that its record may still have."""
    for desired in situation.desired:
        if (before := _old_name(desired)) is not None:
            yield before, desired
    for desired in situation.desired:
        yield desired.address, desired


def _old_name(desired: Desired) -> Address | None:
    return replace(desired.address, name=desired.previously) if desired.previously else None


def _applied(record: Record, declared: Desired) -> Desired:
    return replace(
        declared,
        address=record.address,
        provider=record.provider,
        via=record.via,
        fields=record.fields,
        local=record.local,
        user=record.user,
        previously=None,
    )


def _reached_its_vendor(operation: Operation) -> bool:
    return operation.phase is not Phase.INTENT
