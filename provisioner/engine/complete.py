"""Complete: go on with the operation that waits for one handoff, now that somebody does it; or decline it.

The same steps run as in an apply, under the same lease: a handoff is only where they pause.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from provisioner.core.handoff import Answer
from provisioner.core.journal import Handoff, Operation
from provisioner.core.plan import change_from_json
from provisioner.engine import handoff as handoffs
from provisioner.engine.apply import Outcome, Status, ended
from provisioner.engine.context import Context, Waits, Work
from provisioner.engine.operation import drive
from provisioner.engine.ports import Person, Store
from provisioner.errors import HandoffRefused, ProvisionError


async def complete(context: Context, id: str, *, holder: str) -> Outcome:
    """Let the context's person do one handoff, and go on until its operation is done or waits again.

    `holder` says who we are, for whoever meets our lease. Raises HandoffRefused for a handoff that is closed,
    or whose answer is not accepted (nothing of it is kept then), LeaseHeld, and what stops the operation.
    """
    with _leased(context, id, holder) as (_, work):
        person = _OnlyFor(id, context.person) if context.person else None
        work.context = replace(context, person=person)
        return await _go_on(work)


async def decline(context: Context, id: str, why: str, *, holder: str) -> Outcome:
    """Write down that nobody will do a handoff, and go on with what that leaves to be done.

    Raises HandoffRefused for a handoff that is closed or cannot be declined, and LeaseHeld.
    """
    with _leased(context, id, holder) as (handoff, work):
        work.context = replace(context, person=None)
        await handoffs.decline(work, handoff, why)
        return await _go_on(work)


def waiting(store: Store, id: str) -> tuple[Handoff, Operation]:
    """An open handoff, and the operation that waits for it.

    Raises ProvisionError where there is none of this id, HandoffRefused where it cannot be done any more.
    """
    handoff = store.handoff(id)
    if handoff is None:
        raise ProvisionError(f"there is no handoff {id}", remedy="see `provision handoff list`")
    handoffs.require_open(handoff)
    operation = store.operation(handoff.operation)
    if operation is None or not operation.open:
        note = f": {operation.note}" if operation and operation.note else ""
        raise HandoffRefused(f"{id} is not wanted any more: its operation ended{note}")
    return handoff, operation


@contextmanager
def _leased(context: Context, id: str, holder: str) -> Iterator[tuple[Handoff, Work]]:
    """The handoff and its operation, read under the lease: no other run can touch them now."""
    handoff, _ = waiting(context.store, id)
    context.store.acquire([handoff.address.environment], holder=holder)
    try:
        handoff, operation = waiting(context.store, id)
        change = change_from_json(operation.desired)
        yield handoff, Work(context, change, operation, context.store.record(operation.address))
    finally:
        context.store.release()


async def _go_on(work: Work) -> Outcome:
    try:
        await drive(work)
    except Waits as waits:
        return Outcome(work.change, Status.WAITING, waits.text, waits.remedy)
    return ended(work.change, work.operation)


class _OnlyFor:
    """A person who does one handoff, and leaves every other one for later."""

    def __init__(self, id: str, person: Person) -> None:
        self._id = id
        self._person = person

    async def perform(self, handoff: Handoff) -> Answer | None:
        return await self._person.perform(handoff) if handoff.id == self._id else None

    async def again(self, handoff: Handoff, why: str) -> bool:
        return await self._person.again(handoff, why)
