"""Drift: where a vendor shows a credential otherwise than it is recorded. One credential's is nobody else's.

A `Finding` says what, in a kind for programs and in words for people; what is planned for it is the
planner's. A vendor that could not be asked shows nothing, and so does one whose contract has no such field.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from provisioner.core.diff import NESTED, Difference, declared_only, differences
from provisioner.core.model import Desired, JsonObject, JsonValue, Observed, RemoteStatus
from provisioner.core.plan import FieldChange, Reason
from provisioner.core.privilege import weigh
from provisioner.core.situation import Case


class Kind(StrEnum):
    """What can be found of one credential."""

    GONE = "gone"  # not there, or there as revoked or expired
    DISABLED = "disabled"
    DENIED = "denied"
    WAITING = "waiting"  # for the vendor's approval
    ROTATED = "rotated"  # somebody else had its secret replaced
    WIDER = "wider"  # it may do more than is recorded: worse than any other change
    ALTERED = "altered"


class Finding(Struct, frozen=True):
    """One thing that a vendor shows otherwise than it is recorded."""

    kind: Kind
    text: str
    fields: tuple[FieldChange, ...] = ()
    """As recorded, and as the vendor shows it."""


STANDING: Mapping[RemoteStatus, Finding] = {
    RemoteStatus.DEAD: Finding(Kind.GONE, "revoked or expired at the vendor"),
    RemoteStatus.DENIED: Finding(Kind.DENIED, "denied at the vendor"),
    RemoteStatus.DISABLED: Finding(Kind.DISABLED, "disabled at the vendor"),
    RemoteStatus.WAITING: Finding(Kind.WAITING, "waits for the vendor's approval"),
}
"""How a credential in use can stand at its vendor, other than well."""

ABSENT = Finding(Kind.GONE, "gone at the vendor")

DRIFT = "drift "
"""How the code of every reason begins that is drift and nothing else."""

ROTATED = f"{DRIFT}{Kind.ROTATED}"
"""The code of the reason of a renewal that follows a secret which somebody else had replaced."""

LIMITS = frozenset({"scopes", "allow_ips"})
"""What says how much a credential may do; another linked user is told as an alteration."""


def standing(case: Case) -> Finding | None:
    """Whether the credential in use is gone, or there and not usable."""
    if not case.looked or case.record is None or case.record.active is None:
        return None
    return ABSENT if case.observed is None else STANDING.get(case.observed.status)


def rotated(case: Case) -> Finding | None:
    """Whether the secret at the vendor is another one than was issued to us.

    By the vendor's own words for when it was issued: two clocks would have to agree otherwise. A secret that
    we never had, or that a person brought from the portal, is not told that way: `verify` tries it.
    """
    active = case.record.active if case.record else None
    if active is None or active.issued_at is None or case.observed is None or case.observed.issued_at is None:
        return None
    if active.issued_at == case.observed.issued_at:
        return None
    when = f"{case.observed.issued_at:%Y-%m-%d %H:%M} UTC"
    return Finding(Kind.ROTATED, f"its secret was replaced at the vendor {when}, not by us")


def drift(case: Case, desired: Desired) -> tuple[Difference, ...]:
    """What the vendor shows otherwise than declared, from there to here, of the fields that are declared."""
    return _against(case, desired.fields, desired.local)


def altered(case: Case, desired: Desired) -> tuple[Finding, ...]:
    """What is otherwise at the vendor although the manifest wants what was applied."""
    found = drift(case, desired)
    if not found:
        return ()
    applied = case.record.fields if case.record else {}
    edited = {one.path for one in differences(applied, desired.fields, sets=case.rules.sets)}
    return tuple(_told(case, [one for one in found if one.path not in edited]))


def since_applied(case: Case) -> tuple[Finding, ...]:
    """What is otherwise at the vendor than it was applied, whatever the manifest wants by now."""
    if case.record is None:
        return ()
    local = case.desired.local if case.desired else case.record.local
    return tuple(_told(case, _against(case, case.record.fields, local)))


def because(*findings: Finding) -> Reason:
    """Drift as the reason of a change; the first names the kind."""
    return Reason(f"{DRIFT}{findings[0].kind}", f"drift: {', '.join(one.text for one in findings)}")


def ignored(path: str, local: JsonObject) -> bool:
    """Whether the vendor's value of this field is left as it is (`ignore_drift`)."""
    return any(path == name or path.startswith(f"{name}.") for name in local.get("ignore_drift") or ())


def left_alone(fields: JsonObject, seen: Observed, local: JsonObject, changed: Collection[str]) -> JsonObject:
    """The fields to ask a vendor for, with its own values where their drift is ignored.

    What is in `changed` is asked for as declared: an edit of the manifest is applied.
    """
    mine, theirs = _flat(fields), {**dict.fromkeys(seen.unset), **_flat(seen.fields)}
    kept = {path: value for path, value in theirs.items() if ignored(path, local) and path not in changed}
    return _nested({path: value for path, value in {**mine, **kept}.items() if value is not None})


def _flat(fields: JsonObject) -> dict[str, JsonValue]:
    settings = {f"{NESTED}.{name}": value for name, value in fields.get(NESTED, {}).items()}
    return {name: value for name, value in fields.items() if name != NESTED} | settings


def _nested(paths: JsonObject) -> JsonObject:
    plain = {path: value for path, value in paths.items() if "." not in path}
    settings = {path.partition(".")[2]: value for path, value in paths.items() if "." in path}
    return {**plain, NESTED: settings} if settings else plain


def _against(case: Case, fields: JsonObject, local: JsonObject) -> tuple[Difference, ...]:
    if case.observed is None:
        return ()
    empty = dict.fromkeys(case.observed.unset & fields.keys() - {NESTED})
    shown = {**empty, **declared_only(fields, case.observed.fields)}
    asked = {name: value for name, value in fields.items() if name in shown}
    found = differences(shown, asked, sets=case.rules.sets)
    return tuple(one for one in found if not ignored(one.path, local))


def _told(case: Case, found: Collection[Difference]) -> Iterator[Finding]:
    """The worse first. A difference leads from the vendor's to ours, a finding from ours to the vendor's."""
    wider = [
        one for one in found if one.path in LIMITS and weigh(one.path, one.after, one.before, case.rules).more
    ]
    if wider:
        yield _finding(case, Kind.WIDER, wider, "wider at the vendor than recorded")
    if other := [one for one in found if one not in wider]:
        yield _finding(case, Kind.ALTERED, other, "altered at the vendor")


def _finding(case: Case, kind: Kind, found: Collection[Difference], what: str) -> Finding:
    fields = tuple(
        FieldChange(one.path, one.after, one.before, str(weigh(one.path, one.after, one.before, case.rules)))
        for one in found
    )
    return Finding(kind, f"{', '.join(field.path for field in fields)} {what}", fields)
