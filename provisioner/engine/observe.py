"""Observe: ask every vendor what is there, at the same time. One vendor's failure is its own finding."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from provisioner.core.model import Listing, Observations
from provisioner.core.provider import Provider
from provisioner.errors import ProvisionError

Place = tuple[str, str]
"""(provider, environment)."""


async def observe(providers: Mapping[Place, Provider], places: Iterable[Place]) -> Observations:
    """What each vendor shows in each of these places; a place without an answer says why. Never raises."""
    wanted = [place for place in sorted(set(places)) if place in providers]
    listings = await asyncio.gather(*(_one(providers[place]) for place in wanted))
    return dict(zip(wanted, listings, strict=True))


async def _one(provider: Provider) -> Listing:
    try:
        return await provider.observe()
    except ProvisionError as error:
        return Listing(unseen=error.message)
