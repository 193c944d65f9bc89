"""What a restored store lacks, and taking it over: the command line's side of `engine.reconcile`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from provisioner.cli import kept_head, restored
from provisioner.cli.survey import look
from provisioner.core.capabilities import Observe
from provisioner.core.journal import Audit
from provisioner.core.model import GenerationState, JsonObject, Observations
from provisioner.core.restored import Adoption, Holdings, Stranger, adoptions
from provisioner.errors import ProviderError

if TYPE_CHECKING:
    from provisioner.cli.places import Place
    from provisioner.cli.session import Session
    from provisioner.state.store import StateStore


class Found(Struct, frozen=True):
    """What was found out about a store."""

    why: str
    """What the kept head says against it; empty for nothing."""
    strangers: tuple[Stranger, ...]
    adoptions: tuple[Adoption, ...]
    open: tuple[str, ...]
    """The open operations that stay as they are, in words."""
    unseen: tuple[str, ...]
    """The vendors that nobody can look at but a person, in words."""
    observations: Observations
    at: datetime

    @property
    def needed(self) -> bool:
        """Whether there is anything to reconcile."""
        return bool(self.why or self.strangers)

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it for people."""
        return tuple(_lines(self))

    def to_json(self) -> JsonObject:
        """The same for programs."""
        return {
            "restored": self.needed,
            "why": self.why,
            "adopted": [_adoption(one) for one in self.adoptions],
            "open_operations": list(self.open),
            "unseen": list(self.unseen),
        }


def examine(session: Session, store: StateStore) -> Found:
    """Look at every vendor, and weigh what it shows against the store. Writes nothing.

    Raises ProviderError for a vendor that could be asked and did not answer: what it has would be missed.
    """
    at, places = session.now(), list(session.project.providers)
    observations = look(session, places)
    why = kept_head.trouble(session.root, session.project.name, store)
    strangers = restored.strangers(session, store, observations)
    if why or strangers:
        _require_answers(session, observations)
    taken = adoptions(strangers, _holdings(session, store), observations, at)
    return Found(
        why=why,
        strangers=strangers,
        adoptions=taken,
        open=tuple(_open(session, store, taken)),
        unseen=tuple(f"{p} in {e}: {one.unseen}" for (p, e), one in observations.items() if one.unseen),
        observations=observations,
        at=at,
    )


def take_over(session: Session, store: StateStore, found: Found, reason: str) -> None:
    """Write it down, with its audit row, and keep the new end of the log. Raises LeaseHeld, PlanStale."""
    from provisioner.engine.reconcile import reconcile
    from provisioner.state.process import whoami

    def decide() -> tuple[Adoption, ...]:
        known = restored.strangers(session, store, found.observations)
        return adoptions(known, _holdings(session, store), found.observations, found.at)

    detail = {"reason": reason, "why": found.why, "adopted": [_adoption(one) for one in found.adoptions]}
    told = Audit("store reconciled", session.now(), detail=detail)
    places = {*session.project.environments, *store.environments_with_records()}
    asyncio.run(reconcile(store, found.adoptions, decide, told, environments=places, holder=whoami()))
    session.keep_head(store)


def _require_answers(session: Session, observations: Observations) -> None:
    silent = [
        f"{provider} in {environment}: {listing.unseen}"
        for (provider, environment), listing in sorted(observations.items())
        if listing.unseen and _lists(session, (provider, environment))
    ]
    if silent:
        raise ProviderError(
            "\n".join(["what these vendors have cannot be seen now:", *silent]),
            remedy="try again once they answer: what they have of ours would be missed",
        )


def _lists(session: Session, place: Place) -> bool:
    via = session.project.providers[place].via
    return session.registry.declarations[place[0]].capabilities[via].observe is Observe.LIST


def _holdings(session: Session, store: StateStore) -> Holdings:
    places = {*session.project.environments, *store.environments_with_records()}
    return Holdings(
        records=store.all_records(),
        operations={one.address: one for one in reversed(store.operations(places))},
        desired={one.address: one for one in session.project.desired},
        vias={place: config.via for place, config in session.project.providers.items()},
    )


def _open(session: Session, store: StateStore, taken: tuple[Adoption, ...]) -> Iterator[str]:
    closed = {one.closed.id for one in taken if one.closed is not None}
    for operation in store.operations(session.project.environments):
        if operation.id not in closed:
            yield f"{operation.address}: {operation.action}, {operation.phase}"


def _lines(found: Found) -> Iterator[str]:
    if not found.needed:
        yield "Nothing to reconcile: the store knows all that the vendors have of ours."
        return
    if found.why:
        yield found.why
    for adoption in found.adoptions:
        yield from _told(adoption)
    if found.why and not found.adoptions:
        yield "The vendors that can be looked at have nothing that the store does not know."
    if found.open:
        yield "Open in this copy, and perhaps done since; the next plan shows what recovery would do:"
        yield from (f"  {line}" for line in found.open)
    if found.unseen:
        yield "Only a person can look there, at what was made since the copy:"
        yield from (f"  {line}" for line in found.unseen)


def _told(adoption: Adoption) -> Iterator[str]:
    for stranger in adoption.strangers:
        yield f"{stranger}, which the store does not know"
    active = next((g for g in adoption.taken if g.state is GenerationState.ACTIVE), None)
    if active is not None:
        yield f"  generation {active.number} becomes the active one; its secret is unknown here"
    if adoption.record.local == {"protect": True}:
        yield "  nobody declares it: it is protected until it is listed under `removed`"


def _adoption(adoption: Adoption) -> JsonObject:
    return {
        "address": str(adoption.record.address),
        "provider": adoption.record.provider,
        "generations": [
            {"number": one.number, "state": one.state.value, "remote_id": one.remote_id, "tag": one.tag}
            for one in adoption.taken
        ],
        "secret_known": adoption.record.secret_known,
    }
