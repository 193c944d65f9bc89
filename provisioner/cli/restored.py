"""Is the store an older copy of itself? What a plan says of that, and what `state reconcile` takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.cli import kept_head
from provisioner.cli.output import say
from provisioner.cli.values import plain
from provisioner.core.model import Observations
from provisioner.core.plan import Plan, Verdict

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.core.restored import Stranger
    from provisioner.state import Readable


def refusals(session: Session, store: Readable, observations: Observations) -> tuple[Verdict, ...]:
    """Why nothing may be applied with this store, told on stderr as well: a plan without changes shows none.

    To be asked after the vendors were: whatever they show was in the journal before it was with them.
    """
    why = kept_head.trouble(session.root, session.project.name, store)
    if not why and not observations:
        return ()
    from provisioner.core.restored import RAIL, REMEDY, verdicts

    of_head = (Verdict(RAIL, why, REMEDY),) if why else ()
    found = (*of_head, *verdicts(strangers(session, store, observations)))
    for verdict in found:
        say(f"WARNING: {plain(verdict.text)}")
    if found:
        say(f"  Nothing can be applied before that is settled. {REMEDY}")
    return found


def strangers(session: Session, store: Readable, observations: Observations) -> tuple[Stranger, ...]:
    """What the vendors have with our tag, and the store has never heard of."""
    from provisioner.core.restored import tagged, unknown

    found = tagged(session.project.name, observations)
    return unknown(found, store.known_tags([str(one.tag) for one in found])) if found else ()


def remembered(plan: Plan) -> tuple[Verdict, ...]:
    """What a saved plan was refused for when it was made: an apply asks no vendor again."""
    from provisioner.core.restored import RAIL

    return tuple(verdict for verdict in plan.verdicts if verdict.rail == RAIL)
