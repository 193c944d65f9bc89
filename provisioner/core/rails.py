"""Rails: safety checks on a plan. One choke point; a rail refuses the apply, never the plan (design §6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from msgspec import Struct, field
from msgspec.structs import replace

from provisioner.core.capabilities import Capabilities, Renewal
from provisioner.core.diff import differences
from provisioner.core.drift import ROTATED
from provisioner.core.family import key_of
from provisioner.core.journal import Action
from provisioner.core.model import Address, Kind, Record
from provisioner.core.plan import Change, Plan, Verdict
from provisioner.core.policing import Policing, refusals
from provisioner.core.project import Limits
from provisioner.core.recovery import MAKES
from provisioner.core.renewal import Policy
from provisioner.core.situation import ORDERED


class Track(Struct, frozen=True):
    """What the rails look at besides the plan."""

    records: Mapping[Address, Record]
    capabilities: Mapping[Address, Capabilities]
    """Of each address in the plan."""
    limits: Limits
    allow_wider: bool = False
    own: frozenset[str] = frozenset()
    """The remote ids of the credentials that this run itself uses."""
    families: Mapping[Address, str] = field(default_factory=dict)
    """The templates of those of families that are not there yet (core.family.coming)."""
    policing: Policing | None = None
    """The project's policies, at the moment that is judged for."""


def judge(plan: Plan, track: Track) -> tuple[Verdict, ...]:
    """Every refusal, in the order of the rails; empty when the plan may be applied."""
    return tuple(verdict for rail in RAILS.values() for verdict in rail(plan, track))


def default_limit(count: int) -> int:
    """How many revocations an environment with `count` live records takes without asking."""
    return max(1, min(5, count * 20 // 100))


def _revocations(plan: Plan, track: Track) -> Iterator[Verdict]:
    """A plan that revokes much is more often a mistake than a wish."""
    live = Counter(address.environment for address, record in track.records.items() if record.live)
    revokes = [change for change in plan.changes if change.action is Action.REVOKE]
    asked = Counter(change.address.environment for change in revokes)
    ordered = any(reason.code == ORDERED for change in revokes for reason in change.reasons)
    parts = "name fewer addresses at a time" if ordered else "apply in parts with --target"
    for environment, count in sorted(asked.items()):
        limit = track.limits.revocations
        limit = default_limit(live[environment]) if limit is None else limit
        if count > limit:
            yield Verdict(
                "revocations",
                f"{count} revocations in {environment}, {limit} allowed",
                f"{parts}, or set limits: {{revocations: {count}}} in provision.yaml",
            )


def _protected(plan: Plan, track: Track) -> Iterator[Verdict]:
    for change in plan.changes:
        record = track.records.get(change.address)
        if change.action is not Action.REVOKE or record is None or not record.protected:
            continue
        if all(reason.code != "removed" for reason in change.reasons):
            yield Verdict(
                "protected",
                f"{change.address} is protected",
                f"list it under `removed`: - {{name: {change.address.name}, reason: …}}",
                change.address,
            )


def _wider(plan: Plan, track: Track) -> Iterator[Verdict]:
    if track.allow_wider:
        return
    for change in plan.changes:
        if not change.widens or plan.environments[change.address.environment] is not Kind.PRODUCTION:
            continue
        if paths := _widened(change, track):
            yield Verdict(
                "wider",
                f"{change.address} gets wider access in production ({', '.join(paths)})",
                "look at it, then apply with --allow-wider",
                change.address,
            )


def _widened(change: Change, track: Track) -> list[str]:
    """What gets wider than it was applied; what somebody took at the vendor is only given back."""
    record, wanted = _record(change, track), change.desired or {}
    wider = [field.path for field in change.fields if field.effect.startswith("wider")]
    if record is None:
        return wider
    edited = {one.path for one in differences(record.fields, wanted.get("fields", {}))}
    return [path for path in wider if path in edited]


def _record(change: Change, track: Track) -> Record | None:
    """The record of what is changed, also where the change renames it."""
    return track.records.get(replace(change.address, name=change.previously or change.address.name))


def _own_credential(plan: Plan, track: Track) -> Iterator[Verdict]:
    for change in plan.changes if track.own else ():
        if takes_away(change, track.capabilities[change.address]) and track.own & _ended(change, track):
            yield Verdict(
                "own credential",
                f"{change.address} is the credential that this run uses",
                "run with another one, or end it in the vendor's portal",
                change.address,
            )


ENDS = frozenset({Action.REVOKE, Action.RETIRE})


def takes_away(change: Change, capabilities: Capabilities) -> bool:
    """Whether a secret that works now is dead before the run is over."""
    if change.action in MAKES:
        in_place = change.action is Action.RENEW and capabilities.renew is Renewal.IN_PLACE
        return change.compromised or in_place
    return change.action in ENDS


def _ended(change: Change, track: Track) -> set[str]:
    """The vendor's ids of what a change takes away."""
    if change.copy:
        return {change.copy}
    record = _record(change, track)
    ends = change.ends if change.action in ENDS else [one.number for one in record.live] if record else ()
    return {one.remote_id for one in record.generations if one.number in ends} if record else set()


def _downtime(plan: Plan, track: Track) -> Iterator[Verdict]:
    for change in plan.changes:
        if change.action is not Action.RENEW or change.desired is None or change.compromised:
            continue
        if track.capabilities[change.address].renew is not Renewal.IN_PLACE:
            continue
        if any(reason.code == ROTATED for reason in change.reasons):
            continue  # what consumers hold is dead already
        if not Policy.of(change.desired["local"].get("rotate")).allow_downtime:
            yield Verdict(
                "downtime",
                f"{change.address} renews in place: consumers hold a dead secret until the delivery",
                "accept that in the manifest with rotate: {allow_downtime: true}",
                change.address,
            )


NO_TEXT = frozenset({"true", "false", "null"})
"""What YAML takes for something else, of what a key may be."""


def _renamed(plan: Plan, track: Track) -> Iterator[Verdict]:
    """A key of `for_each` that was renamed would revoke one credential and create another in its place.

    Also where the plan is only about the one that ends: applying in parts makes no other thing of it.
    """
    made: dict[tuple[str, str], Address] = {}
    for address, template in track.families.items():
        made.setdefault((address.environment, template), address)
    for change in plan.changes if made else ():
        if change.action is Action.REVOKE and any(one.code == "undeclared" for one in change.reasons):
            yield from islice(_was_it(change.address, made), 1)


def _was_it(gone: Address, made: Mapping[tuple[str, str], Address]) -> Iterator[Verdict]:
    for (environment, template), new in made.items():
        key = key_of(template, gone.name) if environment == gone.environment else None
        if key is not None:
            yield Verdict(
                "renamed",
                f"{gone} would be revoked and {new} created: was it renamed?",
                f"if so, write `previously: {_quoted(key)}` at {key_of(template, new.name)} under for_each;"
                f" if not, list it under `removed`: - {{name: {gone.name}, reason: …}}",
                gone,
            )


def _quoted(key: str) -> str:
    """As YAML takes it for text."""
    return key if key[0].isalpha() and key not in NO_TEXT else f'"{key}"'


def _policy(plan: Plan, track: Track) -> Iterator[Verdict]:
    if track.policing is not None:
        yield from refusals(plan, track.policing, track.records)


RAILS: Mapping[str, Callable[[Plan, Track], Iterator[Verdict]]] = {
    "revocations": _revocations,
    "protected": _protected,
    "renamed": _renamed,
    "wider": _wider,
    "own credential": _own_credential,
    "downtime": _downtime,
    "policy": _policy,
}
"""Every rail, in the order in which they are shown."""
