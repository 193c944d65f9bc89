"""`provision secret get`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.output import show
from provisioner.core.journal import Audit
from provisioner.core.model import Address
from provisioner.core.secret import Secret
from provisioner.errors import ProvisionError, UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.state.store import StateStore


@click.group()
def secret() -> None:
    """Read sealed secrets, with an identity."""


@secret.command()
@click.argument("address")
@click.option("--field", "part", metavar="F", help="Print this part alone, as it is, such as client_secret.")
@click.option(
    "--generation",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of this generation; by default of the active one.",
)
@options.identity
@options.as_json
def get(
    address: str, part: str | None, generation: int | None, identities: tuple[Path, ...], as_json: bool
) -> None:
    """Open the sealed secret of ADDRESS and print it on stdout.

    Prints KEY=value lines, or with --field one value as it is. Every read is written to the audit log first.
    """
    from provisioner.cli.lookup import parse_address
    from provisioner.cli.session import open_session

    if part is not None and as_json:
        raise UsageError(
            "--field prints one value as it is, and --json all of them", remedy="give one of the two"
        )
    session = open_session()
    opened = _read(session, parse_address(address), generation, part, options.identity_files(identities))
    _print(opened, part, as_json)


def _read(
    session: Session, address: Address, number: int | None, part: str | None, identities: tuple[Path, ...]
) -> Secret:
    with session.store() as store:
        number = number or _active(store, address)
        sealed = store.sealed(address, number)
        generation = next((one for one in store.generations(address) if one.number == number), None)
    if sealed is None or generation is None:
        raise ProvisionError(f"no secret is sealed for {address} generation {number}")
    opened = session.sealer((), identities).unseal(sealed, generation.sealed_as(address), number)
    if part is not None and part not in set(opened):
        raise UsageError(
            f"the secret of {address} has no field {part!r}", remedy=f"it has {', '.join(sorted(opened))}"
        )
    # Opened, but not yet out: no audit row, no secret.
    event = Audit("secret read", session.now(), address, {"generation": number, "field": part})
    with session.store(writing=True) as store:
        asyncio.run(store.commit([event]))
    return opened


def _active(store: StateStore, address: Address) -> int:
    from provisioner.cli.lookup import not_recorded

    record = store.record(address)
    if record is None:
        raise not_recorded(store, address)
    if record.active is None:
        raise ProvisionError(f"{address} has no active generation", remedy="name one with --generation")
    return record.active.number


def _print(opened: Secret, part: str | None, as_json: bool) -> None:
    if part is not None:
        # A pipe gets the value alone; on a terminal the prompt comes on a line of its own.
        show(opened.reveal(part), end="\n" if sys.stdout.isatty() else "")
    elif as_json:
        show(json.dumps({name: opened.reveal(name) for name in opened}))
    else:
        show("\n".join(f"{name}={opened.reveal(name)}" for name in opened))
