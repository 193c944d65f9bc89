"""Our own promises, broken one at a time inside a crash test's process: the sweep must catch each.

Each mutation takes one promise of design §7 out of the engine, as a careless change might.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from provisioner.core.journal import Operation, Phase, SaveOperation, Write
from provisioner.core.model import GenerationState
from provisioner.engine import context, end, make, operation, recover
from provisioner.engine.context import Work


def _without_intent() -> None:
    """Ask the vendor first, and write the intent down together with the answer."""
    _defer({Phase.SENT})
    begin = operation.begin

    async def silent_begin(ctx: context.Context, change: Any) -> Work:
        store = ctx.store
        quiet = replace(ctx, store=_Deaf(store))
        work = await begin(quiet, change)
        work.context = ctx
        return work

    operation.begin = silent_begin


class _Deaf:
    """A store that forgets what it is told, and reads like the real one."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, writes: list[Write]) -> None:
        """Nothing."""


def _defer(phases: set[Phase]) -> None:
    """Keep what these phases write in memory, and write it with the next one."""
    advance = Work.advance

    async def deferring(self: Work, phase: Phase, *writes: Write, **changes: Any) -> None:
        if phase in phases:
            self.operation = replace(self.operation, phase=phase, **changes)
            self.with_next = [*self.with_next, *writes]
            return
        await advance(self, phase, *writes, **changes)

    Work.advance = deferring  # type: ignore[method-assign]


def _without_separate_commits() -> None:
    """Write the captured secret together with the delivery's phase: fewer transactions, faster, wrong."""
    _defer({Phase.CAPTURED, Phase.VERIFIED})
    keep_reading = make.cut_over

    async def with_record(work: Work) -> None:
        work.reload()
        await keep_reading(work)

    steps = {**operation.MAKE, Phase.DELIVERED: with_record}
    _use(steps)


def _deliver_before_capture() -> None:
    """Hand the answer to its consumer first; make it durable when there is time."""
    capture = make.capture

    async def hasty(work: Work, issued: Any) -> None:
        work.secret = issued.secret
        await make.announce(work)
        await capture(work, issued)

    make.capture = hasty
    recover.capture = hasty


def _retire_before_delivery() -> None:
    """End the old one as soon as the new one works."""
    verify = make.verify

    async def eager(work: Work) -> None:
        await verify(work)
        for generation in work.generations:
            if generation.state is GenerationState.ACTIVE:
                await end.end_generation(work, generation)

    _use({**operation.MAKE, Phase.CAPTURED: eager})


def _use(steps: Any) -> None:
    before = operation.MAKE
    operation.MAKE = steps
    operation.STEPS = {
        action: steps if found is before else found for action, found in operation.STEPS.items()
    }


MUTATIONS: dict[str, Callable[[], None]] = {
    "without intent": _without_intent,
    "without separate commits": _without_separate_commits,
    "deliver before capture": _deliver_before_capture,
    "retire before delivery": _retire_before_delivery,
}

__all__ = ["MUTATIONS", "Operation", "SaveOperation"]
