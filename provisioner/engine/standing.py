"""Ask vendors what a plan wants to know besides what is there: who their users are, and what we may do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from msgspec import Struct, field

from provisioner.core.provider import Authority, Provider, TellsAuthority, Users
from provisioner.engine.observe import Place
from provisioner.errors import ProvisionError

T = TypeVar("T")


class Answers(Struct, frozen=True):
    """What the vendors said, by place. One without an answer is in `unasked`, or has nothing to say."""

    users: Mapping[Place, Users] = field(default_factory=dict)
    authorities: Mapping[Place, Authority] = field(default_factory=dict)
    unasked: Mapping[tuple[Place, str], str] = field(default_factory=dict)
    """Why not, by place and what was asked for."""


async def ask(
    providers: Mapping[Place, Provider], linked: Collection[Place], ours: Collection[Place]
) -> Answers:
    """Who the users of `linked` are, and what our credential at `ours` is; all at once. Never raises.

    A vendor that shows no users at all says nothing of any, so none is missing there.
    """
    unasked: dict[tuple[Place, str], str] = {}
    told = [place for place in sorted(ours) if isinstance(providers[place], TellsAuthority)]
    users, authorities = await asyncio.gather(
        _each(providers, sorted(linked), "its users", _users, unasked),
        _each(providers, told, "our own credential", _authority, unasked),
    )
    return Answers(
        users={place: found for place, found in users.items() if found},
        authorities={place: found for place, found in authorities.items() if found is not None},
        unasked=unasked,
    )


async def _each(
    providers: Mapping[Place, Provider],
    places: Collection[Place],
    what: str,
    question: Callable[[Provider], Awaitable[T]],
    unasked: dict[tuple[Place, str], str],
) -> dict[Place, T]:
    found: dict[Place, T] = {}

    async def one(place: Place) -> None:
        try:
            found[place] = await question(providers[place])
        except ProvisionError as error:
            unasked[place, what] = error.why

    await asyncio.gather(*map(one, places))
    return found


async def _users(provider: Provider) -> Users:
    return {user.id: user for user in await provider.users()}


async def _authority(provider: Provider) -> Authority | None:
    return await provider.authority() if isinstance(provider, TellsAuthority) else None
