"""Trying what was delivered: open the sealed secrets of addresses, write that down, and use them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from provisioner.core.journal import Audit
from provisioner.core.model import Address, JsonObject, Record
from provisioner.core.provider import Outcome, Verification
from provisioner.core.secret import Secret
from provisioner.errors import ProvisionError, SecretError

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.engine.trial import Trial
    from provisioner.state.store import StateStore


class Result(StrEnum):
    """What trying a delivered secret comes to, in the order in which it is told."""

    REJECTED = "rejected"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    WORKS = "works"


RESULTS = {
    Outcome.WORKS: Result.WORKS,
    Outcome.WAITING: Result.WAITING,
    Outcome.DENIED: Result.REJECTED,
    Outcome.REJECTED: Result.REJECTED,
    Outcome.INCONCLUSIVE: Result.UNKNOWN,
}


class Tried(Struct, frozen=True):
    """One delivered secret, and what trying it showed."""

    address: Address
    provider: str
    generation: int | None
    result: Result
    detail: str = ""
    outcome: Outcome | None = None
    """What the vendor said; None where it was not asked, or did not answer."""

    def to_json(self) -> JsonObject:
        """The same for programs."""
        return {
            "address": str(self.address),
            "provider": self.provider,
            "generation": self.generation,
            "result": self.result.value,
            "detail": self.detail,
        }


def verify(session: Session, records: Sequence[Record], identities: tuple[Path, ...]) -> list[Tried]:
    """Try the secret in use of each of these, in their order.

    Each read is written to the audit log before anything is done with it, as `secret get` does.
    """
    with session.store() as store:
        opened = [_opened(session, store, record, identities) for record in records]
    trials = [one for one in opened if not isinstance(one, Tried)]
    if trials:
        _told(session, records, trials)
    seen = iter(asyncio.run(_tried(session, trials)))
    return [
        one if isinstance(one, Tried) else _became(record, one, next(seen))
        for record, one in zip(records, opened, strict=True)
    ]


def _opened(
    session: Session, store: StateStore, record: Record, identities: tuple[Path, ...]
) -> Trial | Tried:
    from provisioner.engine.trial import Trial

    active = record.active
    if active is None:
        return Tried(record.address, record.provider, None, Result.UNKNOWN, "nothing is in use")
    provider = active.provider or record.provider
    try:
        secret = _secret(session, store, record, identities)
    except SecretError as error:
        return Tried(record.address, provider, active.number, Result.UNKNOWN, error.message)
    ways = session.registry.declarations[provider].capabilities
    return Trial(
        record.address, provider, record.fields, active.created_at, ways[record.via].consistency, secret
    )


def _secret(session: Session, store: StateStore, record: Record, identities: tuple[Path, ...]) -> Secret:
    active = record.active
    sealed = store.sealed(record.address, active.number) if active else None
    if active is None or sealed is None:
        raise SecretError("its secret is unknown here")
    opener = session.sealer((), identities)
    return opener.unseal(sealed, active.sealed_as(record.address), active.number)


def _told(session: Session, records: Collection[Record], trials: Collection[Trial]) -> None:
    """Opened, but not yet used: no audit row, no use."""
    asked, now = {trial.address for trial in trials}, session.now()
    rows = [
        Audit(
            "secret read", now, one.address, {"generation": one.active.number, "field": None, "for": "verify"}
        )
        for one in records
        if one.active is not None and one.address in asked
    ]
    with session.store(writing=True) as store:
        asyncio.run(store.commit(rows))


async def _tried(session: Session, trials: list[Trial]) -> list[Verification | ProvisionError]:
    from provisioner.engine.trial import try_all

    async with session.vendors() as vendors:
        return await try_all(trials, vendors, session.now)


def _became(record: Record, trial: Trial, seen: Verification | ProvisionError) -> Tried:
    number = record.active.number if record.active else None
    if isinstance(seen, ProvisionError):
        return Tried(record.address, trial.provider, number, Result.UNKNOWN, seen.why)
    return Tried(record.address, trial.provider, number, RESULTS[seen.outcome], seen.detail, seen.outcome)


def counted(found: Collection[Tried]) -> Iterator[str]:
    """How many came to what, such as `3 works`."""
    for result in Result:
        if number := sum(one.result is result for one in found):
            yield f"{number} {result.value}"
