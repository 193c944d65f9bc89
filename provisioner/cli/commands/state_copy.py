"""`provision state copy`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from provisioner.cli import options
from provisioner.cli.output import say, show, show_json
from provisioner.cli.values import count_of


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@options.as_json
def copy(source: str, target: str, as_json: bool) -> None:
    """Copy the project's state to another store, and prove that it is the same.

    FROM and TO are URLs as `state:` in provision.yaml takes them, such as sqlite:///PATH or
    postgresql+psycopg://USER@HOST/DATABASE. TO must hold nothing of the project; FROM stays as it is. Every
    row is compared by digest before anything is kept. Leases are not copied: no run may be at work meanwhile.
    """
    from provisioner.cli.session import open_session
    from provisioner.state import LEASE_SECONDS
    from provisioner.state.copying import Mover, copy_store
    from provisioner.state.process import whoami

    session = open_session()
    mover = Mover(session.project.name, session.root, lambda: datetime.now(UTC), whoami(), LEASE_SECONDS)
    copied = copy_store(source, target, mover)
    if as_json:
        names = ("source", "target", "rows", "digest")
        show_json({name: getattr(copied, name) for name in names})
        return
    for table, number in copied.rows.items():
        show(f"  {table:<24}{number:>8}")
    total = count_of(sum(copied.rows.values()), "row")
    show(f"Copied {total} from {copied.source} to {copied.target}; both sides have digest {copied.digest}.")
    say("Now write the new URL under `state:` in provision.yaml, and let nobody use the old one.")
