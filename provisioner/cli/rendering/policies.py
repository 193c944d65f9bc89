"""Policies as text and JSON: what each requires of which credentials, and which of them do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import asdict

from provisioner.cli.rendering.status import columns
from provisioner.cli.values import plain, shown
from provisioner.core.model import Address, Desired, JsonObject, JsonValue, Record
from provisioner.core.policy import Exempt, Level, Match, Policy, excepted, resolved, secret_age

BUILT_IN = "built in"


class Standing(Struct, frozen=True):
    """One policy, and how the declared credentials stand to it."""

    policy: Policy
    about: tuple[Address, ...]
    """Those that it matches."""
    misfits: tuple[Address, ...]
    excepted: tuple[tuple[Address, Exempt], ...]
    """Those that do not fit, and need not yet."""


def standing(
    policy: Policy,
    desired: Sequence[Desired],
    vendor_fields: Mapping[str, Sequence[str]],
    records: Mapping[Address, Record],
    now: datetime,
) -> Standing:
    """How these credentials stand to a policy, whatever its level."""
    about = [one for one in desired if policy.match.holds(one)]
    misfits, free = [], []
    for one in about:
        age = secret_age(records.get(one.address), now)
        if policy.misfit(resolved(one, vendor_fields[one.provider], age)) is None:
            continue
        exempt = excepted(policy, one.address, now)
        if exempt is None:
            misfits.append(one.address)
        else:
            free.append((one.address, exempt))
    return Standing(policy, tuple(one.address for one in about), tuple(misfits), tuple(free))


def all_text(standings: Sequence[Standing], always: Mapping[str, str]) -> str:
    """A line for each policy."""
    titles = ("NAME", "LEVEL", "FROM", "ABOUT", "MISFITS", "EXCEPTED", "REQUIRES")
    cells = [
        [
            one.policy.name,
            one.policy.level.value,
            _source(one.policy),
            str(len(one.about)),
            str(len(one.misfits) or ""),
            str(len(one.excepted) or ""),
            one.policy.message,
        ]
        for one in standings
    ]
    cells += [[name, "always", BUILT_IN, "", "", "", text] for name, text in always.items()]
    return "\n".join(columns(titles, cells))


def one_text(standing: Standing, now: datetime) -> str:
    """All of one policy."""
    return "\n".join(_lines(standing, now))


def one_json(standing: Standing) -> JsonObject:
    """All of one policy, for programs."""
    policy = standing.policy
    return {
        "name": policy.name,
        "level": policy.level.value,
        "from": _source(policy),
        "built_in": policy.built_in,
        "message": policy.message,
        "match": match_json(policy.match),
        "require": policy.require,
        "exceptions": [_exempt(one) for one in policy.exceptions],
        "about": [str(address) for address in standing.about],
        "misfits": [str(address) for address in standing.misfits],
        "excepted": [str(address) for address, _ in standing.excepted],
    }


def always_json(name: str, message: str) -> JsonObject:
    """What is no project's choice, for programs."""
    return {"name": name, "level": "always", "from": BUILT_IN, "built_in": True, "message": message}


def always_text(name: str, message: str) -> str:
    """What is no project's choice."""
    return f"{name} ({BUILT_IN}): always\n  {message}"


def match_json(match: Match) -> JsonObject:
    """What of a credential a policy asks for, without what it does not."""
    labels = {key: list(globs) for key, globs in match.labels.items()}
    given = {name: list(globs) for name, globs in asdict(match).items() if globs and name != "labels"}
    return {**given, "labels": labels} if labels else given


def _lines(standing: Standing, now: datetime) -> Iterator[str]:
    policy = standing.policy
    yield f"{policy.name} ({_source(policy)}): {policy.level}"
    yield plain(f"  {policy.message}")
    yield plain(f"  about:    {shown(match_json(policy.match)) if policy.match != Match() else 'everything'}")
    yield plain(f"  requires: {shown(policy.require)}")
    for one in policy.exceptions:
        over = ", which is over" if one.ended(now) else ""
        yield plain(f"  except {one.credential} until {one.until}{over}: {one.reason}")
    if policy.level is Level.OFF:
        yield "  It is off: nothing is told of these."
    free = {address: f"excepted until {one.until}" for address, one in standing.excepted}
    misfits = dict.fromkeys(standing.misfits, "does not fit")
    for address in standing.about:
        yield f"  {address}: {free.get(address) or misfits.get(address) or 'fits'}"


def _source(policy: Policy) -> str:
    where = str(policy.source) if policy.source else ""
    return ", ".join(filter(None, (BUILT_IN if policy.built_in else "", where)))


def _exempt(one: Exempt) -> JsonValue:
    return {"credential": one.credential, "until": one.until.isoformat(), "reason": one.reason}
