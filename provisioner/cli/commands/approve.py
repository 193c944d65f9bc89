"""`provision approve`."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli import options
from provisioner.cli.output import painter, say, show, show_json
from provisioner.cli.settings import Settings
from provisioner.cli.values import plain


@click.command()
@click.argument("saved", metavar="PLAN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Your SSH key, such as ~/.ssh/id_ed25519; or the .pub file of one that ssh-agent holds.",
)
@options.as_json
@click.pass_obj
def approve(settings: Settings, saved: Path, key: Path, as_json: bool) -> None:
    """Sign a saved plan with your SSH key, for environments that ask for approvals.

    PLAN is a file that `provision plan --out` saved. It is shown, then signed with `ssh-keygen -Y sign`. The
    approval lies beside it, in PLAN.approvals/. It counts for this plan alone, until it expires; the
    plan's author cannot approve it.
    """
    from provisioner.cli import approvals, saved_plan
    from provisioner.cli.rendering.plan import plan_text
    from provisioner.cli.session import open_session

    plan = saved_plan.read(saved)
    show(plan_text(plan, painter(settings, to_stderr=True)), to_stderr=True)
    say(f"Made by {plain(plan.author)}.")
    made, path = approvals.approve(open_session(), plan, saved, key)
    if as_json:
        show_json({"signers": sorted(made.signers), "file": str(path), **made.statement.to_json()})
    else:
        until = f"{made.statement.expires_at:%Y-%m-%d %H:%M} UTC"
        show(f"Approved by {plain(made.who)} until {until}: {path}")
