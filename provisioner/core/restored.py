"""A store restored from an older copy: how the vendors give it away, and what it can take over. Pure.

Each credential that we make carries a tag whose nonce is in the journal before the vendor is called. One with
our tag that the journal has never heard of was made by a store that knew more than this one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from provisioner.core.journal import Operation, Phase
from provisioner.core.model import (
    USABLE,
    Address,
    Desired,
    Generation,
    GenerationState,
    JsonObject,
    Listing,
    Observations,
    Observed,
    Record,
    Tag,
    Via,
)
from provisioner.core.plan import Verdict

RAIL = "restored store"

REMEDY = "see what the vendors have, and take it over: provision state reconcile"

MOST_TOLD = 10
"""How many are told one by one: a store may have lost everything."""


class Stranger(Struct, frozen=True):
    """A credential at a vendor that carries our tag."""

    address: Address
    provider: str
    tag: Tag
    observed: Observed

    def __str__(self) -> str:
        what = f"generation {self.tag.generation} ({self.observed.remote_id})"
        return f"{self.address}: {self.provider} has {what}"


class Adoption(Struct, frozen=True):
    """What the store takes over for one address: its record with all generations as they are then."""

    record: Record
    strangers: tuple[Stranger, ...]
    taken: tuple[Generation, ...]
    """The generations that change, or are new."""
    renamed_from: Address | None = None
    """The address that the record has in the store, where that is another one."""
    closed: Operation | None = None
    """An open operation of the older copy that had ended before these were made."""


def tagged(project: str, observations: Observations) -> tuple[Stranger, ...]:
    """Every usable credential that carries a tag of this project and of the environment that it is in.

    A tag of another environment tells of a copied one, which is `bootstrap`'s.
    """
    found = [
        Stranger(one.tag.address, provider, one.tag, one)
        for (provider, environment), listing in observations.items()
        for one in listing.observed.values()
        if one.tag is not None and one.status in USABLE
        if (one.tag.project, one.tag.environment) == (project, environment)
    ]
    return tuple(sorted(found, key=_order))


def _order(stranger: Stranger) -> tuple[Address, int, str]:
    return stranger.address, stranger.tag.generation, stranger.observed.remote_id


def unknown(found: Sequence[Stranger], known: Collection[str]) -> tuple[Stranger, ...]:
    """Those whose tag the store does not know."""
    return tuple(stranger for stranger in found if str(stranger.tag) not in known)


def verdicts(strangers: Sequence[Stranger]) -> tuple[Verdict, ...]:
    """The refusal of every plan that is made on such a store."""
    told = [
        Verdict(RAIL, f"{stranger}, which this store does not know", REMEDY, stranger.address)
        for stranger in strangers[:MOST_TOLD]
    ]
    if left := len(strangers) - len(told):
        told.append(Verdict(RAIL, f"{left} more at the vendors that this store does not know", REMEDY))
    return tuple(told)


class Holdings(Struct, frozen=True):
    """What the store and the manifests say, to weigh strangers against."""

    records: Mapping[Address, Record]
    operations: Mapping[Address, Operation]
    desired: Mapping[Address, Desired]
    vias: Mapping[tuple[str, str], Via]
    """How each vendor is reached, by (provider, environment)."""


def adoptions(
    strangers: Sequence[Stranger], holdings: Holdings, observations: Observations, now: datetime
) -> tuple[Adoption, ...]:
    """What to take over, address by address. Nothing is ended: that is for plans, which people see."""
    return tuple(
        _adoption(address, tuple(group), holdings, observations, now)
        for address, group in groupby(sorted(strangers, key=_order), key=lambda one: one.address)
    )


def _adoption(
    address: Address,
    strangers: tuple[Stranger, ...],
    holdings: Holdings,
    observations: Observations,
    now: datetime,
) -> Adoption:
    desired = holdings.desired.get(address)
    before, record = _held(address, desired, holdings)
    newest = strangers[-1]
    base = record or _new_record(newest, desired, holdings)
    highest = max((g.number for g in base.generations), default=0)
    leads = base.active is None or newest.tag.generation > base.active.number
    taken = _numbered(strangers, highest, now, leads=leads)
    older = [_beside(g, base, taken, observations) if leads else g for g in base.generations]
    operation = holdings.operations.get(before or address)
    return Adoption(
        record=replace(
            base,
            address=address,
            local=_local(base, desired) if leads else base.local,
            generations=(*older, *taken),
            secret_known=base.secret_known and not leads,
        ),
        strangers=strangers,
        taken=(*(g for g, was in zip(older, base.generations, strict=True) if g != was), *taken),
        renamed_from=before,
        closed=_superseded(operation, newest, now) if operation else None,
    )


def _held(
    address: Address, desired: Desired | None, holdings: Holdings
) -> tuple[Address | None, Record | None]:
    """The record of an address, which may go by the name that it had before."""
    if address in holdings.records or desired is None or desired.previously is None:
        return None, holdings.records.get(address)
    before = Address(address.environment, desired.previously)
    if before in holdings.records and before not in holdings.desired:
        return before, holdings.records[before]
    return None, None


def _new_record(newest: Stranger, desired: Desired | None, holdings: Holdings) -> Record:
    """A record of what the store never had. What nobody declares is protected: a person decides."""
    shown = newest.observed.fields
    fields: JsonObject = {k: shown[k] for k in desired.fields if k in shown} if desired else dict(shown)
    return Record(
        address=newest.address,
        provider=newest.provider,
        via=holdings.vias.get((newest.provider, newest.address.environment), Via.API),
        fields=fields,
        local=desired.local if desired else {"protect": True},
        user=desired.user if desired else None,
    )


def _local(record: Record, desired: Desired | None) -> JsonObject:
    """What only we keep: as declared now, which is nearest to what was delivered; protection stays."""
    if desired is None:
        return record.local
    return {**desired.local, "protect": True} if record.protected else desired.local


def _numbered(
    strangers: Sequence[Stranger], highest: int, now: datetime, *, leads: bool
) -> tuple[Generation, ...]:
    """The strangers as generations: the newest is in use, the others end with the next renewal."""
    found: list[Generation] = []
    for stranger in strangers:
        highest = max(highest + 1, stranger.tag.generation)
        active = leads and stranger is strangers[-1]
        found.append(
            Generation(
                number=highest,
                state=GenerationState.ACTIVE if active else GenerationState.RETIRING,
                remote_id=stranger.observed.remote_id,
                tag=str(stranger.tag),
                created_at=stranger.observed.created_at or now,
                expires_at=stranger.observed.expires_at,
                issued_at=stranger.observed.issued_at,
                provider=stranger.provider,
            )
        )
    return tuple(found)


def _beside(
    generation: Generation, record: Record, taken: Sequence[Generation], observations: Observations
) -> Generation:
    """A generation of the older copy beside a newer one: dead if the vendor says so, else it is to end."""
    if not generation.live:
        return generation
    issuer = generation.provider or record.provider
    listing = observations.get((issuer, record.address.environment), Listing(unseen="not looked at"))
    seen = listing.observed.get(generation.remote_id)
    gone = not listing.unseen and (seen is None or seen.status not in USABLE)
    replaced = any((g.provider, g.remote_id) == (issuer, generation.remote_id) for g in taken)
    if gone or replaced:
        return replace(generation, state=GenerationState.RETIRED, retire_after=None)
    if generation.state is GenerationState.RETIRING:
        return generation
    return replace(generation, state=GenerationState.RETIRING, retire_after=None)


def _superseded(operation: Operation, newest: Stranger, now: datetime) -> Operation | None:
    """Operations of an address come one after the other, so an older one had ended."""
    if operation.generation >= newest.tag.generation:
        return None
    note = "it had ended before this store was restored"
    return replace(operation, phase=Phase.DROPPED, waiting="", note=note, updated_at=now)
