"""Carrying a handoff to its end for the command line: the same engine, store and lease as an apply."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner.cli.applying import stopping
from provisioner.core.journal import Handoff, Operation
from provisioner.core.model import Via
from provisioner.errors import ProvisionError

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.engine.apply import Outcome
    from provisioner.engine.context import Context, Step
    from provisioner.engine.ports import Person
    from provisioner.state.store import StateStore

_log = logging.getLogger(__name__)

Somebody = Callable[[asyncio.Event], "Person"]
"""Who does the handoff; they are told of the event that stops the run."""

Verb = Callable[["Context", str], Awaitable["Outcome"]]


def waiting(session: Session, id: str) -> Handoff:
    """An open handoff. Raises ProvisionError for one that is not, HandoffRefused for one that is closed."""
    from provisioner.engine.complete import waiting as find

    with session.store() as store:
        handoff, operation = find(store, id)
    _require_known(session, handoff, operation)
    return handoff


def complete(session: Session, id: str, somebody: Somebody, identities: tuple[Path, ...]) -> Outcome:
    """Have somebody do a handoff, and go on with its operation. Raises what `engine.complete` does."""
    from provisioner.engine import complete as engine
    from provisioner.state.process import whoami

    return _run(
        session, id, identities, somebody, lambda context, id: engine.complete(context, id, holder=whoami())
    )


def decline(session: Session, id: str, why: str, identities: tuple[Path, ...]) -> Outcome:
    """Write down that nobody will do a handoff. Raises what `engine.complete` does."""
    from provisioner.engine import complete as engine
    from provisioner.state.process import whoami

    return _run(
        session, id, identities, None, lambda context, id: engine.decline(context, id, why, holder=whoami())
    )


def _run(
    session: Session, id: str, identities: tuple[Path, ...], somebody: Somebody | None, verb: Verb
) -> Outcome:
    handoff = waiting(session, id)
    sealer = session.sealer([handoff.address.environment], identities)

    async def run(store: StateStore) -> Outcome:
        with stopping() as event:
            async with session.vendors() as vendors:
                person = somebody(event) if somebody else None
                return await verb(session.context(store, sealer, vendors, _note, person), id)

    with session.store(writing=True) as store:
        return asyncio.run(run(store))


def _note(step: Step) -> None:
    _log.debug("%s %s: %s", step.address, step.action, step.phase)


def _require_known(session: Session, handoff: Handoff, operation: Operation) -> None:
    """The operation goes on where it began, so that place must still be declared."""
    environment = handoff.address.environment
    if environment not in session.project.environments:
        raise ProvisionError(
            f"{handoff.id} is for {handoff.address}, and provision.yaml does not declare {environment}",
            remedy="declare it again, then complete the handoff",
        )
    known = session.registry.declarations.get(operation.provider)
    if known is None or Via(operation.via) not in known.capabilities or handoff.verb not in known.screens:
        raise ProvisionError(
            f"{handoff.id} is a step at {operation.provider} via {operation.via}, which is not known here",
            remedy="install the provider that it began with",
        )
