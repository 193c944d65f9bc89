"""`provision apply`."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli import options
from provisioner.cli.settings import Settings
from provisioner.errors import UsageError


@click.command()
@click.argument(
    "saved", metavar="[PLAN]", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@options.selection
@options.hold_retire
@click.option(
    "--expect",
    metavar="DIGEST",
    help="Plan again, and do it without asking only if it is exactly the plan of this digest.",
)
@options.auto_approve
@options.parallelism
@options.identity
@options.as_json
@click.pass_obj
def apply(
    settings: Settings,
    saved: Path | None,
    environments: tuple[str, ...],
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    refresh: bool,
    allow_wider: bool,
    hold_retire: bool,
    expect: str | None,
    auto_approve: bool,
    parallelism: int,
    identities: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Do what the plan says.

    With PLAN, a file that `provision plan --out` saved, exactly that is done, and nothing is asked: it was
    looked at. Where its environments ask for approvals, it must have them. Without, a plan is made and shown
    first. Each step is durable before the next begins, so a run that was stopped is taken up by the next one.

    With --expect the plan is made again, and is done only if it has the digest that `provision plan` gave, in
    Markdown or JSON. A plan made with --no-refresh is done as it was made, without what vendors show besides.
    """
    from provisioner.cli import expecting, saved_plan
    from provisioner.cli.applying import Manner
    from provisioner.cli.planning import Question
    from provisioner.cli.run import Run
    from provisioner.cli.session import open_session

    digest = None if expect is None else expecting.parsed(expect)
    manner = Manner(parallelism, options.identity_files(identities), allow_wider, saved)
    run = Run(settings, open_session(), manner, auto_approve=auto_approve, as_json=as_json)
    if saved is None:
        question = Question(environments, targets, excludes, refresh, allow_wider, hold_retire=hold_retire)
        return run.plan_and_apply(question) if digest is None else run.expect_and_apply(question, digest)
    if environments or targets or excludes or not refresh or hold_retire:
        raise UsageError(
            "a saved plan is applied as it is",
            remedy="give --env, --target, --exclude, --no-refresh and --hold-retire to `provision plan`",
        )
    plan = saved_plan.read(saved)
    if digest is not None:
        expecting.check(plan, digest)
    return run.apply(plan)
