"""Findings: everything that the vendors show otherwise than it is recorded, without what to do about it.

What was declared since does not count here: a plan tells that. An address where an operation is under way is
left to it, but for a vendor's approval that it waits for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from provisioner.core.capabilities import Observe
from provisioner.core.drift import STANDING, Finding, rotated, since_applied, standing
from provisioner.core.journal import Operation, Phase
from provisioner.core.model import USABLE, Address, Observed, Via
from provisioner.core.situation import Case, Situation, cases

Place = tuple[str, str]
"""(provider, environment)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is found of one credential."""

    address: Address
    provider: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was looked at, and what was found."""

    project: str
    state: str
    environments: tuple[str, ...]
    found: tuple[Found, ...]
    """In the order of addresses, what is worst of one first."""
    as_recorded: int
    """How many credentials in use were looked at, with nothing to tell."""
    unmanaged: Mapping[Place, tuple[Observed, ...]]
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
        unmanaged=unmanaged(situation),
        unseen={place: one.unseen for place, one in situation.observations.items() if one.unseen},
        blind=_blind(situation),
        observed_at=situation.observed_at,
    )


def unmanaged(situation: Situation) -> dict[Place, tuple[Observed, ...]]:
    """What the vendors show as usable and no record here is of, by place; empty places are left out.

    Another project's tag says that it is managed there; the credential that this run works with itself is
    nobody's to manage; and what carries a tag that we gave belongs to what the tag was given for.
    """
    if not situation.observations:
        return {}
    tags = set(_tags(situation))
    known = {*_held(situation), *((*place, one.remote_id) for place, one in situation.authorities.items())}
    found: dict[Place, tuple[Observed, ...]] = {}
    for place, listing in sorted(situation.observations.items()):
        strangers = tuple(
            one
            for one in listing.observed.values()
            if one.status in USABLE
            and (one.tag is None or one.tag.project == situation.project)
            and (*place, one.remote_id) not in known
            and str(one.tag) not in tags
        )
        if strangers:
            found[place] = strangers
    return found


def counted(strangers: Mapping[Place, Collection[Observed]]) -> Iterator[str]:
    """A line for each place, in words."""
    for (provider, environment), found in strangers.items():
        what = "1 credential" if len(found) == 1 else f"{len(found)} credentials"
        are = "is" if len(found) == 1 else "are"
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


def _held(situation: Situation) -> Iterator[tuple[str, str, str]]:
    for address, record in situation.records.items():
        for generation in record.generations:
            yield generation.provider or record.provider, address.environment, generation.remote_id
    for one in situation.operations:
        if one.remote_id:
            yield one.provider, one.address.environment, one.remote_id
    providers = {one.address: one.provider for one in situation.desired} if situation.imports else {}
    for entry in situation.imports:
        if entry.address in providers:
            yield providers[entry.address], entry.address.environment, entry.remote_id


def _tags(situation: Situation) -> Iterator[str]:
    for record in situation.records.values():
        yield from (generation.tag for generation in record.generations)
    yield from (str(one.tag) for one in situation.operations if one.tag)


def _blind(situation: Situation) -> frozenset[Place]:
    ways = {(one.provider, one.address.environment): one.via for one in situation.desired}
    ways |= {(one.provider, address.environment): one.via for address, one in situation.records.items()}
    return frozenset(
        (provider, environment)
        for (provider, environment), via in ways.items()
        if situation.declarations[provider].capabilities[Via(via)].observe is Observe.NONE
    )
