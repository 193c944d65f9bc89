"""`provision audit log|verify|head`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.output import say, show, show_json
from provisioner.cli.values import count_of, plain, shown
from provisioner.errors import ProvisionError, UsageError

if TYPE_CHECKING:
    from provisioner.core.model import JsonObject
    from provisioner.state.values import AuditHead, AuditRow


@click.group()
def audit() -> None:
    """Read the tamper-evident history, and check it."""


@audit.command()
@click.argument("address", required=False)
@options.as_json
def log(address: str | None, as_json: bool) -> None:
    """List what happened, oldest first; of one ADDRESS, or of all."""
    from provisioner.cli.lookup import parse_address
    from provisioner.cli.session import open_session

    wanted = parse_address(address) if address else None
    with open_session().store() as store:
        rows = store.history(wanted) if wanted else store.audit_log()
    if as_json:
        show_json({"rows": [_row(row) for row in rows]})
    elif rows:
        show("\n".join(_line(row) for row in rows))


@audit.command()
@click.option(
    "--head",
    metavar="SEQ:DIGEST",
    help="A head that was kept elsewhere: the history must still lead through it. By default the one that "
    "this machine kept.",
)
def verify(head: str | None) -> int:
    """Check that no row was edited, removed or cut off.

    A cut tail leaves a whole chain, and shows only against a head: keep what `provision audit head` prints.
    """
    from provisioner.cli import kept_head
    from provisioner.cli.session import open_session

    given = _parsed(head) if head else None
    session = open_session()
    known = given or kept_head.kept(session.root, session.project.name)
    with session.store() as store:
        found, end = store.audit_verify(known), store.audit_head()
    if found:
        for finding in found:
            say(plain(str(finding)))
        raise ProvisionError(
            f"the audit log is not what was written: {count_of(len(found), 'finding')}",
            remedy="find out who wrote to the store, and restore it from a copy that can be trusted",
        )
    against = f", and it leads through the kept row {known.seq}" if known else ""
    show(f"The audit log is whole: {count_of(end.seq, 'row')}{against}.")
    return 0


@audit.command()
def head() -> None:
    """Print the end of the history as SEQ:DIGEST, to be kept where the store's owner cannot edit it."""
    from provisioner.cli.session import open_session

    with open_session().store() as store:
        show(str(store.audit_head()))


def _parsed(text: str) -> AuditHead:
    from provisioner.state.values import AuditHead

    try:
        return AuditHead.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _row(row: AuditRow) -> JsonObject:
    return {
        "seq": row.seq,
        "at": row.at.isoformat(),
        "actor": row.actor,
        "event": row.event,
        "address": str(row.address) if row.address else None,
        "detail": dict(row.detail),
        "previous": row.previous,
        "digest": row.digest,
    }


def _line(row: AuditRow) -> str:
    where = f"  {plain(str(row.address))}" if row.address else ""
    line = f"{row.seq:>5}  {row.at:%Y-%m-%d %H:%M:%S}  {plain(row.event)}{where}  by {plain(row.actor)}"
    told = [f"         {plain(name)}: {shown(value)}" for name, value in sorted(row.detail.items())]
    return "\n".join([line, *told])
