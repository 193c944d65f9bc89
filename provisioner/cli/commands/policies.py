"""`provision policies list|show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.output import show as print_
from provisioner.cli.output import show_json
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from provisioner.cli.rendering.policies import Standing
    from provisioner.cli.session import Session
    from provisioner.core.policy import Policy


@click.group()
def policies() -> None:
    """Show what credentials must fit, and which do not."""


@policies.command("list")
@options.as_json
def list_(as_json: bool) -> None:
    """List every policy, the built-in ones first, with how many credentials it is about.

    The built-in ones warn until `policies` in provision.yaml says `level: deny`, or `off`.
    """
    from provisioner import manifest
    from provisioner.cli.rendering import policies as render_policies
    from provisioner.cli.session import open_session

    session = open_session()
    found = _standings(session, session.project.policies, session.now())
    if as_json:
        always = [render_policies.always_json(*one) for one in manifest.ALWAYS.items()]
        show_json({"policies": [*map(render_policies.one_json, found), *always]})
    else:
        print_(render_policies.all_text(found, manifest.ALWAYS))


@policies.command("show")
@click.argument("name")
@options.as_json
def show(name: str, as_json: bool) -> None:
    """Show all of one policy: what it requires, its exceptions, and how each credential stands to it."""
    from provisioner import manifest
    from provisioner.cli.planning import nearest
    from provisioner.cli.rendering import policies as render_policies
    from provisioner.cli.session import open_session

    session = open_session()
    known = {policy.name: policy for policy in session.project.policies}
    if name not in {*known, *manifest.ALWAYS}:
        raise UsageError(f"there is no policy {name!r}", remedy=nearest(name, [*known, *manifest.ALWAYS]))
    now = session.now()
    found = _standings(session, [known[name]], now)[0] if name in known else None
    if as_json:
        show_json(
            render_policies.one_json(found)
            if found
            else render_policies.always_json(name, manifest.ALWAYS[name])
        )
    else:
        print_(
            render_policies.one_text(found, now)
            if found
            else render_policies.always_text(name, manifest.ALWAYS[name])
        )


def _standings(session: Session, asked: Iterable[Policy], now: datetime) -> list[Standing]:
    from provisioner.cli.policing import vendor_fields
    from provisioner.cli.rendering.policies import standing

    with session.store() as store:
        records = store.all_records()
    held = vendor_fields(session)
    return [standing(policy, session.project.desired, held, records, now) for policy in asked]
