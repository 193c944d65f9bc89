"""End: revoke every live generation of an address, or retire an older one; each is proved dead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from msgspec.structs import replace

from provisioner.core.capabilities import Observe, Verb
from provisioner.core.journal import Action, Audit, Phase, SaveGeneration, SaveRecord
from provisioner.core.model import Generation, GenerationState, RemoteStatus
from provisioner.engine import handoff, prove
from provisioner.engine.context import Work, not_masking
from provisioner.errors import VendorRejected, VendorUnreachable


async def send(work: Work) -> None:
    """intent ► sent."""
    for generation in _ends(work):
        work.provider_of(generation)  # one that cannot be opened is certainly not asked
    if work.change.copy:
        _ = work.provider
    await work.advance(Phase.SENT)


async def finish(work: Work) -> None:
    """sent ► done: end each generation, prove it dead, and record that. Idempotent."""
    ended: list[Generation] = []
    for generation in _ends(work):
        try:
            ended.append(await end_generation(work, generation))
        except (VendorRejected, VendorUnreachable) as error:
            if not ended:
                # Nothing ended: the next plan decides anew, by what is then declared.
                with not_masking(error):
                    await work.give_up(error.message)
            raise
    if work.change.copy:
        await _end_copy(work)
    elif work.record is None:
        raise ValueError(f"{work.address} has no record to end")
    await work.advance(
        Phase.DONE,
        *(SaveGeneration(work.address, generation) for generation in ended),
        *([SaveRecord(work.record)] if work.record is not None else []),
        Audit(
            f"{work.operation.action} done",
            work.context.now(),
            work.address,
            {
                "operation": work.operation.id,
                "generations": list(work.change.ends),
                **({"copy": work.change.copy} if work.change.copy else {}),
                "reasons": [reason.text for reason in work.change.reasons],
            },
        ),
    )


STEPS: Mapping[Phase, Callable[[Work], Awaitable[None]]] = {Phase.INTENT: send, Phase.SENT: finish}
"""What follows each phase."""


def _ends(work: Work) -> list[Generation]:
    return [g for g in work.generations if g.live and g.number in work.change.ends]


async def _end_copy(work: Work) -> None:
    """End what stands under a generation's tag and is not that generation, which stays as it is.

    A copy of production's (core.copies) is nothing of ours here: it has no record, and leaves none.
    """
    copied = next((g for g in work.generations if g.number == work.change.generation), None) or _of_nobody(
        work
    )
    await end_generation(work, replace(copied, remote_id=work.change.copy))


def _of_nobody(work: Work) -> Generation:
    return Generation(
        number=work.change.generation,
        state=GenerationState.RETIRING,
        remote_id=work.change.copy,
        tag="",
        created_at=work.operation.started_at,
        provider=work.operation.provider,
    )


async def end_generation(work: Work, generation: Generation) -> Generation:
    """Revoke one generation at its vendor and prove it dead; the caller records what is returned.

    Where revoking is a step of the portal, a person does it. What cannot be looked at is taken on their word,
    which stands in the audit log.
    """
    provider, capabilities = work.provider_of(generation), work.capabilities_of(generation)
    remote_id = generation.remote_id

    async def dead() -> None:
        if capabilities.observe is not Observe.NONE:
            await prove.dead(work, provider, remote_id)

    if Verb.REVOKE in capabilities.portal:
        if await _gone_before(work, generation):
            return replace(generation, state=GenerationState.RETIRED, retire_after=None)
        issuer = work.issuer(generation)
        await handoff.confirmed(work, Verb.REVOKE, generation.number, {}, remote_id, issuer, dead)
    else:
        await provider.revoke(remote_id)
        await dead()
    return replace(generation, state=GenerationState.RETIRED, retire_after=None)


async def _gone_before(work: Work, generation: Generation) -> bool:
    """Whether a create finds what it takes the place of gone: nobody is asked to end what is not there.

    Elsewhere an absence may be a list that lags behind.
    """
    capabilities = work.capabilities_of(generation)
    if work.operation.action is not Action.CREATE or generation.number >= work.operation.generation:
        return False
    if capabilities.observe is Observe.NONE:
        return False
    seen = await work.provider_of(generation).get(generation.remote_id)
    return seen is None or seen.status in (RemoteStatus.DEAD, RemoteStatus.DISABLED)
