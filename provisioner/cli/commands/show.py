"""`provision show`."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli import options
from provisioner.cli.output import painter, show_json
from provisioner.cli.output import show as print_
from provisioner.cli.settings import Settings


@click.command()
@click.argument("what", metavar="ADDRESS|PLAN")
@options.as_json
@click.pass_obj
def show(settings: Settings, what: str, as_json: bool) -> None:
    """Show all that is known of one address, or a saved plan.

    ADDRESS is ENVIRONMENT/NAME, as `provision status` lists it. PLAN is a file that `provision plan --out`
    saved. No secret is shown.
    """
    if Path(what).is_file():
        _saved(settings, Path(what), as_json)
    else:
        _address(what, as_json)


def _saved(settings: Settings, path: Path, as_json: bool) -> None:
    from provisioner.cli import saved_plan
    from provisioner.cli.rendering.plan import plan_text

    plan = saved_plan.read(path)
    if as_json:
        show_json(saved_plan.document(plan))
    else:
        print_(plan_text(plan, painter(settings)))


def _address(text: str, as_json: bool) -> None:
    from provisioner.cli.lookup import look_up
    from provisioner.cli.records import known_text
    from provisioner.cli.session import open_session

    found = look_up(open_session(), text)
    if as_json:
        show_json(found)
    else:
        print_(known_text(found))
