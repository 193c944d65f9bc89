"""Carrying out a plan for the command line: judge, watch, stop on Ctrl-C, and tell what became of it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from provisioner.cli import apart, approvals, reached, restored
from provisioner.cli.output import say
from provisioner.cli.planning import nearest, track
from provisioner.cli.survey import own_credentials
from provisioner.core.journal import Audit
from provisioner.core.model import Address, Via
from provisioner.core.plan import Plan, Verdict
from provisioner.core.rails import judge
from provisioner.core.secret import Secret
from provisioner.errors import Refused

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.engine.apply import Summary
    from provisioner.engine.context import Step
    from provisioner.secrets.sealing import AgeSealer
    from provisioner.state.store import StateStore

_log = logging.getLogger(__name__)


class Manner(Struct, frozen=True):
    """How a plan is carried out."""

    parallelism: int = 50
    identities: tuple[Path, ...] = ()
    allow_wider: bool = False
    saved: Path | None = None
    """The file that the plan was saved in, with its approvals beside it; None for one that was just made."""
    told: tuple[Audit, ...] = ()
    """What to write into the history before anything is done."""
    brought: Mapping[Address, Secret] = field(default_factory=dict)
    """The secrets of what is imported, where somebody gave them."""


class Cleared(Struct, frozen=True):
    """What was found out about a plan before it is carried out."""

    verdicts: tuple[Verdict, ...]
    approvals: tuple[Audit, ...]
    """One row for the history for each approval that it needs, and what else is to be told first."""


def carry_out(session: Session, plan: Plan, manner: Manner) -> Summary:
    """Apply a plan, showing how far it is.

    Raises what refuses it before anything is done. The first Ctrl-C begins nothing more and finishes what is
    in flight; the second raises KeyboardInterrupt at once, and the next run recovers.
    """
    check_fits(session, plan)
    approved = approvals.check(session, plan, manner.saved)
    sealer = session.sealer(plan.environments, manner.identities)
    apart.require_for(session, plan)
    with session.store(writing=True) as store:
        own = own_credentials(session, plan)
        records = store.records(plan.environments)
        verdicts = judge(plan, track(session, plan, records, manner.allow_wider, own))
        told = (*approved, *manner.told, *reached.rows(session, plan))
        cleared = Cleared((*verdicts, *restored.remembered(plan)), told)
        try:
            return asyncio.run(_apply(session, store, sealer, plan, cleared, manner))
        finally:
            session.keep_head(store)


def check_fits(session: Session, plan: Plan) -> None:
    """Raise Refused for a plan of another project or store, or of places that are not declared any more."""
    with session.reading() as store:
        here = {"project": session.project.name, "state": store.where}
    for what, ours in here.items():
        theirs = getattr(plan, what)
        if theirs != ours:
            raise Refused(
                f"this plan is for {what} {theirs}, and here {what} is {ours}",
                remedy="apply it where it was made, or plan again",
            )
    _check_environments(session, plan)
    _check_providers(session, plan)


def _check_environments(session: Session, plan: Plan) -> None:
    known = {name: one.kind for name, one in session.project.environments.items()}
    for name, kind in plan.environments.items():
        if known.get(name) is not kind:
            raise Refused(
                f"this plan is for environment {name} of kind {kind}, which provision.yaml does not declare",
                remedy=f"plan again; {nearest(name, known)}",
            )


def _check_providers(session: Session, plan: Plan) -> None:
    declarations = session.registry.declarations
    for change in plan.changes:
        known = declarations.get(change.provider)
        if known is None or Via(change.via) not in known.capabilities:
            raise Refused(
                f"{change.address}: {change.provider} via {change.via} is not known here", remedy="plan again"
            )


async def _apply(
    session: Session,
    store: StateStore,
    sealer: AgeSealer,
    plan: Plan,
    cleared: Cleared,
    manner: Manner,
) -> Summary:
    from provisioner.cli.progress import progress
    from provisioner.cli.terminal import Terminal, at_terminal
    from provisioner.engine import apply as engine
    from provisioner.state.process import whoami

    with stopping() as stop, progress(plan) as bar:

        def note(step: Step) -> None:
            _log.debug("%s %s: %s", step.address, step.action, step.phase)
            bar.watch(step)

        async with session.vendors() as vendors:
            person = Terminal(session.registry.declarations, stop, bar.paused) if at_terminal() else None
            context = session.context(store, sealer, vendors, note, person)
            return await engine.apply(
                replace(context, brought=manner.brought),
                plan,
                cleared.verdicts,
                approvals=cleared.approvals,
                holder=whoami(),
                parallelism=manner.parallelism,
                stopping=stop.is_set,
            )


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """An event that the first Ctrl-C (or SIGTERM) sets; the second cancels the run."""
    loop, task, event = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
    assert task is not None  # noqa: S101 - we are called from a task

    def stop() -> None:
        if event.is_set():
            _let_go(loop)
            task.cancel()
            return
        event.set()
        say("Stopping: what is in flight is finished and saved. Once more stops hard.")

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield event
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        _let_go(loop)


SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _let_go(loop: asyncio.AbstractEventLoop) -> None:
    for number in SIGNALS:
        loop.remove_signal_handler(number)
