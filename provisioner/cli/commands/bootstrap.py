"""`provision bootstrap`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.output import painter, say, show, show_json
from provisioner.cli.settings import Settings
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from provisioner.cli.bootstrapping import Judged
    from provisioner.cli.session import Session

WORK_DUE = 2
NOT_SEEN = 1
WAITS = 5


@click.command()
@click.argument("environment", metavar="ENV")
@click.option(
    "--check",
    is_flag=True,
    help="Only judge: exit with 2 when work is due, 1 when a vendor did not answer, 5 when only people can "
    "go on, 0 when nothing is due.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save the plan, for `provision apply FILE`, instead of applying it.",
)
@options.auto_approve
@options.parallelism
@options.identity
@options.as_json
@click.pass_obj
def bootstrap(
    settings: Settings,
    environment: str,
    check: bool,
    out: Path | None,
    auto_approve: bool,
    parallelism: int,
    identities: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Restore a test environment after production was copied over it.

    One plan for ENV: what is gone is created again, what survives is kept (and tried, where an identity opens
    its secret), and copies of production's credentials end there. Production is not touched; where ENV's
    endpoint may be production's, nothing is done and the exit code is 3.
    """
    from provisioner.cli.bootstrapping import judge
    from provisioner.cli.session import open_session

    if check and out is not None:
        raise UsageError("--check only judges, and --out saves a plan", remedy="give one of the two")
    session, opens = open_session(), options.identity_files(identities)
    judged = judge(session, environment, opens)
    _tell(settings, judged, to_stderr=as_json)
    if check or out is not None:
        return _told(session, judged, out, as_json=as_json)
    return _applied(settings, session, judged, (auto_approve, parallelism, opens, as_json))


def _tell(settings: Settings, judged: Judged, *, to_stderr: bool) -> None:
    from provisioner.cli.rendering.bootstrap import lines
    from provisioner.cli.rendering.plan import plan_text

    for line in lines(judged):
        show(line, to_stderr=to_stderr)
    if judged.plan.changes:
        paint = painter(settings, to_stderr=to_stderr)
        show(f"\n{plan_text(judged.plan, paint)}", to_stderr=to_stderr)


def _told(session: Session, judged: Judged, out: Path | None, *, as_json: bool) -> int:
    """The exit code of what was only looked at."""
    from provisioner.cli import saved_plan
    from provisioner.cli.rendering.bootstrap import judged_json

    if out is not None:
        saved_plan.write(out, judged.plan)
        say(f"Saved to {out}. To do exactly this: provision apply {out}")
    code = _due(judged) if out is None else 0
    if as_json:
        show_json(judged_json(judged, code))
    return code


def _due(judged: Judged) -> int:
    """Work before silence before people: each of them is more than nothing to do."""
    if judged.plan.pending:
        return WORK_DUE
    if judged.silent:
        return NOT_SEEN
    return WAITS if judged.plan.changes else 0


def _applied(
    settings: Settings, session: Session, judged: Judged, how: tuple[bool, int, tuple[Path, ...], bool]
) -> int:
    from provisioner.cli import approvals
    from provisioner.cli.applying import Manner
    from provisioner.cli.asking import confirm
    from provisioner.cli.rendering.bootstrap import sentence
    from provisioner.cli.run import Run
    from provisioner.core.journal import Audit
    from provisioner.engine.apply import refuse

    auto_approve, parallelism, opens, as_json = how
    refuse(judged.plan.verdicts)
    approvals.check(session, judged.plan, None)
    if judged.plan.pending:
        confirm(f"Do this in {judged.findings.environment}?", auto_approve=auto_approve)
    told = Audit("bootstrap", session.now(), detail={"summary": sentence(judged.findings)})
    manner = Manner(parallelism, opens, told=(told,))
    code = Run(settings, session, manner, auto_approve=auto_approve, as_json=as_json).apply(
        judged.plan, told=True
    )
    return code or (NOT_SEEN if judged.silent else 0)
