"""`provision import`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.settings import Settings
from provisioner.errors import Refused, UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.core.model import Address
    from provisioner.core.plan import Plan
    from provisioner.core.secret import Secret


@click.command("import")
@click.argument("address")
@click.argument("remote_id", metavar="REMOTE_ID")
@click.option(
    "--secret-stdin",
    is_flag=True,
    help="Read its secret from stdin, as one JSON object of its parts such as "
    '{"client_id": "...", "client_secret": "..."}; for a vendor whose secret is one part, a line will do. '
    "Needs --auto-approve, since stdin cannot be asked.",
)
@options.auto_approve
@options.as_json
@click.pass_obj
def import_(
    settings: Settings, address: str, remote_id: str, secret_stdin: bool, auto_approve: bool, as_json: bool
) -> int:
    """Take what a vendor has already into the state.

    ADDRESS is ENVIRONMENT/NAME of what is declared, and REMOTE_ID the id that `provision discover` shows.
    Nothing changes at the vendor. Where it does not show the secret again, that stays unknown until it is
    given with --secret-stdin, or renewed. Entries under `import` in the manifests do the same with an apply.
    """
    from provisioner.cli.applying import Manner
    from provisioner.cli.choosing import require
    from provisioner.cli.lookup import parse_address
    from provisioner.cli.planning import Question
    from provisioner.cli.run import Run
    from provisioner.cli.session import open_session
    from provisioner.core.project import Import

    if not remote_id.strip() or not remote_id.isprintable():
        raise UsageError("that is no REMOTE_ID", remedy="write it as provision discover lists it")
    if secret_stdin and not auto_approve:
        raise UsageError("stdin holds the secret, so it cannot be asked", remedy="add --auto-approve")
    session = open_session()
    wanted = parse_address(address)
    require([wanted], {one.address for one in session.project.desired}, "declared")
    _require_agreement(session, wanted, remote_id)
    brought = {wanted: _given(session, wanted)} if secret_stdin else {}
    entry = Import(wanted, remote_id, secret_given=secret_stdin)
    question = Question(environments=(wanted.environment,), targets=(str(wanted),), imports=(entry,))
    run = Run(settings, session, Manner(brought=brought), auto_approve=auto_approve, as_json=as_json)
    return run.plan_and_apply(question, check=lambda plan: _check(session, plan, wanted, remote_id))


def _require_agreement(session: Session, wanted: Address, remote_id: str) -> None:
    """Raise Refused where the manifests say otherwise: what they say would wait from then on."""
    provider = {one.address: one.provider for one in session.project.desired}
    for one in session.project.imports:
        here = provider[one.address], one.address.environment, one.remote_id
        same = here == (provider[wanted], wanted.environment, remote_id)
        if same is not (one.address == wanted):
            raise Refused(
                f"the manifests say otherwise: {one.remote_id} is {one.address}",
                remedy=f"change or remove that entry under `import`: {one.source}",
            )


def _given(session: Session, address: Address) -> Secret:
    from provisioner.cli.brought import read_secret

    if sys.stdin.isatty():
        raise UsageError("stdin is a terminal, which would show what is typed", remedy="pipe the secret in")
    provider = next(one.provider for one in session.project.desired if one.address == address)
    return read_secret(sys.stdin.buffer, session.registry.declarations[provider].parts, str(address))


def _check(session: Session, plan: Plan, address: Address, remote_id: str) -> None:
    """Raise Refused, with the reason, for a plan that is not this import."""
    from provisioner.core.journal import Action

    for change in plan.changes:
        if change.action is Action.IMPORT:
            return
        if any(reason.code == "import" for reason in change.reasons):
            raise Refused("; ".join(reason.text for reason in change.reasons))
    with session.store() as store:
        record = store.record(address)
    if record is not None and any(one.remote_id == remote_id for one in record.live):
        raise Refused(f"{address} has {remote_id} already", remedy=f"provision show {address}")
    raise Refused(
        f"{address} has something else to be done first", remedy=f"provision plan --target {address}"
    )
