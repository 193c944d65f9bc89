"""`provision sandbox operate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.output import show
from provisioner.errors import ProvisionError

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.core.journal import Handoff
    from provisioner.engine.apply import Outcome


@click.command()
@options.identity
def operate(identities: tuple[Path, ...]) -> int:
    """Do every open handoff at a twin, as a person at its console would.

    For vendors whose endpoint is `sandbox` alone; what waits for real people is left to them.
    """
    from provisioner.cli.rendering.summary import summary_text
    from provisioner.cli.session import open_session
    from provisioner.engine.apply import Summary

    session = open_session()
    summary = Summary(tuple(_outcomes(session, options.identity_files(identities)).values()))
    show(summary_text(summary, word="Operate"))
    return summary.exit_code


def _outcomes(session: Session, identities: tuple[Path, ...]) -> dict[str, Outcome]:
    """What became of each operation; one that waits for its next handoff has that done, too."""
    outcomes: dict[str, Outcome] = {}
    seen: set[str] = set()
    while todo := [one for one in _open(session) if one.id not in seen]:
        for handoff in todo:
            seen.add(handoff.id)
            outcomes[handoff.operation] = _operated(session, handoff, identities)
    return outcomes


def _open(session: Session) -> list[Handoff]:
    from provisioner.cli.operator import operates

    with session.store() as store:
        return [one for one in store.open_handoffs() if operates(session, one)]


def _operated(session: Session, handoff: Handoff, identities: tuple[Path, ...]) -> Outcome:
    """One handoff; what stops it stops no other."""
    from provisioner.cli import completing
    from provisioner.cli.operator import Operated
    from provisioner.core.plan import change_from_json
    from provisioner.engine.apply import Outcome, Status

    try:
        return completing.complete(session, handoff.id, lambda stopping: Operated(session), identities)
    except ProvisionError as error:
        with session.store() as store:
            operation = store.operation(handoff.operation)
        if operation is None:
            raise
        change = change_from_json(operation.desired)
        return Outcome(change, Status.FAILED, error.message, error.remedy)
