"""`provision verify`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.output import show, show_json
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.cli.verifying import Tried
    from provisioner.core.model import Record

REJECTED = 1


@click.command()
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option(
    "--env", "environments", multiple=True, metavar="NAME", help="Only in this environment; repeatable."
)
@options.identity
@options.as_json
def verify(
    addresses: tuple[str, ...], environments: tuple[str, ...], identities: tuple[Path, ...], as_json: bool
) -> int:
    """Try delivered secrets at their vendors.

    The way that consumers use them: all that are in use, or those of each ADDRESS. Each read is written to
    the audit log first. Exits with 1 when one is rejected; `provision renew ADDRESS` makes that whole.
    """
    from provisioner.cli import verifying
    from provisioner.cli.session import open_session

    session = open_session()
    opens = options.identity_files(identities)
    if not opens:
        raise UsageError(
            "trying a secret takes an identity that opens it",
            remedy="give --identity FILE, or PROVISION_IDENTITY",
        )
    found = verifying.verify(session, _chosen(session, addresses, environments), opens)
    if as_json:
        show_json({"tried": [one.to_json() for one in found]})
    else:
        show(_text(found))
    return REJECTED if any(one.result is verifying.Result.REJECTED for one in found) else 0


def _chosen(session: Session, addresses: tuple[str, ...], environments: tuple[str, ...]) -> list[Record]:
    from provisioner.cli.choosing import parsed, require
    from provisioner.cli.planning import known_environments

    if addresses and environments:
        raise UsageError("say which credentials", remedy="name each ADDRESS, or give --env; not both")
    with session.store() as store:
        records = store.records(known_environments(session, environments))
    wanted = parsed(addresses)
    require(wanted, records, "recorded")
    chosen = wanted or tuple(address for address in sorted(records) if records[address].active)
    return [records[address] for address in chosen]


def _text(found: Sequence[Tried]) -> str:
    from provisioner.cli.rendering.status import columns
    from provisioner.cli.verifying import counted

    if not found:
        return "Nothing is in use."
    titles = ["ADDRESS", "PROVIDER", "GEN", "RESULT", "WHY"]
    cells = [
        [str(one.address), one.provider, str(one.generation or ""), one.result.value, one.detail]
        for one in found
    ]
    return "\n".join([*columns(titles, cells), "", f"{', '.join(counted(found))}."])
