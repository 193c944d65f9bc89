"""`provision state list|show|mv|rm|copy|resolve|reconcile`."""

from __future__ import annotations

import click

from provisioner.cli import options
from provisioner.cli.commands.state_copy import copy
from provisioner.cli.commands.state_reconcile import reconcile
from provisioner.cli.commands.state_relocate import mv, rm
from provisioner.cli.commands.state_resolve import resolve
from provisioner.cli.output import show as print_
from provisioner.cli.output import show_json


@click.group()
def state() -> None:
    """Look into the state store, and settle by hand what is in it."""


for _command in (mv, rm, copy, resolve, reconcile):
    state.add_command(_command)


@state.command("list")
@options.as_json
def list_(as_json: bool) -> None:
    """List every recorded address, one a line."""
    from provisioner.cli.session import open_session

    with open_session().store() as store:
        addresses = [str(address) for address in sorted(store.all_records())]
    if as_json:
        show_json({"addresses": addresses})
    elif addresses:
        print_("\n".join(addresses))


@state.command("show")
@click.argument("address")
def show(address: str) -> None:
    """Print what is recorded of one address, as JSON and without secrets."""
    from provisioner.cli.lookup import look_up
    from provisioner.cli.session import open_session

    show_json(look_up(open_session(), address))
