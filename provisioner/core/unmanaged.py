"""What a vendor has, and no record of ours: found to be told, perhaps adopted, never to be ended. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct

from provisioner.core.journal import Operation
from provisioner.core.model import USABLE, Address, Desired, Observations, Observed, Record
from provisioner.core.project import Import

Id = tuple[str, str, str]
"""(provider, environment, remote id)."""


class Unmanaged(Struct, frozen=True):
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


class Ours(Struct, frozen=True):
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
            if operation.tag is not None:
                tags.add(str(operation.tag))
        return cls(frozenset(ids), frozenset(tags))

    def has(self, provider: str, environment: str, one: Observed) -> bool:
        """Whether this is ours: a second copy of what is ours, under its very tag, is."""
        if (provider, environment, one.remote_id) in self.ids:
            return True
        return one.tag is not None and str(one.tag) in self.tags


def imported(desired: Iterable[Desired], imports: Collection[Import]) -> Iterator[Id]:
    """What manifests are to take over, where its credential is among those."""
    providers = {one.address: one.provider for one in desired} if imports else {}
    for entry in imports:
        if entry.address in providers:
            yield providers[entry.address], entry.address.environment, entry.remote_id


def unmanaged(
    project: str, observations: Observations, ours: Ours, used: Collection[str] = ()
) -> Iterator[Unmanaged]:
    """Every usable credential that is not ours, in the order of provider, environment, age and id.

    A second copy of what is ours is left out, since the next plan retires it. `used` are the ids of what
    this run itself manages vendors with: environments that share a tenant show those of each other.
    """
    for (provider, environment), listing in sorted(observations.items()):
        usable = (one for one in listing.observed.values() if one.status in USABLE)
        strangers = [one for one in usable if not ours.has(provider, environment, one)]
        for one in sorted(strangers, key=_age):
            theirs = one.tag is not None and (one.tag.project, one.tag.environment) != (project, environment)
            yield Unmanaged(provider, environment, one, theirs, one.remote_id in used)


def _age(one: Observed) -> tuple[str, str]:
    return one.created_at.isoformat() if one.created_at else "", one.remote_id
