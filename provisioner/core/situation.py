"""Everything that a plan depends on, and the same taken apart address by address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from provisioner.core.action import Action
from provisioner.core.capabilities import Capabilities, Declaration, FieldRules, field_rules
from provisioner.core.model import (
    USABLE,
    Address,
    Desired,
    Generation,
    Kind,
    Listing,
    Observations,
    Observed,
    Record,
    Via,
)
from provisioner.core.project import Import, Removed

if TYPE_CHECKING:
    from provisioner.core.journal import Operation
    from provisioner.core.provider import Authority, Users


ORDERED = "ordered"
"""The code of the reason that somebody gave on the command line."""


class Order(Struct, frozen=True):
    """Somebody asked for this on the command line: a renew or a revoke, and why."""

    action: Action
    reason: str
    compromised: bool = False
    """Of a renew: somebody else may have the secret, so the old one ends first."""


class Selection(Struct, frozen=True):
    """Which addresses a plan is about: globs on addresses; no target means all."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def holds(self, address: Address) -> bool:
        """Whether this address was asked for."""
        if not self.targets and not self.excludes:
            return True
        text = str(address)
        wanted = not self.targets or any(fnmatchcase(text, glob) for glob in self.targets)
        return wanted and not any(fnmatchcase(text, glob) for glob in self.excludes)


class Situation(Struct, frozen=True):
    """Everything that a plan depends on."""

    project: str
    state: str
    """The store's URL without credentials, for the plan's header."""
    environments: Mapping[str, Kind]
    """The environments asked for; nothing outside of them is ever in the plan."""
    desired: Sequence[Desired]
    records: Mapping[Address, Record]
    operations: Sequence[Operation]
    """The open ones, oldest first."""
    declarations: Mapping[str, Declaration]
    now: datetime
    observations: Observations = field(default_factory=dict)
    observed_at: datetime | None = None
    removed: Sequence[Removed] = ()
    orders: Mapping[Address, Order] = field(default_factory=dict)
    selection: Selection = Selection()
    hold_retire: bool = False
    """Keep older generations beyond their overlap, as in an incident."""
    settled: int = 0
    """How many declared credentials are plainly unchanged, and therefore left out (core.unchanged)."""
    imports: Sequence[Import] = ()
    users: Mapping[tuple[str, str], Users] = field(default_factory=dict)
    """By (provider, environment), where a linked user is declared and its vendor answered."""
    authorities: Mapping[tuple[str, str], Authority] = field(default_factory=dict)
    """What our own credential is, by (provider, environment), where its vendor says so."""
    unasked: Sequence[str] = ()
    """Which of these two could not be asked, and why, in words."""


class Candidate(Struct, frozen=True):
    """What an entry under `import` names, as far as it can be seen."""

    entry: Import
    seen: Observed | None
    looked: bool
    """Whether its vendor was asked, so that an absence means something."""
    held_by: Address | None
    """The address that has it already."""
    project: str
    """Ours, to tell a tag of another one."""


class Case(Struct, frozen=True):
    """One address, with all that is known of it."""

    address: Address
    desired: Desired | None
    record: Record | None
    operation: Operation | None
    observed: Observed | None
    """The credential as its vendor shows it; None also where nobody looked."""
    looked: bool
    """Whether the vendor was asked, so that an absence means something."""
    removed: str
    """The reason given under `removed`; empty when it is not listed."""
    order: Order | None
    rules: FieldRules
    declaration: Declaration
    capabilities: Capabilities
    now: datetime
    hold_retire: bool
    copies: tuple[tuple[Generation, str], ...]
    """What else the vendor shows under the tag of one of our generations, by its id: a request that was given
    up for lost, and came late."""
    candidate: Candidate | None = None
    """What it is to take over from its vendor."""
    users: Users | None = None
    """The users of the vendor that it is declared at; None where nobody asked."""
    authority: Authority | None = None
    """What our own credential there is; None where the vendor does not say."""

    @property
    def renamed_from(self) -> str | None:
        """The name that the record still goes by, where the manifest renames it."""
        if self.record is None or self.record.address == self.address:
            return None
        return self.record.address.name


def cases(situation: Situation) -> Iterator[Case]:
    """Every address that is declared, recorded or in the middle of something, in the order of addresses."""
    asked = situation.environments
    wanted = {d.address: d for d in situation.desired if d.address.environment in asked}
    records = {a: r for a, r in situation.records.items() if a.environment in asked}
    operations = {o.address: o for o in reversed(situation.operations) if o.address.environment in asked}
    renames = _renames(wanted, records, operations)
    rules = {name: field_rules(d.schema) for name, d in situation.declarations.items()}
    tagged = _tagged(situation)
    candidates = _candidates(situation, wanted)
    moved_away = {record.address for record in renames.values()}
    for address in sorted((wanted.keys() | records.keys() | operations.keys()) - moved_away):
        if situation.selection.holds(address):
            record = renames.get(address) or records.get(address)
            # What was begun under the old name ends under it, before the rename.
            operation = operations.get(record.address if record else address)
            found = _case(situation, rules, address, wanted.get(address), record, operation)
            if address in candidates:
                found = replace(found, candidate=candidates[address])
            yield replace(found, copies=tuple(_copies(record, tagged))) if record else found


Tagged = Mapping[tuple[str, str, str], Sequence[str]]
"""The ids of what vendors show under a tag of ours, by provider, environment and tag."""


def _tagged(situation: Situation) -> Tagged:
    found: dict[tuple[str, str, str], list[str]] = {}
    for (provider, environment), listing in situation.observations.items():
        for one in listing.observed.values():
            if one.tag is not None and one.tag.project == situation.project and one.status in USABLE:
                found.setdefault((provider, environment, str(one.tag)), []).append(one.remote_id)
    return found


def _copies(record: Record, tagged: Tagged) -> Iterator[tuple[Generation, str]]:
    """Only a tag with our own nonce counts: another store of the same project has other nonces."""
    known = {generation.remote_id for generation in record.generations}
    for generation in record.generations:
        place = generation.provider or record.provider, record.address.environment, generation.tag
        for remote_id in tagged.get(place, ()):
            if remote_id not in known:
                yield generation, remote_id


def _candidates(situation: Situation, wanted: Mapping[Address, Desired]) -> dict[Address, Candidate]:
    """What the entries under `import` name, by the address that takes it."""
    entries = [one for one in situation.imports if one.address in wanted]
    if not entries:
        return {}
    holders = {
        (generation.provider or record.provider, address.environment, generation.remote_id): address
        for address, record in situation.records.items()
        for generation in record.live
    }
    found = {}
    for entry in entries:
        place = wanted[entry.address].provider, entry.address.environment
        listing = situation.observations.get(place, NOT_LOOKED)
        found[entry.address] = Candidate(
            entry,
            seen=listing.observed.get(entry.remote_id),
            looked=not listing.unseen,
            held_by=holders.get((*place, entry.remote_id)),
            project=situation.project,
        )
    return found


def _renames(
    wanted: Mapping[Address, Desired],
    records: Mapping[Address, Record],
    operations: Mapping[Address, Operation],
) -> dict[Address, Record]:
    """The records that a declared credential takes over under its new name, also one that was used before."""
    found = {}
    for address, desired in wanted.items():
        if desired.previously is None or address in operations:
            continue
        before = Address(address.environment, desired.previously)
        if before in records and before not in wanted and _gives_way(records.get(address), records[before]):
            found[address] = records[before]
    return found


def _gives_way(there: Record | None, comes: Record) -> bool:
    return there is None or bool(not there.live and comes.live)


def _case(
    situation: Situation,
    rules: Mapping[str, FieldRules],
    address: Address,
    desired: Desired | None,
    record: Record | None,
    operation: Operation | None,
) -> Case:
    wanted_at = _held_by(desired, record, operation)
    held_at = _held_by(operation, record, desired)
    listing = situation.observations.get((held_at[0], address.environment), NOT_LOOKED)
    remote_id = _remote_id(record, operation)
    return Case(
        address=address,
        desired=desired,
        record=record,
        operation=operation,
        observed=listing.observed.get(remote_id) if remote_id else None,
        looked=not listing.unseen,
        removed=_removed(situation.removed, address),
        order=situation.orders.get(address),
        rules=rules[wanted_at[0]],
        declaration=situation.declarations[wanted_at[0]],
        capabilities=situation.declarations[wanted_at[0]].capabilities[wanted_at[1]],
        now=situation.now,
        hold_retire=situation.hold_retire,
        copies=(),
        users=situation.users.get((wanted_at[0], address.environment)),
        authority=situation.authorities.get((wanted_at[0], address.environment)),
    )


NOT_LOOKED = Listing(unseen="not looked at")


def _held_by(*sources: Desired | Record | Operation | None) -> tuple[str, Via]:
    """The provider, and the way to it, of the first of these that there is."""
    return next((source.provider, Via(source.via)) for source in sources if source is not None)


def _remote_id(record: Record | None, operation: Operation | None) -> str | None:
    if operation is not None and operation.remote_id:
        return operation.remote_id
    return record.active.remote_id if record is not None and record.active is not None else None


def _removed(entries: Sequence[Removed], address: Address) -> str:
    for entry in entries:
        everywhere = entry.environments is None or address.environment in entry.environments
        if entry.name == address.name and everywhere:
            return entry.reason
    return ""
