"""`provision calendar`."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli import options
from provisioner.cli.output import say, show, show_json


@click.command()
@click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=90,
    show_default=True,
    help="How far to look ahead.",
)
@click.option(
    "--ics",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write an iCalendar as well, for calendars to subscribe to.",
)
@options.as_json
def calendar(days: int, ics: Path | None, as_json: bool) -> None:
    """Show what comes: renewals, windows, expiries, ends.

    From the manifests and the state alone. Renewals after the next one are as they will be where each is
    done when it is due. Moments are UTC.
    """
    from provisioner.cli.coming import outlook
    from provisioner.cli.publishing import publish
    from provisioner.cli.rendering.calendar import calendar_json, calendar_text
    from provisioner.cli.rendering.ics import calendar_ics
    from provisioner.cli.session import open_session

    session = open_session()
    with session.store() as store:
        found = outlook(session, store, session.now(), days)
    if as_json:
        show_json(calendar_json(found))
    else:
        show(calendar_text(found))
    if ics is not None:
        publish(ics, calendar_ics(session.project.name, found))
        say(f"Saved to {ics}.")
