"""Apply: carry out a plan, and nothing but the plan.

Changes of one address run one after the other, in the plan's order; addresses run at the same time. One
credential's failure stops that credential only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import groupby

from msgspec import Struct

from provisioner.core.capabilities import Observe
from provisioner.core.copies import of_copy
from provisioner.core.journal import Action, Audit, HandoffState, Operation, Phase
from provisioner.core.model import Address, Record, Via
from provisioner.core.plan import Change, Plan, Verdict
from provisioner.engine.context import Context, Waits, Work
from provisioner.engine.handoff import waits_for
from provisioner.engine.operation import Read, begin, carry_out
from provisioner.errors import PlanStale, ProvisionError, RailsRefused, Refused


class Status(StrEnum):
    """What became of a change."""

    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"
    NOT_STARTED = "not started"


class Outcome(Struct, frozen=True):
    """What became of one change, in words where it is not done."""

    change: Change
    status: Status
    text: str = ""
    remedy: str = ""
    refused: bool = False
    """Whether it failed because provision must not do it."""


class Summary(Struct, frozen=True):
    """What became of a plan."""

    outcomes: tuple[Outcome, ...]

    def of(self, status: Status) -> tuple[Outcome, ...]:
        """The outcomes of one status, in the plan's order."""
        return tuple(outcome for outcome in self.outcomes if outcome.status is status)

    @property
    def exit_code(self) -> int:
        """1 when anything failed or was left, 3 when all that failed was refused, 5 when something waits
        for people, else 0 (design §10)."""
        if failed := (*self.of(Status.FAILED), *self.of(Status.NOT_STARTED)):
            return 3 if all(outcome.refused for outcome in failed) else 1
        return 5 if self.of(Status.WAITING) else 0


async def apply(
    context: Context,
    plan: Plan,
    verdicts: Iterable[Verdict],
    *,
    approvals: Sequence[Audit] = (),
    holder: str,
    parallelism: int = 50,
    stopping: Callable[[], bool] = lambda: False,
) -> Summary:
    """Carry out a plan under the lease of its environments.

    `verdicts` are the rails' on this plan, judged now; `approvals` are the rows that tell whose word let it
    be done; `holder` says who we are, for whoever meets our lease; `stopping` is asked before each change is
    begun. Raises RailsRefused, PlanStale or LeaseHeld before anything is done.
    """
    refuse(verdicts)
    environments = sorted({change.address.environment for change in plan.changes})
    if not environments:
        return Summary(())
    context.store.acquire(environments, holder=holder)
    try:
        records = context.store.records(environments)
        check_fresh(plan, records, context.store.operations(environments))
        told = Audit("apply", context.now(), detail={"digest": plan.digest, "author": plan.author})
        await context.store.commit([*approvals, told])
        return await _run(context, plan.changes, records, parallelism, stopping)
    finally:
        context.store.release()


def refuse(verdicts: Iterable[Verdict]) -> None:
    """Raise RailsRefused with every refusal, when there is one."""
    found = list(verdicts)
    if found:
        lines = "\n".join(f"  {verdict.rail}: {verdict.text}; {verdict.remedy}" for verdict in found)
        raise RailsRefused(f"the rails refuse this plan:\n{lines}")


def check_fresh(plan: Plan, records: Mapping[Address, Record], operations: Iterable[Operation]) -> None:
    """Raise PlanStale if an address in the plan moved since it was made; others may have."""
    open_now = {operation.address: operation.id for operation in operations}
    moved = sorted({change.address for change in plan.changes if _moved(change, records, open_now)})
    if moved:
        names = ", ".join(map(str, moved))
        raise PlanStale(f"{names} moved since the plan was made", remedy="plan again, look, and apply that")


def _moved(change: Change, records: Mapping[Address, Record], open_now: Mapping[Address, str]) -> bool:
    name = change.previously or change.address.name
    record = records.get(Address(change.address.environment, name))
    version = record.version if record else 0
    return version != change.record_version or open_now.get(change.address) != change.operation


async def _run(
    context: Context,
    changes: Sequence[Change],
    records: Mapping[Address, Record],
    parallelism: int,
    stopping: Callable[[], bool],
) -> Summary:
    places = asyncio.Semaphore(parallelism)
    begun = await _begin_compromised(context, changes)

    async def one_address(group: list[Change]) -> list[Outcome]:
        async with places:
            return await _in_turn(context, group, begun, records, stopping)

    outcomes: list[list[Outcome]] = []
    for some in _waves(changes):
        by_address = groupby(some, key=lambda change: change.address)
        outcomes += await asyncio.gather(*(one_address(list(group)) for _, group in by_address))
    return Summary(tuple(outcome for group in outcomes for outcome in group))


def _waves(changes: Sequence[Change]) -> Iterable[Sequence[Change]]:
    """Copies of production's first: where there is one for each user, they hold the place of ours (TC1)."""
    copies = [change for change in changes if of_copy(change.address)]
    return (copies, [change for change in changes if not of_copy(change.address)]) if copies else (changes,)


async def _begin_compromised(context: Context, changes: Sequence[Change]) -> dict[Address, Work]:
    """All of an emergency is in the journal before the first of it is done, so that no kill forgets any."""
    works = await asyncio.gather(*(begin(context, change) for change in changes if change.compromised))
    return {work.address: work for work in works}


async def _in_turn(
    context: Context,
    changes: list[Change],
    begun: Mapping[Address, Work],
    records: Mapping[Address, Record],
    stopping: Callable[[], bool],
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for change in changes:
        if stopping() or any(outcome.status is Status.FAILED for outcome in outcomes):
            outcomes.append(Outcome(change, Status.NOT_STARTED))
        else:
            # Nobody but us writes under the lease: before its first change, a record is as it was read.
            read = None if outcomes or change.previously else records.get
            outcomes.append(await _one(context, change, begun.get(change.address), read))
    return outcomes


async def _one(context: Context, change: Change, begun: Work | None, read: Read | None) -> Outcome:
    if change.action is Action.WAIT and not _worth_trying(context, change):
        return _still_waiting(context, change)
    try:
        work = begun if change.compromised else None
        return ended(change, await carry_out(context, change, work, read))
    except Waits as waits:
        return Outcome(change, Status.WAITING, waits.text, waits.remedy)
    except ProvisionError as error:
        return Outcome(change, Status.FAILED, error.message, error.remedy, isinstance(error, Refused))


def ended(change: Change, operation: Operation) -> Outcome:
    """What became of a change whose operation is closed."""
    failed = operation.phase is Phase.FAILED
    return Outcome(change, Status.FAILED if failed else Status.DONE, operation.note if failed else "")


def _worth_trying(context: Context, change: Change) -> bool:
    """Whether something can be done about what waits: a person is at hand, or only trying shows approval."""
    codes = {reason.code for reason in change.reasons}
    if "approval" in codes:
        known = context.declarations[change.provider].capabilities[Via(change.via)]
        return known.observe is Observe.NONE
    return "handoff" in codes and context.person is not None


def _still_waiting(context: Context, change: Change) -> Outcome:
    text = "; ".join(reason.text for reason in change.reasons)
    handoffs = context.store.handoffs_of(change.operation) if change.operation else []
    how = next((waits_for(one).remedy for one in handoffs if one.state is HandoffState.OPEN), "")
    return Outcome(change, Status.WAITING, text, how)


__all__ = ["Outcome", "Status", "Summary", "Work", "apply", "check_fresh", "ended", "refuse"]
