"""`provision state mv` and `provision state rm`."""

from __future__ import annotations

import click

from provisioner.cli import options
from provisioner.cli.output import say
from provisioner.engine.relocate import Relocation
from provisioner.errors import UsageError

_reason = click.option("--reason", default="", help="Why, in words: it stands in the audit.")


@click.command()
@click.argument("before", metavar="FROM")
@click.argument("after", metavar="TO")
@_reason
@options.auto_approve
def mv(before: str, after: str, reason: str, auto_approve: bool) -> None:
    """Let the state know a credential by another address.

    FROM and TO are ENVIRONMENT/NAME in the same environment. Nothing changes at the vendor or in a sink.
    Where the manifests rename a credential, `previously` does the same within an apply.
    """
    from provisioner.cli.lookup import parse_address

    asked = Relocation(parse_address(before), parse_address(after), reason)
    _require_name(parse_address(after).name)
    _relocate(asked, f"Let the state know {asked.before} as {asked.after}?", auto_approve=auto_approve)
    say(f"{asked.before} is {asked.after} now. See what follows from it: provision plan")


@click.command()
@click.argument("address")
@_reason
@options.auto_approve
def rm(address: str, reason: str, auto_approve: bool) -> None:
    """Forget a credential, and never revoke it.

    ADDRESS is ENVIRONMENT/NAME. It lives on at its vendor, and its secret where it was delivered; the state
    forgets both, so read a secret that is needed again with `provision secret get` before. What is still
    declared is created anew by the next plan; `provision import` takes it back.
    """
    from provisioner.cli.lookup import parse_address

    asked = Relocation(parse_address(address), None, reason)
    question = f"Forget {asked.before} with its sealed secret, and leave it alive at its vendor?"
    _relocate(asked, question, auto_approve=auto_approve)
    say(f"{asked.before} is forgotten; at its vendor it lives on. See what follows from it: provision plan")


def _require_name(name: str) -> None:
    """Raise UsageError for one that no manifest could declare: the next plan would revoke what has it."""
    from provisioner.manifest.schemas import definition
    from provisioner.manifest.shape import Shape

    for flaw in Shape(definition("name")).flaws(name):
        raise UsageError(flaw.text, remedy="write TO as the manifests are to declare it")


def _relocate(asked: Relocation, question: str, *, auto_approve: bool) -> None:
    from provisioner.cli.asking import confirm
    from provisioner.cli.output import show
    from provisioner.cli.session import open_session
    from provisioner.cli.values import plain
    from provisioner.engine.relocate import possible, relocate
    from provisioner.state.process import whoami

    session = open_session()
    with session.store() as store:
        record = possible(store, asked)
    for generation in record.live:
        issuer = generation.provider or record.provider
        show(f"{asked.before}: generation {generation.number} is {plain(generation.remote_id)} of {issuer}")
    confirm(question, auto_approve=auto_approve)
    with session.store(writing=True) as store:
        try:
            relocate(store, asked, now=session.now(), holder=whoami())
        finally:
            session.keep_head(store)
