"""Recover: what follows `sent` when the answer was never seen. The decision is `core.recovery`'s table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from msgspec.structs import replace

from provisioner.core.capabilities import Observe, Verb
from provisioner.core.journal import Phase, SaveGeneration, Stranded
from provisioner.core.model import Generation, GenerationState, Observed, RemoteStatus
from provisioner.core.provider import Issued
from provisioner.core.recovery import Decision, decide, in_place
from provisioner.core.secret import Secret
from provisioner.engine import handoff, prove
from provisioner.engine.context import Waits, Work, not_masking
from provisioner.engine.make import ask, capture, captured_by_person, keep
from provisioner.errors import NotAuthorised, VendorBusy, VendorRejected

CONFLICT = 409
"""The status that says that something is there already (RFC 9110 §15.5.10)."""


async def settle(work: Work) -> None:
    """sent ► captured, whatever became of the request; or back to intent under the next generation.

    Raises Waits where only a person can tell.
    """
    if await _take_in(work):
        return
    renewing = in_place(work.operation.action, work.capabilities)
    if Verb.CAPTURE in work.capabilities.portal and work.operation.remote_id and not renewing:
        await _by_person(work, work.operation.remote_id)
        return
    found = await _look(work)
    decision = decide(work.operation.action, work.capabilities, found=bool(found))
    await EFFECTS[decision](work, found)


async def _take_in(work: Work) -> bool:
    """A sealed secret that the store could not take at its capture goes into the store now."""
    held = [one for one in work.context.emergency.held(work.operation.id) if _belongs(work, one)]
    if not held:
        return False
    work.with_next = handoff.brought_before(work)
    await keep(work, held[-1])
    work.context.emergency.forget(work.operation.id)
    return True


def _belongs(work: Work, rescued: Stranded) -> bool:
    return rescued.address == work.address and rescued.generation == work.operation.generation


async def _look(work: Work) -> tuple[Observed, ...]:
    if in_place(work.operation.action, work.capabilities) or Verb.FIND in work.capabilities.portal:
        return ()
    return await prove.settled(work, lambda: work.provider.find(work.tag, work.spec), bool)


async def _repeat(work: Work, found: tuple[Observed, ...]) -> None:
    try:
        issued = await ask(work)
    except VendorRejected as error:
        if await _ended_meanwhile(work):
            await _bury(work, error)
        raise
    if issued is not None:
        await capture(work, issued)


async def _ended_meanwhile(work: Work) -> bool:
    """Whether somebody ended the credential that was to get a new secret: asking again is of no use then."""
    if not in_place(work.operation.action, work.capabilities) or work.capabilities.observe is Observe.NONE:
        return False
    seen = await work.provider.get(work.remote_id)
    return seen is None or seen.status is RemoteStatus.DEAD


async def _bury(work: Work, error: VendorRejected) -> None:
    """Every secret of it is dead with it; the next plan makes another."""
    dead = [g for g in work.generations if g.live and g.remote_id == work.remote_id]
    work.with_next = [
        SaveGeneration(work.address, replace(one, state=GenerationState.RETIRED)) for one in dead
    ]
    with not_masking(error):
        await work.give_up(error.message)


async def _resend(work: Work, found: tuple[Observed, ...]) -> None:
    """Send the same tag again. A first request that was only late shows now, and goes.

    Where the vendor now refuses it, nothing was made, unless it shows after all: see `_refused`. Where its
    list lags behind for longer, a later plan sees what came late, and retires it.
    """
    try:
        issued = await ask(work)
    except VendorRejected as error:
        await _refused(work, error)
        return
    if issued is None:
        return
    await capture(work, issued)
    shown = await prove.settled(
        work, partial(work.provider.find, work.tag, work.spec), partial(_has_ours, work)
    )
    for twin in shown:
        if twin.remote_id != work.remote_id:
            await work.provider.revoke(twin.remote_id)
            await prove.dead(work, work.provider, twin.remote_id)


def _has_ours(work: Work, shown: tuple[Observed, ...]) -> bool:
    """Whether the list has caught up with what was made just now."""
    return any(one.remote_id == work.remote_id for one in shown)


async def _refused(work: Work, error: VendorRejected) -> None:
    """What is not there is refused now: look once more, and if that is so, nothing was left behind.

    A conflict says that something is there, and a busy vendor or one that does not let us says nothing.
    """
    if isinstance(error, NotAuthorised | VendorBusy):
        raise error
    if found := await _look(work):
        await EFFECTS[decide(work.operation.action, work.capabilities, found=True)](work, found)
        return
    if error.status != CONFLICT:
        with not_masking(error):
            await work.give_up(error.message)
    raise error


async def _read(work: Work, found: tuple[Observed, ...]) -> None:
    first, *others = found
    for twin in others:
        await work.provider.revoke(twin.remote_id)
    await capture(work, await work.provider.reveal(first.remote_id))


async def _renew(work: Work, found: tuple[Observed, ...]) -> None:
    await capture(work, await work.provider.renew(found[0].remote_id, work.spec, work.tag))


async def _supersede(work: Work, found: tuple[Observed, ...]) -> None:
    """Its secret was shown once, to nobody: end it, remember that, and take the next generation."""
    for lost in found:
        await work.provider.revoke(lost.remote_id)
        await prove.dead(work, work.provider, lost.remote_id)
    number = work.operation.generation
    buried = Generation(
        number=number,
        state=GenerationState.RETIRED,
        remote_id=found[0].remote_id,
        tag=str(work.tag),
        created_at=work.operation.updated_at,
        provider=work.operation.provider,
    )
    await work.advance(
        Phase.INTENT,
        SaveGeneration(work.address, buried),
        generation=number + 1,
        tag=replace(work.tag, generation=number + 1, nonce=work.context.nonce()),
        note=f"generation {number} was issued, but its answer was lost: revoked",
    )


async def _captured(work: Work, found: tuple[Observed, ...]) -> None:
    await _by_person(work, found[0].remote_id)


async def _by_person(work: Work, remote_id: str) -> None:
    issued = await captured_by_person(work, Issued(remote_id, Secret({})))
    if issued is not None:
        await capture(work, issued)


async def _unknown(work: Work, found: tuple[Observed, ...]) -> None:
    vendor = work.declaration.title
    text = f"it was sent, the answer was never seen, and {vendor} cannot be asked"
    await work.advance(Phase.UNKNOWN, note=text, waiting="person")
    remedy = f"look there, then: provision state resolve {work.address} --adopt ID | --forget, --reason TEXT"
    raise Waits("person", text, remedy=remedy)


EFFECTS: Mapping[Decision, Callable[[Work, tuple[Observed, ...]], Awaitable[None]]] = {
    Decision.REPEAT: _repeat,
    Decision.RESEND: _resend,
    Decision.READ: _read,
    Decision.RENEW: _renew,
    Decision.SUPERSEDE: _supersede,
    Decision.CAPTURE: _captured,
    Decision.UNKNOWN: _unknown,
}
"""What each decision of `core.recovery` does."""
