"""From a question on the command line to a judged plan: look at the store and the vendors, then plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from provisioner.cli.author import author
from provisioner.cli.left_out import how_many, others, unchanged
from provisioner.cli.output import say
from provisioner.cli.restored import refusals
from provisioner.cli.values import count_of, plain
from provisioner.core.action import Action
from provisioner.core.family import coming
from provisioner.core.model import Address, Kind, Record, Via
from provisioner.core.plan import Plan, judged, nothing_changes
from provisioner.core.project import Import
from provisioner.core.situation import Order, Selection, Situation
from provisioner.errors import ProvisionError, UsageError

if TYPE_CHECKING:
    from provisioner.cli.places import Place
    from provisioner.cli.session import Session
    from provisioner.core.findings import Findings
    from provisioner.core.journal import Operation
    from provisioner.core.rails import Track
    from provisioner.state import Readable


class Question(Struct, frozen=True):
    """What a plan is asked for."""

    environments: tuple[str, ...] = ()
    """None means all."""
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    refresh: bool = True
    """Whether the vendors are asked."""
    allow_wider: bool = False
    orders: Mapping[Address, Order] = field(default_factory=dict)
    at: datetime | None = None
    """The moment to plan for, in UTC; None for now."""
    hold_retire: bool = False
    """Whether older generations are kept beyond their overlap."""
    imports: tuple[Import, ...] = ()
    """What is to be taken over, beside what the manifests say."""
    authored: bool = True
    """Whether it matters who asked, also where nothing changes."""
    upkeep: bool = False
    """Whether it is only about what keeps credentials alive (core.upkeep)."""


def make_plan(session: Session, question: Question) -> Plan:
    """The plan for the moment asked for, with what the rails say of it. Writes nothing, anywhere."""
    with session.reading() as store:
        situation = situation_of(session, store, question, leave_out=_may_leave_out(question))
        if _all_settled(situation):
            plan = replace(nothing_changes(situation), author=author() if question.authored else "")
            return judged(plan, refusals(session, store, situation.observations))
        if question.refresh:
            situation = _surveyed(session, situation)
            _mention_copies(session, situation)
        made = _decided(situation, upkeep=question.upkeep)
        return with_verdicts(session, store, situation, made, allow_wider=question.allow_wider)


def _all_settled(situation: Situation) -> bool:
    return bool(situation.settled) and not (situation.desired or situation.records or situation.operations)


def _decided(situation: Situation, *, upkeep: bool) -> Plan:
    # What decides is imported where there is something to decide: that is half of a start.
    from provisioner.core import planner
    from provisioner.core.upkeep import plan as keep

    return keep(situation) if upkeep else planner.plan(situation)


def _may_leave_out(question: Question) -> bool:
    """Whether what is plainly as it was recorded can be left out: nothing else is looked at, or asked for."""
    return not (question.refresh or question.upkeep or question.orders or question.imports)


def with_verdicts(
    session: Session, store: Readable, situation: Situation, made: Plan, *, allow_wider: bool
) -> Plan:
    """The plan in its author's name, with what the rails say of it."""
    from provisioner.cli import policing
    from provisioner.core.rails import judge

    plan = replace(made, author=author())
    policing.mention_outdated(session, plan, situation)
    own = frozenset(one.remote_id for one in situation.authorities.values())
    records = situation.records
    if situation.settled and plan.count()[Action.REVOKE]:
        records = store.held(tuple(situation.environments)).values()  # a rail counts all that live
    rails = judge(plan, track(session, plan, records, allow_wider, own))
    return judged(plan, (*refusals(session, store, situation.observations), *rails))


def look_for_drift(session: Session, question: Question) -> Findings:
    """What the vendors show otherwise than is recorded, of what was asked for. Writes nothing, anywhere."""
    from provisioner.core.findings import findings

    with session.store() as store:
        situation = situation_of(session, store, question)
        return findings(_surveyed(session, situation))


def _surveyed(session: Session, situation: Situation) -> Situation:
    from provisioner.cli.survey import surveyed  # heavy, and needed only where vendors are asked

    return surveyed(session, situation, _places(situation))


def track(
    session: Session,
    plan: Plan,
    records: Mapping[Address, Record],
    allow_wider: bool,
    own: frozenset[str] = frozenset(),
) -> Track:
    """What the rails look at besides the plan; `own` are the remote ids of what this run itself uses."""
    from provisioner.cli import policing
    from provisioner.core.rails import Track

    declarations = session.registry.declarations
    return Track(
        records=records,
        capabilities={
            change.address: declarations[change.provider].capabilities[Via(change.via)]
            for change in plan.changes
        },
        limits=session.project.limits,
        allow_wider=allow_wider,
        own=own,
        families=_families(session, plan, records),
        policing=policing.of(session, plan),
    )


def _families(session: Session, plan: Plan, records: Mapping[Address, Record]) -> dict[Address, str]:
    """Those of families that are not there yet; looked for only where something is revoked."""
    if not plan.count()[Action.REVOKE]:
        return {}
    return coming((d for d in session.project.desired if d.address.environment in plan.environments), records)


def known_environments(session: Session, asked: Iterable[str]) -> tuple[str, ...]:
    """The environments asked for, or all of them. Raises UsageError for one that is not declared."""
    known = session.project.environments
    wanted = tuple(dict.fromkeys(asked)) or tuple(known)
    for name in wanted:
        if name not in known:
            raise UsageError(f"there is no environment {name!r}", remedy=nearest(name, known))
    return wanted


def nearest(name: str, known: Iterable[str]) -> str:
    """What to do about a name that does not exist."""
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"write one of {', '.join(names[:20])}" if names else "there is none yet"


def situation_of(
    session: Session, store: Readable, question: Question, *, leave_out: bool = False
) -> Situation:
    """What the manifests and the store say of what was asked for; no vendor was asked yet.

    With `leave_out`, without what is plainly unchanged, which is only counted.
    """
    project = session.project
    environments = known_environments(session, question.environments)
    now = question.at or session.now()
    selection = Selection(question.targets, question.excludes)
    held, operations = store.held(environments), store.operations(environments)
    settled = unchanged(project, held, operations, now) if leave_out else set()
    records = held.values(without=settled)
    _require_declared([*records.values(), *operations], session)
    _mention_others(session, store.environments_with_records())
    _mention_a_rename(session, store)
    _mention_missed(session, question, [*records, *(one.address for one in operations)])
    return Situation(
        project=project.name,
        state=store.where,
        environments={name: project.environments[name].kind for name in environments},
        desired=others(project.desired, settled),
        records=records,
        operations=operations,
        declarations=session.registry.declarations,
        now=now,
        removed=project.removed,
        orders=question.orders,
        selection=selection,
        hold_retire=question.hold_retire,
        settled=how_many(settled, selection),
        imports=(*project.imports, *question.imports),
    )


def _require_declared(held: Iterable[Record | Operation], session: Session) -> None:
    """Every vendor that holds something of ours must be known here, or nothing can be said of it."""
    known = session.registry.declarations
    for one in held:
        if one.provider not in known or Via(one.via) not in known[one.provider].capabilities:
            broken = session.registry.broken.get(one.provider, "")
            raise ProvisionError(
                f"{one.address} is held by {one.provider} via {one.via}, which is not known here",
                remedy=broken or "install the provider that made it",
            )


def _mention_others(session: Session, environments: Iterable[str]) -> None:
    for name in environments:
        if name not in session.project.environments:
            say(f"Note: the records of {name} are left alone: provision.yaml declares no such environment.")


def _mention_missed(session: Session, question: Question, held: Iterable[Address]) -> None:
    """A target that fits nothing is a slip as a rule, and the plan would only say that it is empty."""
    if not question.targets:
        return
    known = {*held, *(one.address for one in session.project.desired)}
    known |= {one.address for one in (*session.project.imports, *question.imports)}
    for target in dict.fromkeys(question.targets):
        if not any(map(Selection((target,)).holds, known)):
            remedy = nearest(target, map(str, known))
            say(f"Note: --target {plain(target)} fits nothing that is declared or recorded: {remedy}")


def _mention_copies(session: Session, situation: Situation) -> None:
    """What a refresh left is one thing to do about, and no hundred findings."""
    from provisioner.core.copies import Production, copies

    kinds = {name: one.kind for name, one in session.project.environments.items()}
    known = Production(frozenset(name for name, kind in kinds.items() if kind is Kind.PRODUCTION), {})
    found = Counter(copy.place[1] for copy in copies(situation, known))
    for name in sorted(found):
        if kinds[name] is Kind.TEST:
            many = f"{found[name]} cop{'y' if found[name] == 1 else 'ies'}"
            say(f"Note: {name} holds {many} of production's credentials: provision bootstrap {name}")


def _mention_a_rename(session: Session, store: Readable) -> None:
    """A file is one project's. Where it is another's, a plan would make a second copy of everything."""
    if not store.where.startswith("sqlite:") or store.environments_with_records():
        return
    for name, count in store.other_projects().items():
        theirs = f"{count_of(count, 'record')} of project {name}"
        say(
            f"Note: the state holds nothing of project {session.project.name}, and {theirs}:"
            " if it was renamed, take its old name back."
        )


def _places(situation: Situation) -> set[Place]:
    """Where anything that was asked for is declared, recorded or in the middle of something."""
    everything: list[tuple[Address, str]] = [(one.address, one.provider) for one in situation.desired]
    everything += [(address, one.provider) for address, one in situation.records.items()]
    everything += [(one.address, one.provider) for one in situation.operations]
    return {
        (provider, address.environment)
        for address, provider in everything
        if address.environment in situation.environments and situation.selection.holds(address)
    }
