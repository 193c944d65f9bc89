"""One operation from its intent to its end: begin it, or go on with it, and drive it through its steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from msgspec.structs import replace

from provisioner.core.journal import (
    Action,
    Audit,
    ForgetDeliveries,
    HandoffState,
    Operation,
    Phase,
    RenameRecord,
    SaveHandoff,
    SaveOperation,
    Write,
)
from provisioner.core.model import Address, Record, Tag, Via
from provisioner.core.plan import Change, change_from_json, change_to_json
from provisioner.core.recovery import MAKES, in_place
from provisioner.engine import adopt, end, failpoints, make, recover, update
from provisioner.engine.context import Context, Waits, Work, not_masking
from provisioner.engine.undo import undo
from provisioner.errors import (
    HandoffRefused,
    IdentityMissing,
    OutcomeUnknown,
    PlanStale,
    ProviderError,
    SecretError,
    SinkError,
)

Steps = Mapping[Phase, Callable[[Work], Awaitable[None]]]

Read = Callable[[Address], Record | None]

MAKE: Steps = {**make.STEPS, Phase.SENT: recover.settle}

STEPS: Mapping[Action, Steps] = {
    Action.CREATE: MAKE,
    Action.REPLACE: MAKE,
    Action.RENEW: MAKE,
    Action.UPDATE: update.STEPS,
    Action.REVOKE: end.STEPS,
    Action.RETIRE: end.STEPS,
    Action.IMPORT: adopt.STEPS,
}
"""What follows each phase, by action."""


async def carry_out(
    context: Context, change: Change, begun: Work | None = None, read: Read | None = None
) -> Operation:
    """Bring one change about, or go on with what was `begun` of it. Returns the operation as it ended.

    `read` tells the record of an address as it is now, where that is known without asking the store.
    Raises what stopped it; the journal then says how far it got, and the next run goes on from there.
    """
    if begun is None and change.action in GOES_ON:
        begun = await _go_on(context, change)
    work = begun or await begin(context, change, read)
    await drive(work)
    return work.operation


GOES_ON = frozenset({Action.RECOVER, Action.ACTIVATE, Action.WAIT})
"""The actions that continue an operation instead of beginning one."""


async def drive(work: Work) -> None:
    """Take step after step until the operation is closed; where it stops before, write down why."""
    try:
        await _steps(work)
    except Waits as waits:
        await work.note(waits.text, waiting=waits.whom)
        raise
    except IdentityMissing as error:
        await work.note(error.message, waiting="identity")
        raise Waits("identity", error.message) from None
    except HandoffRefused as refused:
        if work.operation.open:
            await work.note(refused.message, waiting="handoff")
        raise
    except (ProviderError, SinkError, SecretError) as error:
        if work.operation.open:
            with not_masking(error):
                await work.note(error.message)
        raise


async def _steps(work: Work) -> None:
    if work.given_up:
        await undo(work, work.given_up, Phase.DROPPED)
        return
    steps = STEPS[work.operation.action]
    looked = False
    while work.operation.open:
        try:
            await steps[work.operation.phase](work)
        except OutcomeUnknown:
            # The answer to a sending was lost: what follows `sent` is to look, once, before giving up.
            if looked or steps is not MAKE or work.operation.phase is not Phase.SENT:
                raise
            looked = True


async def begin(context: Context, change: Change, read: Read | None = None) -> Work:
    """Nothing ► intent. A rename takes effect here, since only we know names."""
    record = (read or context.store.record)(_held_as(change))
    operation = _operation(context, change, record)
    failpoints.hit("before-intent")
    await context.store.commit(
        [
            *_superseded(context, change),
            *_rename(change),
            SaveOperation(operation),
            Audit(
                f"{change.action} intended",
                operation.started_at,
                change.address,
                {"operation": operation.id, "generation": change.generation},
            ),
        ]
    )
    failpoints.hit("after-intent")
    work = Work(context, change, operation, record)
    if change.previously:
        work.reload()
    return work


def _held_as(change: Change) -> Address:
    return replace(change.address, name=change.previously or change.address.name)


def _operation(context: Context, change: Change, record: Record | None) -> Operation:
    now = context.now()
    tag = Tag(
        context.project, change.address.environment, change.address.name, change.generation, context.nonce()
    )
    active = record.active if record else None
    return Operation(
        id=context.nonce(),
        address=change.address,
        action=change.action,
        phase=Phase.INTENT,
        provider=change.provider,
        via=change.via,
        generation=change.generation,
        started_at=now,
        updated_at=now,
        tag=tag if change.action in {*MAKES, Action.IMPORT} else None,
        remote_id=active.remote_id if active and _stays(context, change) else None,
        desired=change_to_json(change),
    )


def _stays(context: Context, change: Change) -> bool:
    """Whether it works on the credential that is active now, instead of making another one."""
    capabilities = context.declarations[change.provider].capabilities[Via(change.via)]
    return change.action is Action.UPDATE or in_place(change.action, capabilities)


def _superseded(context: Context, change: Change) -> list[Write]:
    """An intent that was never sent, or that no person did yet, gives way to what is planned now."""
    before = context.store.operation(change.operation) if change.operation else None
    if before is None:
        return []
    now = context.now()
    dropped: list[Write] = [SaveOperation(replace(before, phase=Phase.DROPPED, waiting="", updated_at=now))]
    return dropped + [
        SaveHandoff(replace(one, state=HandoffState.DROPPED, closed_at=now, note="the plan changed"))
        for one in context.store.handoffs_of(before.id)
        if one.state is HandoffState.OPEN
    ]


def _rename(change: Change) -> list[Write]:
    return [RenameRecord(_held_as(change), change.address)] if change.previously else []


async def _go_on(context: Context, change: Change) -> Work:
    """Take up an open operation where its journal row says that it is; or drop or undo it, as planned."""
    operation = context.store.operation(change.operation or "")
    if operation is None or not operation.open:
        raise PlanStale("its open operation ended since the plan was made", remedy="plan again")
    if any(reason.code == "dropped" for reason in change.reasons):
        await context.store.commit(_superseded(context, change))
        operation = replace(operation, phase=Phase.DROPPED)
    elif change.desired is not None:
        operation = await _redirected(context, change, operation)
    begun = change_from_json(operation.desired)
    return Work(
        context,
        replace(begun, hold_retire=begun.hold_retire or change.hold_retire),
        operation,
        context.store.record(change.address),
        given_up=next((reason.text for reason in change.reasons if reason.code == "given up"), ""),
    )


async def _redirected(context: Context, change: Change, operation: Operation) -> Operation:
    """Let it deliver as declared now (core.redirect): to every sink, since an ack was for the old place."""
    moved = replace(operation, desired={**operation.desired, "desired": change.desired})
    forgotten = ForgetDeliveries(operation.address, operation.generation)
    await context.store.commit([SaveOperation(moved), forgotten])
    return moved
