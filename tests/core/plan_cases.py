"""Builds situations for planner tests out of short forms, as the files in tests/plans write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from provisioner.core.capabilities import (
    Capabilities,
    Declaration,
    Identity,
    Observe,
    Renewal,
    SecretAccess,
)
from provisioner.core.journal import Action, Operation, Phase
from provisioner.core.model import (
    Address,
    Desired,
    Generation,
    GenerationState,
    Kind,
    Listing,
    Observed,
    Record,
    RemoteStatus,
    Source,
    Tag,
    Via,
)
from provisioner.core.plan import Plan
from provisioner.core.project import Import, Removed
from provisioner.core.provider import Authority, User, Users
from provisioner.core.situation import Order, Selection, Situation

SCHEMAS = Path(__file__).parent.parent.parent / "schemas" / "providers"
ENVIRONMENTS = {"test": Kind.TEST, "production": Kind.PRODUCTION}


def _declaration(name: str, capabilities: Capabilities) -> Declaration:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    both = {Via.API: capabilities}
    return Declaration(name, name.title(), schema, ("client_id", "client_secret"), both, ())


DECLARATIONS = {
    "payspace": _declaration(
        "payspace", Capabilities(SecretAccess.ONCE, Identity.LABEL, Renewal.OVERLAP, Observe.LIST)
    ),
    "paynet": _declaration(
        "paynet",
        Capabilities(
            SecretAccess.RETRIEVABLE,
            Identity.LABEL,
            Renewal.IN_PLACE,
            Observe.LIST,
            approval=frozenset({Kind.PRODUCTION}),
        ),
    ),
}


def moment(text: str) -> datetime:
    """`2026-11-21` or `2026-11-21T14:02`, in UTC."""
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)


def situation(case: Mapping[str, Any]) -> Situation:
    """The situation that a case describes; what it does not mention is empty."""
    now = moment(case.get("now", "2026-11-21"))
    return Situation(
        project="payments",
        state="sqlite:///state.db",
        environments={name: ENVIRONMENTS[name] for name in case.get("environments", ENVIRONMENTS)},
        desired=[desired(address, **entry) for address, entry in case.get("declared", {}).items()],
        records={
            Address.parse(address): record(address, **entry)
            for address, entry in case.get("records", {}).items()
        },
        operations=[operation(**entry) for entry in case.get("operations", [])],
        declarations=_with_room(case.get("max_live")),
        now=now,
        observations=observations(case.get("observed", {})),
        observed_at=now if "observed" in case else None,
        removed=[
            Removed(
                entry["name"],
                entry["reason"],
                Source("provision.yaml", 1),
                tuple(entry["environments"]) if "environments" in entry else None,
            )
            for entry in case.get("removed", [])
        ],
        orders={
            Address.parse(address): Order(
                Action(entry["action"]), entry["reason"], entry.get("compromised", False)
            )
            for address, entry in case.get("orders", {}).items()
        },
        selection=Selection(tuple(case.get("target", ())), tuple(case.get("exclude", ()))),
        hold_retire=case.get("hold_retire", False),
        imports=[
            Import(Address.parse(address), id, Source("credentials/a.yaml", 9))
            for address, id in case.get("imports", {}).items()
        ],
        users={_place(text): _users(given) for text, given in case.get("users", {}).items()},
        authorities={
            _place(text): Authority("our-own", given["writes"], frozenset(given["scopes"]), "FP3")
            for text, given in case.get("authorities", {}).items()
        },
    )


def _place(text: str) -> tuple[str, str]:
    provider, _, environment = text.partition(" in ")
    return provider, environment


def _users(given: Mapping[str, Any]) -> Users:
    """`{ID: {active, scopes, allows, denies}}`; a user is active unless it says otherwise."""
    sets = ("scopes", "allows", "denies")
    return {
        id: User(
            id,
            active=one.get("active", True),
            detail=one.get("detail", ""),
            **{name: frozenset(one[name]) for name in sets if name in one},
        )
        for id, one in given.items()
    }


def _with_room(max_live: int | None) -> dict[str, Declaration]:
    """The vendors, each allowing so many live generations."""
    return {
        name: replace(
            d, capabilities={via: replace(c, max_live=max_live) for via, c in d.capabilities.items()}
        )
        for name, d in DECLARATIONS.items()
    }


def desired(
    address: str,
    provider: str = "payspace",
    fields: Mapping[str, Any] | None = None,
    previously: str | None = None,
    **local: Any,
) -> Desired:
    """A declared credential; what is not one of these is local."""
    parsed = Address.parse(address)
    kind = ENVIRONMENTS[parsed.environment]
    return Desired(
        address=parsed,
        kind=kind,
        provider=provider,
        via=Via.API,
        fields=dict(fields or {}),
        local=_local(kind, local),
        source=Source("credentials/a.yaml", 3),
        previously=previously,
    )


def _local(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {"owner": "team", "labels": {}, "deliver": [], "rotate": None}
    return {**defaults, "protect": kind is Kind.PRODUCTION, **given}


def record(
    address: str,
    provider: str = "payspace",
    fields: Mapping[str, Any] | None = None,
    generations: list[dict[str, Any]] | None = None,
    version: int = 1,
    secret_known: bool = True,
    **local: Any,
) -> Record:
    """A record; without `generations` it has one active, made on 2026-11-01."""
    parsed = Address.parse(address)
    given = generations if generations is not None else [{"number": 1}]
    return Record(
        address=parsed,
        provider=provider,
        via=Via.API,
        fields=dict(fields or {}),
        local=_local(ENVIRONMENTS[parsed.environment], local),
        generations=tuple(generation(parsed.name, **one) for one in given),
        version=version,
        secret_known=secret_known,
    )


def generation(
    name: str,
    number: int,
    state: str = "active",
    created: str = "2026-11-01",
    expires: str | None = None,
    retire_after: str | None = None,
    tag: str = "",
    issued: str | None = None,
) -> Generation:
    """A generation whose remote id is NAME-NUMBER."""
    return Generation(
        number,
        GenerationState(state),
        f"{name}-{number}",
        tag,
        moment(created),
        moment(expires) if expires else None,
        moment(retire_after) if retire_after else None,
        issued_at=moment(issued) if issued else None,
    )


def operation(
    address: str, action: str, phase: str, generation: int = 1, provider: str = "payspace", **rest: Any
) -> Operation:
    """An open operation, begun on 2026-11-20 at 14:02 UTC."""
    at = moment("2026-11-20T14:02")
    return Operation(
        id=f"op-{address}",
        address=Address.parse(address),
        action=Action(action),
        phase=Phase(phase),
        provider=provider,
        via="api",
        generation=generation,
        started_at=at,
        updated_at=at,
        **rest,
    )


def observations(given: Mapping[str, Any]) -> dict[tuple[str, str], Listing]:
    """`payspace in test: {ID: {status, fields}}`, or a text for why nothing was seen."""
    found = {}
    for place, items in given.items():
        provider, environment = _place(place)
        if isinstance(items, str):
            found[provider, environment] = Listing(unseen=items)
            continue
        seen = {
            id: Observed(
                id,
                RemoteStatus(item.get("status", "live")),
                item.get("fields", {}),
                Tag.parse(item.get("tag", "")),
                issued_at=moment(item["issued"]) if "issued" in item else None,
                unset=frozenset(item.get("unset", ())),
            )
            for id, item in (items or {}).items()
        }
        found[provider, environment] = Listing(seen)
    return found


def lines(made: Plan) -> list[str]:
    """A plan in short: what, where, which generation, why; then its fields; then the count of the rest."""
    found: list[str] = []
    for change in made.changes:
        why = "; ".join(reason.text for reason in change.reasons)
        found.append(f"{change.action} {change.address} {change.generation} ({why})")
        for field in change.fields:
            effect = f" [{field.effect}]" if field.effect else ""
            found.append(f"  {field.path}: {json.dumps(field.before)} → {json.dumps(field.after)}{effect}")
        found.extend(f"  note: {note}" for note in change.notes)
    found.extend(f"left: {text}" for text in made.users_left)
    found.append(f"{made.unchanged} unchanged")
    return found
