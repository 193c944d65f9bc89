"""The morning after production was copied over test: one plan instead of hundreds of findings. Pure.

Known credentials that are gone are made anew; known ones that survive are kept, unless their secret is
rejected; copies of production's end (core.copies). A change of this plan is about nothing else: what the
manifests changed meanwhile, renewals and overlaps are for an ordinary plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from provisioner.core import copies, users
from provisioner.core.capabilities import Observe
from provisioner.core.copies import Copy, Place, Production
from provisioner.core.journal import Action, Operation, Phase
from provisioner.core.model import USABLE, Address, JsonValue, Listing, Observed, Record, RemoteStatus
from provisioner.core.plan import Change, Plan, Reason
from provisioner.core.planner import plan as decide
from provisioner.core.provider import Outcome
from provisioner.core.recovery import MAKES
from provisioner.core.situation import Case, Situation, cases
from provisioner.core.unwanted import vanished


class Standing(StrEnum):
    """What became of a known credential, in the order in which it is told."""

    GONE = "gone"
    REJECTED = "rejected"  # it is there, or nobody can look; but its secret is not accepted
    SURVIVES = "survive"
    UNDER_WAY = "under way"  # something interrupted is brought to its end before anything else
    UNSEEN = "not seen"  # its vendor did not answer, or shows nothing to calls


LOST = frozenset({Standing.GONE, Standing.REJECTED})
"""What is made anew."""

GOES_ON = frozenset({Action.RECOVER, Action.ACTIVATE, Action.WAIT})
"""What goes on with an operation that is open."""

GIVEN_UP = "given up"
"""The reason of a recovery that ends what no manifest wants any more: for a plan that is about manifests."""


class Findings(Struct, frozen=True):
    """What a refresh left in one environment."""

    environment: str
    standings: Mapping[Address, Standing]
    """Of every declared credential that was in use."""
    copies: tuple[Copy, ...] = ()
    users: Mapping[Address, str] = field(default_factory=dict)
    """What is wrong with the linked user, in words, of a credential that has one."""
    missing: int = 0
    """How many linked users that are, since several credentials may link one."""
    strangers: int = 0
    """How many are neither ours nor copies of what is ours; they are left alone."""
    tried: Mapping[Address, Outcome] = field(default_factory=dict)
    """What using the secrets showed, where they could be opened."""

    def of(self, standing: Standing) -> tuple[Address, ...]:
        """The credentials of which this became, in order."""
        return tuple(sorted(address for address, one in self.standings.items() if one is standing))

    @property
    def refreshed(self) -> bool:
        """Whether production was copied here and is here still."""
        return bool(self.copies)


class Bootstrap(Struct, frozen=True):
    """What a refresh left, and what to do about it."""

    plan: Plan
    findings: Findings


def plan(
    situation: Situation, production: Production, tried: Mapping[Address, Outcome] | None = None
) -> Bootstrap:
    """What to do about the one environment that the situation asks for.

    `tried` is what using the secrets of its credentials showed. The plan has no verdicts yet.
    """
    (environment,) = situation.environments
    tried = tried or {}
    found = tuple(sorted(copies.copies(situation, production)))
    left = _without(situation, found)
    known = list(cases(left))
    standings = dict(_standings(known, tried))
    flaws = {case.address: why for case in known if case.address in standings and (why := _flaw(case))}
    findings = Findings(
        environment,
        standings,
        found,
        users=flaws,
        missing=len({_user(case) for case in known if case.address in flaws}),
        strangers=copies.strangers(situation, found),
        tried=tried,
    )
    rejected = [case.record for case in known if standings.get(case.address) is Standing.REJECTED]
    made = decide(_as_tried(left, [one for one in rejected if one is not None]))
    changes = _once((*copies.endings(situation, found), *_kept(made, findings)))
    first = sorted(changes, key=lambda change: not copies.of_copy(change.address))
    unchanged = len(standings.keys() - {change.address for change in changes})
    return Bootstrap(replace(made, changes=tuple(first), unchanged=unchanged), findings)


def _without(situation: Situation, found: Collection[Copy]) -> Situation:
    """The situation as if no copy stood there: one under the very id of ours is not ours."""
    theirs: dict[Place, set[str]] = defaultdict(set)
    for copy in found:
        theirs[copy.place].add(copy.remote_id)
    observations = {
        place: replace(
            listing,
            observed={id: one for id, one in listing.observed.items() if id not in theirs[place]},
        )
        for place, listing in situation.observations.items()
    }
    return replace(situation, observations=observations)


def _standings(
    known: Collection[Case], tried: Mapping[Address, Outcome]
) -> Iterator[tuple[Address, Standing]]:
    for case in known:
        if copies.of_copy(case.address):
            continue
        if case.operation is not None and _goes_on(case, case.operation):
            yield case.address, Standing.UNDER_WAY
        elif case.desired is not None and case.record is not None and case.record.active is not None:
            yield case.address, _standing(case, tried.get(case.record.address))


def _goes_on(case: Case, operation: Operation) -> bool:
    return operation.phase is not Phase.INTENT and not vanished(case, operation)


def _standing(case: Case, outcome: Outcome | None) -> Standing:
    if case.looked:
        if case.observed is None or case.observed.status not in USABLE:
            return Standing.GONE
        return Standing.REJECTED if outcome is Outcome.REJECTED else Standing.SURVIVES
    if outcome is Outcome.REJECTED and case.capabilities.observe is Observe.NONE:
        return Standing.REJECTED
    return Standing.SURVIVES if outcome is Outcome.WORKS else Standing.UNSEEN


def _flaw(case: Case) -> str:
    if case.desired is None or case.users is None:
        return ""
    return users.flaw(case.desired.provider, case.desired.fields, case.users, case.rules.includes)


def _user(case: Case) -> tuple[str, JsonValue]:
    return (case.desired.provider, case.desired.fields.get("user")) if case.desired else ("", None)


def _as_tried(situation: Situation, rejected: Collection[Record]) -> Situation:
    """What is rejected is as good as dead, and where nobody can look the trial is the only look there is."""
    observations = dict(situation.observations)
    for record in rejected:
        place = _issuer(record), record.address.environment
        listing = observations.get(place, Listing(unseen="not looked at"))
        shown = _all_of(situation, place) if listing.unseen else dict(listing.observed)
        dead = _observed(record)
        shown[dead.remote_id] = replace(shown.get(dead.remote_id, dead), status=RemoteStatus.DEAD)
        observations[place] = Listing(shown)
    return replace(situation, observations=observations)


def _all_of(situation: Situation, place: Place) -> dict[str, Observed]:
    held = [one for one in situation.records.values() if one.active is not None]
    here = [one for one in held if (_issuer(one), one.address.environment) == place]
    return {seen.remote_id: seen for seen in map(_observed, here)}


def _issuer(record: Record) -> str:
    return (record.active.provider if record.active else "") or record.provider


def _observed(record: Record) -> Observed:
    remote_id = record.active.remote_id if record.active else ""
    return Observed(remote_id, RemoteStatus.LIVE, record.fields)


def _kept(made: Plan, findings: Findings) -> Iterator[Change]:
    for change in made.changes:
        standing = findings.standings.get(change.address)
        codes = {reason.code for reason in change.reasons}
        if standing in LOST and change.action in MAKES | {Action.WAIT}:
            yield _because(change) if standing is Standing.REJECTED else change
        elif change.action in GOES_ON and change.operation is not None and GIVEN_UP not in codes:
            yield change


def _because(change: Change) -> Change:
    _, *others = change.reasons
    return replace(change, reasons=(Reason("rejected", "its secret is rejected by the vendor"), *others))


def _once(changes: Collection[Change]) -> tuple[Change, ...]:
    """The first that goes on with, or replaces, an open operation is the only one."""
    seen: set[str] = set()
    kept = []
    for change in changes:
        if change.operation is None or change.operation not in seen:
            kept.append(change)
        seen.add(change.operation or "")
    return tuple(kept)
