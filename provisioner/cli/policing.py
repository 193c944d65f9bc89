"""Policies for the command line: what does not fit, and where the manifests say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from provisioner.cli.output import say
from provisioner.core.model import Address
from provisioner.core.plan import Plan
from provisioner.core.policing import Policing
from provisioner.core.policy import Level, Path, Policy, Violation, ended, outdated, violations
from provisioner.core.recovery import MAKES
from provisioner.core.situation import Situation

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.core.capabilities import Declaration
    from provisioner.manifest import Place, Problem

MANY = 3
"""How many of the credentials are named that have one problem in one place."""


class Findings(Struct, frozen=True):
    """What `validate` says of policies: lines `file:line:column: what`, in the order of the places."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def findings(session: Session) -> Findings:
    """What of the declared credentials does not fit the project's policies, and exceptions that ended."""
    policies = session.project.policies
    now = moment(session)
    found = list(violations(policies, session.project.desired, vendor_fields(session), now))
    located = _located(session, found)
    denied = [problem for one, problem in located if one.level is Level.DENY]
    warned = [problem for one, problem in located if one.level is Level.WARN]
    return Findings(_lines(denied), _lines([*warned, *_ended(policies, now)]))


def vendor_fields(session: Session) -> Mapping[str, Sequence[str]]:
    """The fields that each vendor has."""
    return {name: fields_of(one) for name, one in session.registry.declarations.items()}


def fields_of(declaration: Declaration) -> tuple[str, ...]:
    """The fields that one vendor has, sorted."""
    return tuple(sorted(declaration.schema.get("properties", {})))


def moment(session: Session) -> datetime:
    """Now, on the project's clock, which is looked at only where a policy has a date."""
    from datetime import UTC

    dated = any(policy.exceptions for policy in session.project.policies)
    return session.now() if dated else datetime.now(UTC)


def of(session: Session, plan: Plan) -> Policing:
    """What the rails judge by: now, or the later moment that a plan is made for."""
    return Policing(session.project.policies, vendor_fields(session), max(moment(session), plan.planned_at))


def mention_outdated(session: Session, plan: Plan, situation: Situation) -> None:
    """Say which secrets are older than a policy lets them be, and are not made anew by this plan."""
    renewed = {change.address for change in plan.changes if change.action in MAKES}
    asked = (
        one
        for one in situation.desired
        if one.address.environment in plan.environments and one.address not in renewed
    )
    groups: dict[str, list[Violation]] = {}
    for found in outdated(session.project.policies, asked, situation.records, plan.planned_at):
        groups.setdefault(found.policy.name, []).append(found)
    for group in groups.values():
        say(f"Note: {_who(group)}: {group[0].text}")


def _located(session: Session, found: Iterable[Violation]) -> list[tuple[Policy, Problem]]:
    """Each place once for each policy, with the credentials that it is about."""
    from provisioner import manifest

    wanted: dict[Address, set[Path]] = {}
    together: dict[tuple[Place, str, str], list[Violation]] = {}
    listed = list(found)
    for one in listed:
        wanted.setdefault(one.address, set()).add(one.path)
    places = manifest.locate(session.root, session.registry.declarations, wanted) if listed else {}
    for one in listed:
        key = places[one.address, one.path], one.policy.name, one.note
        together.setdefault(key, []).append(one)
    return [
        (group[0].policy, manifest.Problem(place, f"{_who(group)}: {group[0].text}"))
        for (place, _, _), group in together.items()
    ]


def _who(group: Sequence[Violation]) -> str:
    named = ", ".join(str(one.address) for one in group[:MANY])
    more = len(group) - MANY
    return f"{named} and {more:,} more" if more > 0 else named


def _ended(policies: Iterable[Policy], now: datetime) -> list[Problem]:
    from provisioner import manifest

    return [
        manifest.Problem(
            manifest.Place(one.source.file, one.source.line, one.source.column),
            f"the exception of {one.credential} from policy {policy.name} ended {one.until}: remove it,"
            " or give it another date",
        )
        for policy, one in ended(policies, now)
    ]


def _lines(problems: Iterable[Problem]) -> tuple[str, ...]:
    ordered = sorted(
        set(problems), key=lambda one: (one.place.file, one.place.line, one.place.column, one.text)
    )
    return tuple(str(problem) for problem in ordered)
