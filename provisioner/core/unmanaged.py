"""What a vendor has, and no record of ours: found to be told, perhaps adopted, never to be ended. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from provisioner.core.journal import Operation
from provisioner.core.model import USABLE, Address, Observations, Observed, Record

Id = tuple[str, str, str]
"""(provider, environment, remote id)."""


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """One credential at a vendor that no record of this project has."""

    provider: str
    environment: str
    seen: Observed
    others: bool
    """Whether its tag is of another project or another environment."""
    used: bool = False
    """Whether it is what this run itself manages its vendor with."""

    @property
    def whose(self) -> str:
        """Whose it is, in words, as far as that shows; empty where nothing does."""
        if self.used:
            return "what this run uses itself"
        tag = self.seen.tag
        return f"tagged {tag.address} of project {tag.project}" if tag else ""


@dataclass(frozen=True, slots=True)
class Ours:
    """What is ours, by id and by tag."""

    ids: frozenset[Id]
    tags: frozenset[str]

    @classmethod
    def of(
        cls,
        records: Mapping[Address, Record],
        operations: Iterable[Operation],
        imported: Iterable[Id] = (),
    ) -> Ours:
        """All that records and open operations hold, and what manifests import already."""
        ids, tags = set(imported), set[str]()
        for address, record in records.items():
            for generation in record.generations:
                issuer = generation.provider or record.provider
                ids.add((issuer, address.environment, generation.remote_id))
                tags.add(generation.tag)
        for operation in operations:
            ids.add((operation.provider, operation.address.environment, operation.remote_id or ""))
            tags.add(str(operation.tag))
        return cls(frozenset(ids), frozenset(tags))


def unmanaged(
    project: str, observations: Observations, ours: Ours, used: Collection[str] = ()
) -> Iterator[Unmanaged]:
    """Every usable credential that is not ours, in the order of provider, environment, age and id.

    A second copy of what is ours, under its very tag, is ours: the next plan retires it. `used` are the ids
    of what this run itself manages vendors with.
    """
    for (provider, environment), listing in sorted(observations.items()):
        for one in sorted(listing.observed.values(), key=_age):
            mine = (provider, environment, one.remote_id) in ours.ids or str(one.tag) in ours.tags
            if mine or one.status not in USABLE:
                continue
            theirs = one.tag is not None and (one.tag.project, one.tag.environment) != (project, environment)
            yield Unmanaged(provider, environment, one, theirs, one.remote_id in used)


def _age(one: Observed) -> tuple[str, str]:
    return one.created_at.isoformat() if one.created_at else "", one.remote_id
