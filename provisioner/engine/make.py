"""Make: the steps of a create, a replace or a renew, each from one durable phase to the next.

    intent ► sent ► captured ► verified ► delivered ► cut over ► done

The order is the promise: a new secret is durable before it is tried, tried before it is delivered, and
delivered before the old one ends. `STEPS` says what follows each phase, for a fresh operation as for one
that a killed run left behind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from msgspec.structs import replace

from provisioner.core.capabilities import Verb
from provisioner.core.journal import (
    Action,
    Audit,
    Phase,
    SaveGeneration,
    SaveRecord,
    Stranded,
    Write,
)
from provisioner.core.model import Generation, GenerationState, Record, Via
from provisioner.core.provider import Issued
from provisioner.core.recovery import in_place
from provisioner.core.renewal import Policy, duration
from provisioner.engine import end, handoff, prove, update
from provisioner.engine.context import Waits, Work, not_masking
from provisioner.engine.deliver import announce, deliver, secret_of
from provisioner.engine.undo import undo
from provisioner.errors import Fenced, OutcomeUnknown, ProviderError, StateError


async def send(work: Work) -> None:
    """intent ► sent ► captured: ask the vendor once, and make its answer durable before anything else."""
    if work.change.compromised and not in_place(work.operation.action, work.capabilities):
        await _end_compromised(work)
    _ = work.provider  # one that cannot be opened, for want of our own token, is certainly not asked
    await work.advance(Phase.SENT)
    try:
        issued = await ask(work)
    except OutcomeUnknown:
        raise
    except ProviderError as error:
        with not_masking(error):
            await work.give_up(error.message)
        raise
    if issued is not None:
        await capture(work, issued)


async def _end_compromised(work: Work) -> None:
    """Somebody else may have the old secret: it ends before anything new is asked for."""
    ended = [await end.end_generation(work, generation) for generation in work.generations if generation.live]
    await work.context.store.commit([SaveGeneration(work.address, generation) for generation in ended])
    work.reload()


async def ask(work: Work) -> Issued | None:
    """Ask for the new secret: a new credential, or a new secret for the one there is.

    Where that is a step of the portal, a person is asked instead of the vendor. None where a person declined
    and the operation was undone.
    """
    if in_place(work.operation.action, work.capabilities):
        return await _renewed(work)
    if Verb.CREATE in work.capabilities.portal:
        return await handoff.issued(work, Verb.CREATE, work.spec.fields, partial(_try, work))
    return await captured_by_person(work, await work.provider.create(work.spec, work.tag))


async def _renewed(work: Work) -> Issued:
    if work.change.fields:
        await update.at_vendor(work)
    if Verb.RENEW in work.capabilities.portal:
        return await handoff.issued(work, Verb.RENEW, {}, partial(_try, work))
    return await work.provider.renew(work.remote_id, work.spec, work.tag)


async def captured_by_person(work: Work, made: Issued) -> Issued | None:
    """What a vendor never answers with, a person reads in its console; elsewhere `made` is all there is.

    That it was made is durable before anybody is asked, so that it is not made again. Who declines to read
    it leaves a credential that nobody can use: it is ended, and None returned.
    """
    if Verb.CAPTURE not in work.capabilities.portal:
        return made
    await work.advance(Phase.SENT, remote_id=made.remote_id)
    try:
        return await handoff.issued(work, Verb.CAPTURE, {}, partial(_try_what_was_read, work))
    except handoff.Declined as error:
        await undo(work, error.message)
        return None


async def _try(work: Work, brought: Issued) -> None:
    """Try what a person brought before it is kept. Raises ProviderError for what does not prove to work."""
    if Verb.VERIFY in work.capabilities.portal:
        return
    with suppress(Waits):  # not approved yet is no fault of what was brought
        await prove.works(work, brought.secret, brought=True)


async def _try_what_was_read(work: Work, brought: Issued) -> None:
    """What the vendor granted is no fault of who only read it: it is kept, found too wide, and ended."""
    with suppress(prove.TooWide):
        await _try(work, brought)


async def capture(work: Work, issued: Issued) -> None:
    """Seal the secret and make it durable with its remote id, as the first thing done with the answer.

    Where the store cannot take it, the sealed secret goes to the emergency folder, and StateError is raised.
    A run that was overtaken keeps it there only as long as nobody else went on with its operation.
    """
    sealed = work.context.sealer.seal(issued.secret, work.address, work.operation.generation)
    rescued = Stranded(
        operation=work.operation.id,
        address=work.address,
        generation=work.operation.generation,
        remote_id=issued.remote_id,
        sealed=sealed,
        created_at=work.context.now(),
        expires_at=issued.expires_at,
        issued_at=issued.issued_at,
    )
    try:
        await keep(work, rescued)
    except StateError as error:
        if not _settled_elsewhere(work, error):
            work.context.emergency.save(rescued)
        raise
    work.secret = issued.secret


def _settled_elsewhere(work: Work, error: StateError) -> bool:
    """Whether a run that overtook this one found what it made, and ended it or went on with another."""
    if not isinstance(error, Fenced):
        return False
    with suppress(StateError):
        now = work.context.store.operation(work.operation.id)
        return now is not None and (now.phase, now.generation) != (Phase.SENT, work.operation.generation)
    return False


async def keep(work: Work, captured: Stranded) -> None:
    """The capture's transaction: the pending generation, its sealed secret and, at first, the record."""
    generation = Generation(
        number=captured.generation,
        state=GenerationState.PENDING,
        remote_id=captured.remote_id,
        tag=str(work.tag),
        created_at=captured.created_at,
        expires_at=captured.expires_at,
        issued_at=captured.issued_at,
        provider=work.operation.provider,
    )
    writes: list[Write] = [SaveGeneration(work.address, generation, captured.sealed)]
    if work.record is None:
        writes.insert(0, SaveRecord(_record(work)))
    await work.advance(Phase.CAPTURED, *writes, remote_id=captured.remote_id, waiting="", note="")
    work.catch_up()


async def verify(work: Work) -> None:
    """captured ► verified. A secret that does not work, or may do too much, is ended; the old one stays."""
    try:
        await prove.works(work, await secret_of(work))
    except prove.Unproven as error:
        await undo(work, str(error))
        raise
    await work.advance(Phase.VERIFIED, waiting="", note="")


async def hand_over(work: Work) -> None:
    """verified ► delivered."""
    await announce(work)
    await work.advance(Phase.DELIVERED, waiting="", note="")


async def cut_over(work: Work) -> None:
    """delivered ► cut over: the new one is active, the older ones live on until their overlap is over."""
    until = work.context.now() + _overlap(work)
    writes = [
        SaveGeneration(work.address, _after_cut_over(work, g, until)) for g in work.generations if g.live
    ]
    await work.advance(Phase.CUT_OVER, *writes)
    work.catch_up()


def _overlap(work: Work) -> timedelta:
    if work.operation.action is Action.CREATE:
        return timedelta(0)  # what a create finds beside it is dead or gone at the vendor
    return duration(Policy.of(work.desired["local"].get("rotate")).overlap)


def _after_cut_over(work: Work, generation: Generation, until: datetime) -> Generation:
    if generation.number == work.operation.generation:
        return replace(generation, state=GenerationState.ACTIVE)
    if _same_credential(work, generation):
        return replace(generation, state=GenerationState.RETIRED)  # its secret is dead since the answer
    if generation.state is GenerationState.RETIRING:
        return generation
    return replace(generation, state=GenerationState.RETIRING, retire_after=until)


def _same_credential(work: Work, generation: Generation) -> bool:
    """Renewed in place, or made again for a user who always gets the same identifier (TC1).

    Not what a replace left behind: its overlap goes on whatever is renewed meanwhile.
    """
    return (work.issuer(generation), generation.remote_id) == (work.operation.provider, work.remote_id)


async def finish(work: Work) -> None:
    """cut over ► done: the new one everywhere in place, then end what has no overlap left, and record."""
    await deliver(work)
    now = work.context.now()
    over = [
        generation
        for generation in work.generations
        if generation.state is GenerationState.RETIRING
        and (generation.retire_after or now) <= now
        and not work.change.hold_retire
    ]
    ended = [await end.end_generation(work, generation) for generation in over]
    await work.advance(
        Phase.DONE,
        *(SaveGeneration(work.address, generation) for generation in ended),
        SaveRecord(_record(work)),
        Audit(f"{work.operation.action} done", now, work.address, _summary(work)),
    )


STEPS: Mapping[Phase, Callable[[Work], Awaitable[None]]] = {
    Phase.INTENT: send,
    Phase.CAPTURED: verify,
    Phase.VERIFIED: hand_over,
    Phase.DELIVERED: cut_over,
    Phase.CUT_OVER: finish,
}
"""What follows each phase. `sent` is not here: what follows it is recovery's decision."""


def _record(work: Work) -> Record:
    desired = work.desired
    return Record(
        address=work.address,
        provider=work.operation.provider,
        via=Via(work.operation.via),
        fields=desired["fields"],
        local=desired["local"],
        user=desired["user"],
    )


def _summary(work: Work) -> dict[str, object]:
    return {
        "operation": work.operation.id,
        "generation": work.operation.generation,
        "remote_id": work.remote_id,
        "reasons": [reason.text for reason in work.change.reasons],
    }
