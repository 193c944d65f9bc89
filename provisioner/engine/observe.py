"""Observe: ask every vendor what is there, at the same time. One vendor's failure is its own finding."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from provisioner.core.journal import Operation
from provisioner.core.model import Listing, Observations, Record
from provisioner.core.provider import Provider
from provisioner.errors import ProvisionError

Place = tuple[str, str]
"""(provider, environment)."""


async def observe(
    providers: Mapping[Place, Provider],
    places: Iterable[Place],
    expected: Mapping[Place, Collection[str]] | None = None,
) -> Observations:
    """What each vendor shows in each of these places; a place without an answer says why. Never raises.

    `expected` names the remote ids that should be there: one that a list does not show is asked for by
    itself before it counts as gone, since a list may lag behind or be paged while it changes.
    """
    wanted = [place for place in sorted(set(places)) if place in providers]
    known = expected or {}
    listings = await asyncio.gather(*(_one(providers[place], known.get(place, ())) for place in wanted))
    return dict(zip(wanted, listings, strict=True))


async def _one(provider: Provider, expected: Collection[str]) -> Listing:
    try:
        listing = await provider.observe()
        if listing.unseen:
            return listing  # what a vendor does not show on its own is not asked of it one by one
        missing = [remote_id for remote_id in expected if remote_id not in listing.observed]
        found = await asyncio.gather(*(provider.get(remote_id) for remote_id in missing))
    except ProvisionError as error:
        return Listing(unseen=error.why)
    return Listing({**listing.observed, **{one.remote_id: one for one in found if one is not None}})


def expected_ids(records: Iterable[Record], operations: Iterable[Operation]) -> dict[Place, set[str]]:
    """The remote ids that the vendors should show, by place."""
    found: dict[Place, set[str]] = defaultdict(set)
    for record in records:
        if record.active is not None:
            issuer = record.active.provider or record.provider
            found[issuer, record.address.environment].add(record.active.remote_id)
    for operation in operations:
        if operation.remote_id:
            found[operation.provider, operation.address.environment].add(operation.remote_id)
    return found
