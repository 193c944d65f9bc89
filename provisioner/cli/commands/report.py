"""`provision report`."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli.output import say

HISTORY = 50
"""Rows of the audit log that the page shows."""


@click.command()
@click.option(
    "--html",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write the page.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=90,
    show_default=True,
    help="How far its timeline looks ahead.",
)
def report(html: Path, days: int) -> None:
    """Write a page for people: inventory, timeline, history.

    One file that needs nothing else, for a browser or for paper, without any secret. From the manifests and
    the state alone: no vendor is asked.
    """
    from provisioner.cli.coming import outlook
    from provisioner.cli.inventory import rows
    from provisioner.cli.publishing import publish
    from provisioner.cli.rendering.report import Report, report_html
    from provisioner.cli.session import open_session

    session = open_session()
    now = session.now()
    with session.store() as store:
        made = Report(
            project=session.project.name,
            state=store.where,
            environments={name: one.kind for name, one in session.project.environments.items()},
            rows=rows(session, store, now),
            outlook=outlook(session, store, now, days),
            history=store.recent_history(HISTORY),
            now=now,
        )
    publish(html, report_html(made))
    say(f"Saved to {html}.")
