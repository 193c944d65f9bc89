"""`provision status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.output import say, show, show_json

if TYPE_CHECKING:
    from provisioner.state.values import HeldLease

EXPIRING = 2


@click.command()
@click.option(
    "--expiring-within",
    metavar="TIME",
    help="List only what expires, or passes the age that its policy allows, within this time (like 14d); "
    "exit with 2 when there is any.",
)
@click.option(
    "--user",
    metavar="NAME",
    help="List only what is linked to this user, by the manifests' name or a vendor's.",
)
@click.option(
    "--prometheus",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write metrics for the node exporter's textfile collector instead of listing; end FILE in .prom.",
)
@options.as_json
def status(expiring_within: str | None, user: str | None, prometheus: Path | None, as_json: bool) -> int:
    """List the credentials, the most urgent first.

    With their age, when they are due, what retires, when they were delivered, and what waits for whom. From
    the manifests and the state alone: no vendor is asked.
    """
    from provisioner.cli import linked
    from provisioner.cli.inventory import rows
    from provisioner.cli.moments import length
    from provisioner.cli.publishing import publish
    from provisioner.cli.rendering.prometheus import metrics_text
    from provisioner.cli.rendering.status import status_json, status_text
    from provisioner.cli.session import open_session

    soon = length(expiring_within, "--expiring-within") if expiring_within is not None else None
    session = open_session()
    now = session.now()
    with session.store() as store:
        found = rows(session, store, now)
        for lease in store.leases():
            say(_who_works(lease))
    if user is not None:
        theirs = linked.to(session, user)
        found = [row for row in found if theirs.among(row.provider, row.users)]
    if soon is not None:
        found = [row for row in found if row.ends_within(soon, now)]
    if prometheus is not None:
        publish(prometheus, metrics_text(found, now))
    elif as_json:
        show_json(status_json(found))
    elif soon is not None and not found:
        show(f"Nothing expires within {expiring_within}.")
    elif user is not None and not found:
        show(f"Nothing is linked to {user}.")
    else:
        show(status_text(found, now))
    return EXPIRING if soon is not None and found else 0


def _who_works(lease: HeldLease) -> str:
    from provisioner.state.process import is_dead

    where, since = lease.environment, f"{lease.acquired_at:%Y-%m-%d %H:%M} UTC"
    if is_dead(lease.place):
        return f"{lease.holder} died while it worked on {where} since {since}: the next apply takes it up"
    return f"{lease.holder} works on {where} since {since}"
