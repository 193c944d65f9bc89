"""`provision status`."""

from __future__ import annotations

import click

from provisioner.cli import options
from provisioner.cli.output import say, show, show_json


@click.command()
@options.as_json
def status(as_json: bool) -> None:
    """List the credentials, and what waits for whom.

    From the manifests and the state alone: no vendor is asked.
    """
    from provisioner.cli.inventory import rows
    from provisioner.cli.render_status import status_json, status_text
    from provisioner.cli.session import open_session

    session = open_session()
    with session.store() as store:
        found = rows(session, store)
        for lease in store.leases():
            say(f"{lease.holder} works on {lease.environment} since {lease.acquired_at:%Y-%m-%d %H:%M} UTC")
    if as_json:
        show_json(status_json(found))
    else:
        show(status_text(found, session.now()))
