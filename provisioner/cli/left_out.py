"""A situation without what is plainly unchanged, so that a plan of few changes among many costs the few."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from provisioner.core.model import Address, Desired
from provisioner.core.policy import oldest_allowed
from provisioner.core.sheet import Sheet, desired_of
from provisioner.core.situation import Selection
from provisioner.core.unchanged import Key, settled

if TYPE_CHECKING:
    from datetime import datetime

    from provisioner.core.journal import Operation
    from provisioner.core.project import Project
    from provisioner.state.held import Held


def unchanged(project: Project, held: Held, operations: Sequence[Operation], now: datetime) -> set[Key]:
    """The addresses that a plan without observations need not look at; none where too much else is asked."""
    if not isinstance(project.desired, Sheet) or project.imports:
        return set()
    return settled(
        project.desired.lines,
        held.records,
        held.generations,
        now=now,
        since=oldest_allowed(project.policies, now),
        besides=frozenset((one.address.environment, one.address.name) for one in operations),
    )


def how_many(found: Collection[Key], selection: Selection) -> int:
    """How many of them were asked for."""
    if not selection.targets and not selection.excludes:
        return len(found)
    return sum(selection.holds(Address(*key)) for key in found)


def others(desired: Sequence[Desired], found: Collection[Key]) -> Sequence[Desired]:
    """What is declared besides them."""
    if not isinstance(desired, Sheet) or not found:
        return desired
    if len(found) == len(desired):
        return ()
    return [desired_of(line) for line in desired.lines if _key(line) not in found]


def _key(line: str) -> Key:
    environment, name, _ = line.split("\t", 2)
    return environment, name
