"""`provision plan`."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli import options
from provisioner.cli.output import painter, say, show, show_json
from provisioner.cli.settings import Settings

CHANGES_PENDING = 2
WAITS = 5


@click.command()
@options.selection
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save the plan, for `provision apply FILE`.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print it; markdown is for pull requests.",
)
@options.as_json
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 when changes are pending, and with 5 when all that is left waits for people.",
)
@click.pass_obj
def plan(
    settings: Settings,
    environments: tuple[str, ...],
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    refresh: bool,
    allow_wider: bool,
    out: Path | None,
    form: str,
    as_json: bool,
    detailed_exitcode: bool,
) -> int:
    """Show what an apply would do, and change nothing.

    Looks at the manifests, the state and the vendors. A plan that the rails refuse is shown with the reasons.
    """
    from provisioner.cli import approvals, saved_plan
    from provisioner.cli.planning import Question, make_plan
    from provisioner.cli.render_markdown import plan_markdown
    from provisioner.cli.render_plan import plan_text
    from provisioner.cli.session import open_session

    question = Question(environments, targets, excludes, refresh, allow_wider)
    session = open_session()
    made = make_plan(session, question)
    if as_json or form == "json":
        show_json(saved_plan.document(made))
    elif form == "markdown":
        show(plan_markdown(made))
    else:
        show(plan_text(made, painter(settings)))
    if out is not None:
        saved_plan.write(out, made)
        say(f"Saved to {out}. To do exactly this: provision apply {out}")
        if needs := approvals.asked_for(session, made):
            say(f"Before that it needs {needs}: provision approve {out} --key FILE")
    if not detailed_exitcode or not made.changes:
        return 0
    return CHANGES_PENDING if made.pending else WAITS
