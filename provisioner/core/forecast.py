"""What comes for one credential: renewals, the expiry, and the ends of older generations. Pure.

Renewals after the next one are as they will be where each is done when it is due. When the vendor will end
a secret that is not issued yet, nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from provisioner.core.model import Address, Generation, GenerationState, Record
from provisioner.core.renewal import Policy, due, duration
from provisioner.core.windows import Opening, window

MOST = 1000
"""Renewals of one credential that are looked ahead to."""


class Coming(StrEnum):
    """What is to happen."""

    RENEW = "renew"
    EXPIRE = "expire"
    RETIRE = "retire"


class Event(Struct, frozen=True):
    """One thing that is to happen, or should have happened already. Moments are UTC."""

    at: datetime
    what: Coming
    address: Address
    generation: int
    """The generation that is renewed, that expires or that is retired."""
    why: str
    window: str = ""
    """The maintenance window that a renewal is made in, as the manifest writes it."""
    opening: Opening | None = None
    """When that window is open."""


def forecast(
    record: Record, policy: Policy | None, now: datetime, until: datetime, *, in_place: bool
) -> Iterator[Event]:
    """What comes until then, in no order. Without a policy nothing renews; `in_place` leaves no old one."""
    for generation in record.live:
        yield from _ends(record.address, generation, until)
    if policy is not None and record.active is not None:
        yield from _renewals(record.address, policy, record.active, now, until, in_place)


def _ends(address: Address, generation: Generation, until: datetime) -> Iterator[Event]:
    expiry, over = generation.expires_at, generation.retire_after
    if expiry is not None and expiry <= until:
        why = f"generation {generation.number}: the vendor ends it"
        yield Event(expiry, Coming.EXPIRE, address, generation.number, why)
    if generation.state is GenerationState.RETIRING and over is not None and over <= until:
        yield _retired(address, generation.number, over)


def _renewals(
    address: Address, policy: Policy, present: Generation, now: datetime, until: datetime, in_place: bool
) -> Iterator[Event]:
    for _ in range(MOST):
        found = due(policy, address, present, now)
        if found is None or found.at > until:
            return
        opening = _opening(policy, max(found.at, now))
        held = policy.window if opening and policy.window else ""
        yield Event(found.at, Coming.RENEW, address, present.number, found.why, held, opening)
        now = max(found.at, now)
        over = now + duration(policy.overlap)
        if not in_place and over <= until:
            yield _retired(address, present.number, over)
        present = Generation(present.number + 1, GenerationState.ACTIVE, "", "", created_at=now)


def _opening(policy: Policy, moment: datetime) -> Opening | None:
    """The opening of the policy's window in which this moment is."""
    found = window(policy.window).next_opening(moment) if policy.window else None
    return found if found is not None and found.start <= moment else None


def _retired(address: Address, number: int, over: datetime) -> Event:
    return Event(over, Coming.RETIRE, address, number, f"the overlap of generation {number} ends")
