"""What comes for all credentials of a project, by what is declared and recorded; no vendor is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from provisioner.core.capabilities import Renewal
from provisioner.core.forecast import Event, forecast
from provisioner.core.model import Address, Desired, Record
from provisioner.core.renewal import Policy
from provisioner.core.windows import Opening

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.state.store import StateStore


class Window(Struct, frozen=True):
    """One opening of a maintenance window, with what is renewed in it."""

    opening: Opening
    text: str
    """As the manifest writes it."""
    addresses: tuple[Address, ...]


class Outlook(Struct, frozen=True):
    """What comes between two moments, each part in the order of time."""

    start: datetime
    end: datetime
    events: tuple[Event, ...]
    windows: tuple[Window, ...]


def outlook(session: Session, store: StateStore, now: datetime, days: int) -> Outlook:
    """What comes in so many days; what is overdue comes first."""
    until = now + timedelta(days=days)
    declared = {one.address: one for one in session.project.desired}
    found = [
        event
        for address, record in store.all_records().items()
        for event in _events(session, record, declared.get(address), now, until)
    ]
    events = tuple(sorted(found, key=lambda event: (event.at, event.address, event.what, event.generation)))
    return Outlook(now, until, events, tuple(_windows(events)))


def _events(
    session: Session, record: Record, declared: Desired | None, now: datetime, until: datetime
) -> Iterator[Event]:
    renewed = declared is not None and record.secret_known
    policy = Policy.of(declared.local.get("rotate")) if declared is not None and renewed else None
    yield from forecast(record, policy, now, until, in_place=_in_place(session, declared or record))


def _in_place(session: Session, held: Desired | Record) -> bool:
    known = session.registry.declarations.get(held.provider)
    capabilities = known.capabilities.get(held.via) if known else None
    return capabilities is not None and capabilities.renew is Renewal.IN_PLACE


def _windows(events: Sequence[Event]) -> Iterator[Window]:
    together: dict[tuple[datetime, str, Opening], set[Address]] = defaultdict(set)
    for event in events:
        if event.opening is not None:
            together[event.opening.start, event.window, event.opening].add(event.address)
    for (_, text, opening), addresses in sorted(together.items(), key=lambda one: one[0][:2]):
        yield Window(opening, text, tuple(sorted(addresses)))
