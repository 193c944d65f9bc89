"""`provision handoff`: the steps that only a person in a vendor's portal can do."""

from __future__ import annotations

from asyncio import Event
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.output import show as print_
from provisioner.cli.output import show_json
from provisioner.cli.values import plain
from provisioner.errors import ProvisionError, UsageError

if TYPE_CHECKING:
    from provisioner.cli.completing import Somebody
    from provisioner.cli.session import Session
    from provisioner.core.journal import Handoff
    from provisioner.engine.apply import Outcome


@click.group()
def handoff() -> None:
    """List, show, complete and decline the steps that only a person can do."""


@handoff.command("list")
@options.as_json
def list_(as_json: bool) -> None:
    """List what waits for a person, oldest first."""
    from provisioner.cli.rendering.handoff import handoff_json, handoffs_text
    from provisioner.cli.session import open_session

    session = open_session()
    with session.store() as store:
        found = store.open_handoffs()
    if as_json:
        show_json({"handoffs": [handoff_json(one) for one in found]})
    else:
        print_(handoffs_text(found, session.now()))


@handoff.command()
@click.argument("id", metavar="ID")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Text for a terminal, a Markdown checklist for a ticket, or JSON for programs.",
)
def show(id: str, form: str) -> None:
    """Show one handoff: the screen, what to do there, and what to bring back.

    ID stands in `provision handoff list`.
    """
    from provisioner.cli.rendering.handoff import handoff_json, handoff_markdown, handoff_text
    from provisioner.cli.session import open_session

    session = open_session()
    found = _find(session, id)
    known = session.registry.declarations.get(found.provider)
    title = known.title if known else found.provider
    if form == "json":
        show_json(handoff_json(found))
    elif form == "markdown":
        print_(handoff_markdown(found, title))
    else:
        print_(handoff_text(found, title))


@handoff.command()
@click.argument("id", metavar="ID")
@click.option("--stdin", is_flag=True, help="Read the answer from stdin, and ask nothing.")
@options.identity
def complete(id: str, stdin: bool, identities: tuple[Path, ...]) -> int:
    """Bring back what a handoff asks for, and go on with its operation.

    On a terminal it is asked for, and secrets are not shown. Elsewhere, and with --stdin, it is one JSON
    object on stdin with the asked-for names, such as {"client_id": "...", "client_secret": "..."}; for a step
    that brings nothing back it is {}. What the vendor does not accept is refused, and nothing of it is kept.
    """
    from provisioner.cli import completing
    from provisioner.cli.session import open_session

    session = open_session()
    found = completing.waiting(session, id)
    somebody = _somebody(session, found, stdin=stdin)
    return _tell(completing.complete(session, id, somebody, options.identity_files(identities)))


@handoff.command()
@click.argument("id", metavar="ID")
@click.option("--reason", required=True, help="Why, in words: it stands in the audit.")
@options.identity
def decline(id: str, reason: str, identities: tuple[Path, ...]) -> int:
    """Say that nobody will do a handoff.

    Its operation ends, and what it had made at the vendor is ended with it. What is still declared is planned
    anew. Exits 5 where ending it takes a person, too.
    """
    from provisioner.cli import completing
    from provisioner.cli.session import open_session

    if not reason.strip():
        raise UsageError("a handoff is declined for a reason", remedy="--reason TEXT")
    outcome = completing.decline(open_session(), id, reason.strip(), options.identity_files(identities))
    code = _tell(outcome)
    return 0 if outcome.status == "failed" else code  # that it comes to nothing is what was asked for


def _find(session: Session, id: str) -> Handoff:
    with session.store() as store:
        found = store.handoff(id)
        waiting = [one.id for one in store.open_handoffs()]
    if found is None:
        from provisioner.cli.planning import nearest

        raise ProvisionError(f"there is no handoff {id}", remedy=nearest(id, waiting))
    return found


def _somebody(session: Session, handoff: Handoff, *, stdin: bool) -> Somebody:
    """Who brings the answer: the person at the terminal, or whoever wrote it to stdin."""
    import sys

    from provisioner.cli.brought import Brought, read_answer
    from provisioner.cli.terminal import Terminal, at_terminal, whoever

    if not stdin and at_terminal():
        return lambda stopping: Terminal(session.registry.declarations, stopping)
    if sys.stdin.isatty():
        raise UsageError(
            "stdin is a terminal, which would show what is typed",
            remedy="pipe the JSON object in, or leave --stdin out to be asked",
        )
    brought = Brought(read_answer(sys.stdin.buffer, handoff, whoever()))

    def sent(stopping: Event) -> Brought:
        return brought

    return sent


def _tell(outcome: Outcome) -> int:
    from provisioner.engine.apply import Summary

    why = f": {plain(outcome.text)}" if outcome.text else ""
    print_(f"{outcome.change.address} {outcome.change.action} {outcome.status}{why}")
    if outcome.remedy:
        print_(f"  {plain(outcome.remedy)}")
    return Summary((outcome,)).exit_code
