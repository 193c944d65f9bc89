"""Undo: end what an operation made and nobody is to use, so that the old secret stays the only one."""

from __future__ import annotations

from msgspec.structs import replace

from provisioner.core.journal import Audit, Phase, SaveGeneration, Write
from provisioner.core.model import Generation, GenerationState
from provisioner.engine import end
from provisioner.engine.context import Work


async def undo(work: Work, why: str, closed: Phase = Phase.FAILED) -> None:
    """End what this operation made, so that the old secret stays the only one; then close it as `closed`.

    What was renewed in place leaves no old one: the next plan makes another.
    """
    made = next((g for g in work.generations if g.number == work.operation.generation), None)
    ended = await end.end_generation(work, made or _uncaptured(work))
    await work.advance(
        closed,
        SaveGeneration(work.address, ended),
        *_ended_with(work, ended),
        Audit(f"{work.operation.action} undone", work.context.now(), work.address, {"why": why}),
        note=why,
        waiting="",
    )


def _ended_with(work: Work, ended: Generation) -> list[Write]:
    """The older secrets of the same credential, which are as dead as it is."""
    same = [g for g in work.generations if g.live and g.remote_id == ended.remote_id]
    return [
        SaveGeneration(work.address, replace(g, state=GenerationState.RETIRED))
        for g in same
        if g.number != ended.number
    ]


def _uncaptured(work: Work) -> Generation:
    """What was made at the vendor, but whose secret nobody brought."""
    return Generation(
        number=work.operation.generation,
        state=GenerationState.PENDING,
        remote_id=work.remote_id,
        tag=str(work.tag),
        created_at=work.operation.updated_at,
        provider=work.operation.provider,
    )
