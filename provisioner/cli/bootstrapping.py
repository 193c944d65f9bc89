"""Judging a refreshed environment for the command line: look at it, try what survives, and plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from provisioner.cli import apart
from provisioner.cli.planning import Question, nearest, situation_of, with_verdicts
from provisioner.cli.survey import surveyed
from provisioner.cli.verifying import verify
from provisioner.core import bootstrap
from provisioner.core.bootstrap import Findings, Standing
from provisioner.core.capabilities import Observe
from provisioner.core.copies import Production
from provisioner.core.model import Address, Kind
from provisioner.core.plan import Plan
from provisioner.core.provider import Outcome
from provisioner.core.situation import Situation
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from provisioner.cli.places import Place
    from provisioner.cli.session import Session
    from provisioner.state.store import StateStore


class Judged(Struct, frozen=True):
    """What a refresh left, and the plan for it, with what the rails say."""

    plan: Plan
    findings: Findings
    silent: tuple[str, ...]
    """The vendors that could be asked what is there, and did not answer."""


def judge(session: Session, environment: str, identities: tuple[Path, ...]) -> Judged:
    """Look at an environment after a refresh. Writes nothing, but which secrets were read to try them.

    Raises UsageError for an environment that is not a test one, Refused where it may be production.
    """
    _require_test(session, environment)
    places = {place for place in session.project.providers if place[1] == environment}
    apart.require(session, environment, [provider for provider, _ in places])
    with session.store() as store:
        question = Question((environment,))
        situation = replace(situation_of(session, store, question), removed=(), imports=())
        known = _production(session, store)
        seen = surveyed(session, situation, places | _held(situation))
        found = bootstrap.plan(seen, known)
        apart.require_known(session, found.plan)
        if identities:
            found = bootstrap.plan(seen, known, _tried(session, seen, found.findings, identities))
        plan = with_verdicts(session, store, seen, found.plan, allow_wider=False)
        return Judged(plan, found.findings, _silent(session, seen))


def _require_test(session: Session, environment: str) -> None:
    known = session.project.environments
    if environment not in known:
        raise UsageError(f"there is no environment {environment!r}", remedy=nearest(environment, known))
    if known[environment].kind is not Kind.TEST:
        raise UsageError(
            f"{environment} is of kind {known[environment].kind}: production is never bootstrapped",
            remedy="bootstrap restores what a copy of production over test overwrote",
        )


def _production(session: Session, store: StateStore) -> Production:
    names = frozenset(n for n, one in session.project.environments.items() if one.kind is Kind.PRODUCTION)
    return Production(names, store.records(names))


def _held(situation: Situation) -> set[Place]:
    """Where something is recorded at a vendor that nothing says any more how to reach: that is told."""
    return {(one.provider, address.environment) for address, one in situation.records.items()}


def _tried(
    session: Session, situation: Situation, findings: Findings, identities: tuple[Path, ...]
) -> Mapping[Address, Outcome]:
    asked = {*findings.of(Standing.SURVIVES), *findings.of(Standing.UNSEEN)}
    records = [record for address, record in sorted(situation.records.items()) if address in asked]
    tried = verify(session, records, identities)
    return {one.address: one.outcome for one in tried if one.outcome is not None}


def _silent(session: Session, situation: Situation) -> tuple[str, ...]:
    ways = session.registry.declarations
    return tuple(
        f"{provider}: {listing.unseen}"
        for (provider, environment), listing in sorted(situation.observations.items())
        if listing.unseen
        and (config := session.project.providers.get((provider, environment))) is not None
        and ways[provider].capabilities[config.via].observe is not Observe.NONE
    )
