"""Copies of production's credentials in a test environment: how they are known, and how they end there. Pure.

A copy is known by its tag, which names production, or, where a vendor kept no tag, by an id that production's
records have. What the records of the environment itself name is never taken for one: only where a vendor has
one access for each user can a copy stand under the very id of ours (TC1, TC8), and there its tag tells.

The end of a copy is an operation of its own, at an address that no manifest can declare and no record has:
`test/payroll@production.2`. So it is journalled, recovered and handed to people like any other, a vendor's
refusal of one stops nothing else, and it counts as no revocation of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from provisioner.core.capabilities import Identity
from provisioner.core.handoff import announce, verbs_of
from provisioner.core.journal import Action, Operation, Phase
from provisioner.core.model import USABLE, Address, Generation, Observed, Record, Via
from provisioner.core.plan import Change, Reason
from provisioner.core.situation import Situation

Place = tuple[str, str]
"""(provider, environment)."""

MARK = "@"
"""Stands in the name of every copy's address, and in no declared one."""

CODE = "production copy"
"""The reason of every change that ends a copy."""


class Production(Struct, frozen=True):
    """What is known of production, to know its copies by."""

    environments: frozenset[str]
    """The declared environments of kind production."""
    records: Mapping[Address, Record]


class Copy(Struct, frozen=True, order=True):
    """A credential in test that is production's."""

    place: Place
    original: Address
    generation: int
    remote_id: str

    def __str__(self) -> str:
        return f"{self.remote_id} is a copy of {self.original}, generation {self.generation}"


def of_copy(address: Address) -> bool:
    """Whether this is the address of a copy."""
    return MARK in address.name


def home_of(address: Address) -> str:
    """The environment of production where the original of this copy is."""
    return address.name.partition(MARK)[2].partition(".")[0]


def copies(situation: Situation, production: Production) -> Iterator[Copy]:
    """Every usable copy in the environments that the situation asks for."""
    ours, at_work = _ids(situation.records), _own(situation)
    theirs = {
        (issuer, generation.remote_id): (address, generation.number)
        for address, issuer, generation in _generations(production.records)
    }
    for place, one in _seen(situation):
        mine = (*place, one.remote_id) in ours
        if one.tag is None:
            original = None if mine else theirs.get((place[0], one.remote_id))
        elif (one.tag.project, one.tag.environment in production.environments) != (situation.project, True):
            original = None
        else:
            original = one.tag.address, one.tag.generation
        if original is None or (*place, one.remote_id) in at_work:
            continue
        if not mine or _one_for_each_user(situation, place):
            yield Copy(place, *original, one.remote_id)


def strangers(situation: Situation, found: tuple[Copy, ...]) -> int:
    """How many usable credentials are neither ours nor copies, nor the one that we work with ourselves."""
    known = _ids(situation.records) | {(*copy.place, copy.remote_id) for copy in found}
    known |= _own(situation)
    return sum(
        (*place, one.remote_id) not in known and not _tagged_ours(situation, place, one)
        for place, one in _seen(situation)
    )


def _tagged_ours(situation: Situation, place: Place, one: Observed) -> bool:
    """What is being made just now has our tag, and no record yet."""
    return one.tag is not None and (one.tag.project, one.tag.environment) == (situation.project, place[1])


def endings(situation: Situation, found: tuple[Copy, ...]) -> Iterator[Change]:
    """A change for each copy that nobody is ending already."""
    open_ = {one.address: one for one in situation.operations}
    for copy, address in _addressed(situation, found):
        before = open_.get(address)
        if before is None or before.phase is Phase.INTENT:
            yield _ending(situation, copy, address, before)


def _ending(situation: Situation, copy: Copy, address: Address, before: Operation | None) -> Change:
    declaration = situation.declarations[copy.place[0]]
    capabilities = declaration.capabilities[Via.API]  # what was listed was listed by a call
    return Change(
        address=address,
        action=Action.RETIRE,
        provider=copy.place[0],
        via=Via.API,
        reasons=(Reason(CODE, f"{copy}: what opens production opens {copy.place[1]}"),),
        record_version=0,
        generation=copy.generation,
        copy=copy.remote_id,
        operation=before.id if before else None,
        notes=(f"in {copy.place[1]} alone: the original has the same id, and stays",),
        handoffs=tuple(announce(declaration, verb) for verb in verbs_of(Action.REVOKE, capabilities)),
    )


def _addressed(situation: Situation, found: tuple[Copy, ...]) -> Iterator[tuple[Copy, Address]]:
    """Each copy with its address: the one that an open operation gave it, else its own."""
    begun = {
        (one.provider, one.address.environment, one.desired.get("copy")): one.address
        for one in situation.operations
        if of_copy(one.address)
    }
    taken = set(begun.values())
    for copy in found:
        address = begun.get((*copy.place, copy.remote_id)) or _address(copy, taken)
        taken.add(address)
        yield copy, address


def _address(copy: Copy, taken: set[Address]) -> Address:
    name = f"{copy.original.name}{MARK}{copy.original.environment}.{copy.generation}"
    address = Address(copy.place[1], name)
    # Production may itself have two under one tag: a request that was given up for lost, and came late.
    return Address(copy.place[1], f"{name}.{copy.remote_id}") if address in taken else address


def _seen(situation: Situation) -> Iterator[tuple[Place, Observed]]:
    for place, listing in sorted(situation.observations.items()):
        if place[1] in situation.environments:
            for _, one in sorted(listing.observed.items()):
                if one.status in USABLE:
                    yield place, one


def _generations(records: Mapping[Address, Record]) -> Iterator[tuple[Address, str, Generation]]:
    for address, record in records.items():
        for generation in record.generations:
            yield address, generation.provider or record.provider, generation


def _ids(records: Mapping[Address, Record]) -> set[tuple[str, str, str]]:
    return {(issuer, address.environment, one.remote_id) for address, issuer, one in _generations(records)}


def _one_for_each_user(situation: Situation, place: Place) -> bool:
    ways = situation.declarations[place[0]].capabilities.values()
    return any(one.identity is Identity.USER for one in ways)


def _own(situation: Situation) -> set[tuple[str, str, str]]:
    """What we work with ourselves: whatever it is a copy of, we do not end it."""
    return {(*place, one.remote_id) for place, one in situation.authorities.items()}
