"""`provision state resolve`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.output import show
from provisioner.cli.values import plain
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.engine.apply import Outcome
    from provisioner.engine.context import Context
    from provisioner.engine.resolve import Word


@click.command()
@click.argument("address")
@click.option("--adopt", metavar="ID", help="The vendor's id of what it made, from the vendor's console.")
@click.option("--forget", is_flag=True, help="It made nothing, or nothing that is wanted.")
@click.option("--reason", required=True, help="How you know, in words: it stands in the audit.")
@options.identity
def resolve(address: str, adopt: str | None, forget: bool, reason: str, identities: tuple[Path, ...]) -> int:
    """Say what became of an operation whose outcome is unknown.

    ADDRESS is ENVIRONMENT/NAME. Look into the vendor's console first: what is forgotten and does exist there
    is known to nobody.
    """
    from provisioner.cli.lookup import parse_address
    from provisioner.cli.session import open_session
    from provisioner.engine import resolve as engine
    from provisioner.state.process import whoami

    if bool(adopt) == forget:
        raise UsageError("it was made, or it was not", remedy="give one of --adopt ID and --forget")
    if not reason.strip():
        raise UsageError("it is resolved for a reason", remedy="--reason TEXT")
    word = engine.Word(parse_address(address), reason.strip(), whoami())
    session = open_session()
    if adopt:
        outcome = _run(session, word, identities, lambda context: engine.adopt(context, word, adopt))
    else:
        outcome = _run(session, word, identities, lambda context: engine.forget(context, word))
    return _tell(session, word, outcome)


def _run(
    session: Session,
    word: Word,
    identities: tuple[Path, ...],
    verb: Callable[[Context], Awaitable[Outcome]],
) -> Outcome:
    from provisioner.cli.planning import known_environments

    known_environments(session, [word.address.environment])
    sealer = session.sealer([word.address.environment], options.identity_files(identities))

    async def run() -> Outcome:
        async with session.vendors() as vendors:
            return await verb(session.context(store, sealer, vendors, lambda step: None))

    with session.store(writing=True) as store:
        try:
            return asyncio.run(run())
        finally:
            session.keep_head(store)


def _tell(session: Session, word: Word, outcome: Outcome) -> int:
    from provisioner.engine.apply import Summary

    why = f": {plain(outcome.text)}" if outcome.text else ""
    show(f"{word.address} {outcome.change.action} {outcome.status}{why}")
    if outcome.remedy:
        show(f"  {plain(outcome.remedy)}")
    with session.store() as store:
        record = store.record(word.address)
    if record is not None and not record.secret_known:
        show(f"  Its secret is unknown here. For one that is delivered: provision renew {word.address}")
    return Summary((outcome,)).exit_code
