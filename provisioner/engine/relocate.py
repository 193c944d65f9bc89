"""Relocate: give a record another address, or forget it. No vendor is asked anything, and nothing ends.

A person's word alone moves what the store knows; it is written down with its audit row, under the lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from provisioner.core.journal import Audit, RemoveRecord, RenameRecord, Write
from provisioner.core.model import Address, Record
from provisioner.engine.ports import Store
from provisioner.errors import Refused


class Relocation(Struct, frozen=True):
    """What a person asked for: to have `before` known as `after`, or to forget it where that is None."""

    before: Address
    after: Address | None
    reason: str = ""


def possible(store: Store, asked: Relocation) -> Record:
    """The record that is meant. Raises Refused, with the reason, where it cannot be moved or forgotten."""
    record = store.record(asked.before)
    if record is None:
        raise Refused(f"nothing is recorded of {asked.before}", remedy="see what is: provision state list")
    for address in _addresses(asked):
        for operation in store.operations([address.environment]):
            if operation.address == address:
                raise Refused(
                    f"the {operation.action} of {address} is open ({operation.phase})",
                    remedy=f"bring it to its end first: provision apply --target {address}",
                )
    if asked.after is not None:
        _require_room(store, asked.before, asked.after)
    return record


def relocate(store: Store, asked: Relocation, *, now: datetime, holder: str) -> None:
    """Do it, in one transaction with its audit row. Raises Refused, and LeaseHeld."""
    store.acquire(sorted({address.environment for address in _addresses(asked)}), holder=holder)
    try:
        record = possible(store, asked)
        write: Write = RenameRecord(asked.before, asked.after) if asked.after else RemoveRecord(asked.before)
        asyncio.run(store.commit([write, *_told(asked, record, now)]))
    finally:
        store.release()


def _addresses(asked: Relocation) -> tuple[Address, ...]:
    return (asked.before, asked.after) if asked.after else (asked.before,)


def _require_room(store: Store, before: Address, after: Address) -> None:
    if before == after:
        raise Refused(f"{before} has that address already")
    if before.environment != after.environment:
        raise Refused(
            f"{before} cannot become {after}: a credential lives in one environment, at one of its vendors",
            remedy=f"declare {after}, and let it be created",
        )
    there = store.record(after)
    if there is not None and there.live:
        raise Refused(f"{after} has a credential of its own, {there.live[-1].remote_id}")


def _told(asked: Relocation, record: Record, now: datetime) -> Sequence[Audit]:
    """A row for each address, so that the history of either tells of it. Ids stay findable."""
    known = [
        {"number": g.number, "remote_id": g.remote_id, "state": g.state.value} for g in record.generations
    ]
    why = {"reason": asked.reason} if asked.reason else {}
    if asked.after is None:
        detail = {"provider": record.provider, "generations": known, **why}
        return [Audit("record forgotten", now, asked.before, detail)]
    return [
        Audit("record moved", now, asked.before, {"to": str(asked.after), **why}),
        Audit("record moved", now, asked.after, {"from": str(asked.before), "generations": known, **why}),
    ]
