"""The project as a value, out of what was read of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from provisioner.core.capabilities import Declaration
from provisioner.core.model import Desired
from provisioner.core.project import Import, Project, Removed
from provisioner.manifest import policies
from provisioner.manifest.house import House
from provisioner.manifest.problems import Problems


def assembled(
    root: Path,
    house: House,
    desired: Sequence[Desired],
    gone: Iterable[Removed],
    taken: Iterable[Import],
    declarations: Mapping[str, Declaration],
    problems: Problems,
) -> Project:
    """Everything that the manifests say; what is wrong with the policies is noted."""
    return Project(
        name=house.name,
        root=root,
        state=house.state,
        environments=house.environments,
        providers=house.providers,
        sinks=house.sinks,
        desired=desired,
        removed=tuple(sorted(gone, key=_removal)),
        limits=house.limits,
        users={name: dict(names) for name, names in house.users.items()},
        policies=policies.build(house, declarations, problems),
        imports=tuple(sorted(taken, key=lambda one: one.address)),
    )


def _removal(removal: Removed) -> tuple[str, tuple[str, ...]]:
    return removal.name, removal.environments or ()
