"""`provision state reconcile`."""

from __future__ import annotations

import click

from provisioner.cli import options
from provisioner.cli.output import say, show, show_json
from provisioner.cli.values import plain


@click.command()
@click.option("--reason", default="", help="Why the store was restored, in words: it stands in the audit.")
@options.auto_approve
@options.as_json
def reconcile(reason: str, auto_approve: bool, as_json: bool) -> None:
    """Let a store that was restored from an older copy be written again.

    Asks every vendor what it has with our tag, and takes into the store what that does not know. Nothing is
    revoked or renewed: the plans that follow show what to do. The secrets of what is taken over are unknown.
    """
    from provisioner.cli.asking import confirm
    from provisioner.cli.reconciling import Found, examine, take_over
    from provisioner.cli.session import open_session

    session = open_session()
    with session.store(writing=True, restored=True) as store:
        found: Found = examine(session, store)
        for line in found.lines:
            show(plain(line), to_stderr=as_json)
        if found.needed:
            confirm("Take this over, and let the store be written again?", auto_approve=auto_approve)
            take_over(session, store, found, reason)
    if as_json:
        show_json(found.to_json())
    elif found.needed:
        say("The store can be written again. Look at what follows from it: provision plan")
