"""One look at the vendors before a plan: what is there, who their users are, and what we may do ourselves."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from provisioner.cli.places import cannot_open
from provisioner.core.model import Listing, Observations, Via
from provisioner.core.rails import takes_away
from provisioner.core.situation import Situation

if TYPE_CHECKING:
    from provisioner.cli.places import Place, Vendors
    from provisioner.cli.session import Session
    from provisioner.core.plan import Plan
    from provisioner.engine.standing import Answers


def surveyed(session: Session, situation: Situation, places: Collection[Place]) -> Situation:
    """The situation with what the vendors say of these places, all asked at the same time.

    Users only where a declared credential that was asked for links one. Never raises for a vendor: one that
    cannot be asked says so, once.
    """
    return asyncio.run(_surveyed(session, situation, places))


def look(session: Session, places: Collection[Place]) -> Observations:
    """What the vendors show in these places; where one cannot be asked, why. Never raises for a vendor."""

    async def within() -> Observations:
        async with session.vendors() as vendors:
            return await _seen(vendors, places)

    return asyncio.run(within())


def inspected(session: Session, places: Collection[Place]) -> tuple[Observations, frozenset[str]]:
    """The same, with the remote ids of the credentials that this run itself manages these vendors with."""

    async def within() -> tuple[Observations, frozenset[str]]:
        async with session.vendors() as vendors:
            return await asyncio.gather(_seen(vendors, places), _ids(vendors, places))

    return asyncio.run(within())


async def _surveyed(session: Session, situation: Situation, places: Collection[Place]) -> Situation:
    from provisioner.engine.observe import expected_ids
    from provisioner.engine.standing import ask

    expected = expected_ids(situation.records.values(), situation.operations)
    async with session.vendors() as vendors:
        open_ = {place for place in places if not cannot_open(vendors, place)}
        answering = ask(vendors, _linked(situation) & open_, open_)
        observations, answers = await asyncio.gather(_seen(vendors, places, expected), answering)
    silent = {place for place, listing in observations.items() if listing.unseen}
    return replace(
        situation,
        observations=observations,
        observed_at=situation.now,
        users=answers.users,
        authorities=answers.authorities,
        unasked=_unasked(answers, silent),
    )


async def _seen(
    vendors: Vendors, places: Collection[Place], expected: Mapping[Place, Collection[str]] | None = None
) -> Observations:
    from provisioner.engine.observe import observe

    unseen = {place: why for place in places if (why := cannot_open(vendors, place))}
    seen = await observe(vendors, [place for place in places if place not in unseen], expected)
    return {**seen, **{place: Listing(unseen=why) for place, why in unseen.items()}}


def _linked(situation: Situation) -> set[Place]:
    return {
        (one.provider, one.address.environment)
        for one in situation.desired
        if "user" in one.fields
        and one.address.environment in situation.environments
        and situation.selection.holds(one.address)
    }


def _unasked(answers: Answers, silent: Collection[Place]) -> list[str]:
    """Which vendors say one thing and not another; one that says nothing at all is told of already."""
    return [
        f"{provider} in {environment}, {what}: {why}"
        for ((provider, environment), what), why in sorted(answers.unasked.items())
        if (provider, environment) not in silent
    ]


def own_credentials(session: Session, plan: Plan) -> frozenset[str]:
    """The remote ids of the credentials that this run manages vendors with, where the plan ends any.

    A vendor that does not answer has none: nothing ends there either.
    """
    declared = session.registry.declarations
    places = {
        (change.provider, change.address.environment)
        for change in plan.changes
        if takes_away(change, declared[change.provider].capabilities[Via(change.via)])
        and declared[change.provider].capabilities[Via(change.via)].authority
    }
    return asyncio.run(_own(session, places)) if places else frozenset()


async def _own(session: Session, places: Collection[Place]) -> frozenset[str]:
    async with session.vendors() as vendors:
        return await _ids(vendors, places)


async def _ids(vendors: Vendors, places: Collection[Place]) -> frozenset[str]:
    from provisioner.engine.standing import ask

    answers = await ask(vendors, (), [place for place in places if not cannot_open(vendors, place)])
    return frozenset(one.remote_id for one in answers.authorities.values())
