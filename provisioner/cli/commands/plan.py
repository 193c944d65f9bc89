"""`provision plan`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from provisioner.cli import options
from provisioner.cli.output import painter, say, show, show_json
from provisioner.cli.settings import Settings
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.core.plan import Plan

CHANGES_PENDING = 2
WAITS = 5


@click.command()
@options.selection
@options.hold_retire
@click.option(
    "--at",
    metavar="MOMENT",
    help="Plan for another moment, like 2027-03-01 or +30d, by what is recorded and declared now; "
    "the vendors are not asked.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save the plan, for `provision apply FILE`.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    show_default=True,
    help="How to print it; markdown is for pull requests, html is one page for a browser.",
)
@options.as_json
@click.option(
    "--drift-only",
    is_flag=True,
    help="Tell only what the vendors show otherwise than it is recorded, and propose nothing.",
)
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 when changes are pending or drift was found, "
    "and with 5 when all that is left waits for people.",
)
@click.pass_obj
def plan(
    settings: Settings,
    environments: tuple[str, ...],
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    refresh: bool,
    allow_wider: bool,
    hold_retire: bool,
    at: str | None,
    out: Path | None,
    form: str,
    as_json: bool,
    drift_only: bool,
    detailed_exitcode: bool,
) -> int:
    """Show what an apply would do, and change nothing.

    Looks at the manifests, the state and the vendors. A plan that the rails refuse is shown with the reasons.
    """
    from provisioner.cli import drifting
    from provisioner.cli.moments import moment
    from provisioner.cli.planning import Question, make_plan
    from provisioner.cli.session import open_session

    if at is not None and out is not None:
        raise UsageError("a plan for another moment is to be looked at", remedy="leave out --at, or --out")
    if drift_only:
        only = Question(environments, targets, excludes)
        as_document = as_json or form == "json"
        return drifting.report(only, settings, as_json=as_document, detailed=detailed_exitcode)
    session = open_session()
    when = moment(at, session.now) if at is not None else None
    asked = Question(environments, targets, excludes, refresh and when is None, allow_wider)
    authored = as_json or form != "text" or out is not None
    made = make_plan(session, replace(asked, at=when, hold_retire=hold_retire, authored=authored))
    _show(made, "json" if as_json else form, when, settings)
    if out is not None:
        _save(session, made, out)
    if not detailed_exitcode or not made.changes:
        return 0
    return CHANGES_PENDING if made.pending else WAITS


def _show(made: Plan, form: str, when: datetime | None, settings: Settings) -> None:
    from provisioner.cli.moments import as_of

    heading = as_of(when) if when else ""
    above = f"{heading}\n\n" if heading else ""
    if form == "json":
        from provisioner.cli.saved_plan import document

        show_json(document(made))
    elif form == "markdown":
        from provisioner.cli.rendering.markdown import plan_markdown

        show(above + plan_markdown(made))
    elif form == "html":
        from provisioner.cli.rendering.html_plan import plan_html

        show(plan_html(made, heading))
    else:
        from provisioner.cli.rendering.plan import plan_text

        show(above + plan_text(made, painter(settings)))


def _save(session: Session, made: Plan, out: Path) -> None:
    from provisioner.cli import approvals, saved_plan

    saved_plan.write(out, made)
    say(f"Saved to {out}. To do exactly this: provision apply {out}")
    if needs := approvals.asked_for(session, made):
        say(f"Before that it needs {needs}: provision approve {out} --key FILE")
