"""Policies: what credentials must fit, as a team says it. Pure.

A policy looks at a credential as it is resolved (`resolved`), and at nothing else. What it denies is a
problem for `validate`, and a refusal of an apply that would bring it about; what it warns of is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import Struct, field

from provisioner.core.model import Address, Desired, JsonObject, JsonValue, Record, Source
from provisioner.core.renewal import duration

Path = tuple[str | int, ...]
DAY = timedelta(days=1)


class Level(StrEnum):
    """What becomes of a credential that does not fit."""

    DENY = "deny"
    WARN = "warn"
    OFF = "off"


class Match(Struct, frozen=True):
    """Which credentials a policy is about: all that is given must hold, each by one of its globs."""

    kind: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    credential: tuple[str, ...] = ()
    """Of the name, or of the address where the glob has a slash."""
    scopes: tuple[str, ...] = ()
    """Of any of its scopes."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def holds(self, one: Desired) -> bool:
        """Whether the policy is about this credential."""
        address = one.address
        if self.kind and one.kind.value not in self.kind:
            return False
        if self.provider and not _any(self.provider, one.provider):
            return False
        if self.environment and not _any(self.environment, address.environment):
            return False
        if self.scopes and not any(_any(self.scopes, str(scope)) for scope in one.fields.get("scopes") or ()):
            return False
        if self.owner and not _any(self.owner, one.local.get("owner", "")):
            return False
        if self.credential and not any(named(glob, address) for glob in self.credential):
            return False
        labels = one.local.get("labels") or {}
        return all(key in labels and _any(globs, labels[key]) for key, globs in self.labels.items())


class Exempt(Struct, frozen=True):
    """A dated exception: until the end of that day, in UTC, these credentials need not fit."""

    credential: str
    """A glob, as in `Match.credential`."""
    until: date
    reason: str
    source: Source

    def ended(self, now: datetime) -> bool:
        """Whether it does not count any more."""
        return now.date() > self.until


class Policy(Struct, frozen=True):
    """One policy. `misfit` gives the path of what in a resolved credential does not fit, or None."""

    name: str
    message: str
    level: Level
    require: JsonValue
    misfit: Callable[[JsonObject], Path | None]
    match: Match = Match()
    exceptions: tuple[Exempt, ...] = ()
    source: Source | None = None
    """Where the project says it; None for a built-in one that it does not speak of."""
    built_in: bool = False
    oldest: float | None = None
    """Days; how old a secret may be, where the requirement says that outright."""


class Violation(Struct, frozen=True):
    """One credential that does not fit a policy, and has no exception."""

    policy: Policy
    address: Address
    path: Path
    """Of what does not fit, in the resolved credential; empty where something is missing."""
    note: str = ""
    """What to know besides: that its exception ended."""

    @property
    def text(self) -> str:
        """The policy's message, with its name."""
        return f"{self.policy.message} (policy {self.policy.name}{self.note and f'; {self.note}'})"


def resolved(
    one: Desired, vendor_fields: Sequence[str], age: timedelta | None = None
) -> dict[str, JsonValue]:
    """A credential as policies see it; what is not declared is absent.

    `vendor_fields` are the names of the fields that its vendor has; `age` is that of its present secret,
    where one is recorded.
    """
    found: dict[str, JsonValue] = {
        **one.local,
        **one.fields,
        "name": one.address.name,
        "environment": one.address.environment,
        "kind": one.kind.value,
        "provider": one.provider,
        "via": one.via.value,
        "vendor_fields": list(vendor_fields),
    }
    rotate = found.get("rotate")
    if not rotate:
        found.pop("rotate", None)
    elif "every" in rotate:
        found["rotate_days"] = duration(rotate["every"]) / DAY
    if one.user is not None:
        found["user"] = one.user
    if age is not None:
        found["age_days"] = age / DAY
    return found


def violations(
    policies: Iterable[Policy],
    desired: Iterable[Desired],
    vendor_fields: Mapping[str, Sequence[str]],
    now: datetime,
    records: Mapping[Address, Record] | None = None,
) -> Iterator[Violation]:
    """What of these credentials does not fit, in their order; `vendor_fields` is by provider."""
    on = [policy for policy in policies if policy.level is not Level.OFF]
    for one in desired:
        found: JsonObject | None = None
        for policy in on:
            if not policy.match.holds(one):
                continue
            if found is None:
                age = secret_age(records.get(one.address), now) if records is not None else None
                found = resolved(one, vendor_fields[one.provider], age)
            path = policy.misfit(found)
            if path is not None and not _excepted(policy, one.address, now):
                yield Violation(policy, one.address, path, _note(policy, one.address))


def outdated(
    policies: Sequence[Policy],
    desired: Iterable[Desired],
    records: Mapping[Address, Record],
    now: datetime,
) -> Iterator[Violation]:
    """The credentials whose recorded secret is older than a policy lets it be, whatever else they fit."""
    limit = oldest_allowed(policies, now)
    if limit is None:
        return
    dated = [p for p in policies if p.oldest is not None and p.level is not Level.OFF]
    for one in desired:
        record = records.get(one.address)
        active = record.active if record is not None else None
        if active is None or active.created_at >= limit:
            continue
        days = (now - active.created_at) / DAY
        for policy in dated:
            old = days > (policy.oldest or 0)
            if old and policy.match.holds(one) and not _excepted(policy, one.address, now):
                yield Violation(policy, one.address, ("age_days",), _note(policy, one.address))


def oldest_allowed(policies: Iterable[Policy], now: datetime) -> datetime | None:
    """The moment before which a secret is too old for some policy; None where none can be."""
    ages = [one.oldest for one in policies if one.oldest is not None and one.level is not Level.OFF]
    try:
        return now - max(min(ages), 0.0) * DAY if ages else None
    except OverflowError:
        return None  # that is before the calendar begins, so no secret is as old


def secret_age(record: Record | None, now: datetime) -> timedelta | None:
    """How long ago the secret that consumers use was issued; None where there is none."""
    active = record.active if record is not None else None
    return now - active.created_at if active is not None else None


def ended(policies: Iterable[Policy], now: datetime) -> Iterator[tuple[Policy, Exempt]]:
    """The exceptions that do not count any more."""
    for policy in policies:
        yield from ((policy, one) for one in policy.exceptions if one.ended(now))


def named(glob: str, address: Address) -> bool:
    """Whether a glob is about this address: about its name, or the whole where the glob has a slash."""
    return fnmatchcase(str(address) if "/" in glob else address.name, glob)


def excepted(policy: Policy, address: Address, now: datetime) -> Exempt | None:
    """The exception that lets this credential be otherwise; None where none does."""
    return next((e for e in policy.exceptions if named(e.credential, address) and not e.ended(now)), None)


def _excepted(policy: Policy, address: Address, now: datetime) -> bool:
    return bool(policy.exceptions) and excepted(policy, address, now) is not None


def _note(policy: Policy, address: Address) -> str:
    """That its exception ended: it is asked for only where none counts."""
    over = [one for one in policy.exceptions if named(one.credential, address)]
    return f"its exception ended {max(one.until for one in over)}" if over else ""


def _any(globs: Sequence[str], text: str) -> bool:
    return any(fnmatchcase(text, glob) for glob in globs)
