"""Findings: everything that the vendors show otherwise than it is recorded, without what to do about it.

What was declared since does not count here: a plan tells that. An address where an operation is under way is
left to it, but for a vendor's approval that it waits for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from provisioner.core.capabilities import Observe
from provisioner.core.drift import STANDING, Finding, rotated, since_applied, standing
from provisioner.core.journal import Operation, Phase
from provisioner.core.model import Address, Via
from provisioner.core.situation import Case, Situation, cases
from provisioner.core.unmanaged import Ours, imported, unmanaged

Place = tuple[str, str]
"""(provider, environment)."""


class Found(Struct, frozen=True):
    """What is found of one credential."""

    address: Address
    provider: str
    finding: Finding


class Findings(Struct, frozen=True):
    """All that was looked at, and what was found."""

    project: str
    state: str
    environments: tuple[str, ...]
    found: tuple[Found, ...]
    """In the order of addresses, what is worst of one first."""
    as_recorded: int
    """How many credentials in use were looked at, with nothing to tell."""
    unmanaged: Mapping[Place, int]
    """How many credentials nobody manages."""
    unseen: Mapping[Place, str]
    """Why nothing could be observed somewhere."""
    blind: frozenset[Place]
    """Where nothing can ever be observed, since only people can look."""
    observed_at: datetime | None

    @property
    def failed(self) -> bool:
        """Whether a vendor that can be asked did not answer: what is there is not known."""
        return bool(self.unseen.keys() - self.blind)


def findings(situation: Situation) -> Findings:
    """Every finding on what was asked for."""
    under_way = {one.address: one for one in situation.operations if one.phase is not Phase.INTENT}
    looked: set[Address] = set()
    found: list[Found] = []
    for case in cases(replace(situation, operations=())):
        if case.record is None or case.record.active is None or not case.looked:
            continue
        if case.record.address not in under_way:
            looked.add(case.address)
            found.extend(Found(case.address, case.record.provider, one) for one in _of(case))
    found.extend(_waiting(situation, under_way.values()))
    found.sort(key=lambda one: one.address)
    return Findings(
        project=situation.project,
        state=situation.state,
        environments=tuple(situation.environments),
        found=tuple(found),
        as_recorded=len(looked - {one.address for one in found}),
        unmanaged=not_managed(situation),
        unseen={place: one.unseen for place, one in situation.observations.items() if one.unseen},
        blind=_blind(situation),
        observed_at=situation.observed_at,
    )


def not_managed(situation: Situation) -> dict[Place, int]:
    """How many usable credentials the vendors show that nobody manages, by place; empty places are left out.

    Another project's or environment's tag says that it is managed there; and the credential that this run
    works with itself is nobody's to manage.
    """
    if not situation.observations:
        return {}
    taken_over = imported(situation.desired, situation.imports)
    ours = Ours.of(situation.records, situation.operations, taken_over)
    used = {one.remote_id for one in situation.authorities.values()}
    strays = unmanaged(situation.project, situation.observations, ours, used)
    return dict(Counter((one.provider, one.environment) for one in strays if not (one.others or one.used)))


def counted(strays: Mapping[Place, int]) -> Iterator[str]:
    """A line for each place, in words."""
    for (provider, environment), count in strays.items():
        what, are = ("1 credential", "is") if count == 1 else (f"{count} credentials", "are")
        yield f"{what} at {provider} in {environment} {are} not managed: provision discover"


def _of(case: Case) -> Iterator[Finding]:
    if (stands := standing(case)) is not None:
        yield stands
    elif (outside := rotated(case)) is not None:
        yield outside
    yield from since_applied(case)


def _waiting(situation: Situation, operations: Iterable[Operation]) -> Iterator[Found]:
    """What was made, and its vendor did not approve yet."""
    for one in operations:
        if one.waiting != "approval" or not situation.selection.holds(one.address):
            continue
        listing = situation.observations.get((one.provider, one.address.environment))
        seen = listing.observed.get(one.remote_id or "") if listing else None
        if seen is not None and seen.status in STANDING:
            yield Found(one.address, one.provider, STANDING[seen.status])


def _blind(situation: Situation) -> frozenset[Place]:
    ways = {(one.provider, one.address.environment): one.via for one in situation.desired}
    ways |= {(one.provider, address.environment): one.via for address, one in situation.records.items()}
    return frozenset(
        (provider, environment)
        for (provider, environment), via in ways.items()
        if situation.declarations[provider].capabilities[Via(via)].observe is Observe.NONE
    )
