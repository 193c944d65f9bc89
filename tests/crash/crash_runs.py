"""What a crash test's process does: open a world in a folder, declare a scenario, apply, maybe die of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mutations
from engine_world import World, deliver, open_world
from operated import OperatorPerson

from provisioner.core.journal import Action
from provisioner.core.model import Address, GenerationState
from provisioner.core.situation import Order
from provisioner.engine import failpoints

ADDRESS = "test/key"


@dataclass(frozen=True)
class Vendor:
    """What a crash test asks of one vendor: fields as first declared, and as edited by an update."""

    first: dict[str, Any]
    second: dict[str, Any]
    parts: tuple[str, ...]
    overlaps: bool
    """Whether old and new live side by side, so that no consumer may ever hold a dead secret."""


CLIENT = ("client_id", "client_secret")
VENDORS = {
    "payspace": Vendor(
        {"scopes": ["read-only"]}, {"scopes": ["full-access"], "user": "svc.payroll"}, CLIENT, True
    ),
    "paynet": Vendor(
        {"scopes": ["rpp:merchant"]}, {"scopes": ["rpp:merchant"], "description": "edited"}, CLIENT, False
    ),
    "paytia": Vendor(
        {"description": "shop"},
        {"description": "edited"},
        ("api_key", "client_id", "client_secret", "access_token", "refresh_token"),
        True,
    ),
    "timeclock": Vendor({"user": 17}, {"user": 17}, ("identifier", "key"), False),
    "fpay": Vendor(
        {"scopes": ["ReadOnly"]},
        {"scopes": ["ReadOnly"], "description": "edited"},
        ("token", "secret_key"),
        True,
    ),
}


def declare(
    world: World, provider: str, fields: dict[str, Any], *, overlap: str = "24h", owner: str = "team"
) -> None:
    """The one credential of a crash test."""
    world.declare(
        ADDRESS,
        provider=provider,
        owner=owner,
        fields=fields,
        deliver=deliver("key", *VENDORS[provider].parts),
        rotate={"overlap": overlap, "allow_downtime": True},
    )


def _create(world: World, provider: str) -> None:
    declare(world, provider, VENDORS[provider].first)


def _update(world: World, provider: str) -> None:
    declare(world, provider, VENDORS[provider].second, owner="another")


def _renew(world: World, provider: str) -> None:
    """A renewal is asked for once: as soon as there is a second generation it is under way, or done."""
    _create(world, provider)
    record = world.records().get(Address.parse(ADDRESS))
    if record is not None and len(record.generations) == 1:
        world.orders = {Address.parse(ADDRESS): Order(Action.RENEW, "crash test")}


def _renew_at_once(world: World, provider: str) -> None:
    _renew(world, provider)
    declare(world, provider, VENDORS[provider].first, overlap="0s")


def _compromised(world: World, provider: str) -> None:
    """Asked for once, while the first generation is the only one; a killed one goes on by itself."""
    _renew_at_once(world, provider)
    world.orders = {
        address: Order(order.action, order.reason, compromised=True)
        for address, order in world.orders.items()
    }


def _replace(world: World, provider: str) -> None:
    """Every vendor can be left for another one."""
    other = successor(provider)
    declare(world, other, VENDORS[other].first, overlap="0s")


def _revoke(world: World, provider: str) -> None:
    """Nothing is declared any more."""


def successor(provider: str) -> str:
    """The vendor to which a replace moves the credential."""
    names = list(VENDORS)
    return names[(names.index(provider) + 1) % len(names)]


SCENARIOS: dict[str, Callable[[World, str], None]] = {
    "create": _create,
    "update": _update,
    "renew": _renew,
    "renew-at-once": _renew_at_once,
    "compromised": _compromised,
    "replace": _replace,
    "revoke": _revoke,
}
"""What is declared, by the scenario. All but `create` start from a world where that was applied."""


def alive(world: World, provider: str) -> list[str]:
    """Our tags on what a vendor's own ledger counts as alive; FPay disables where others delete (FP8)."""
    ledger = world.sandbox.ledger(provider, "test")
    return [e.label for e in ledger if e.ended_at is None and e.status != "disabled" and e.label]


def open_here(root: Path, state_url: str) -> World:
    """The world of this folder, with the operator at the vendors' consoles."""
    world = open_world(root, state_url=state_url)
    person = OperatorPerson(world.sandbox)
    world.wrap = lambda context: replace(context, person=person)
    return world


def run(
    root: str,
    scenario: str,
    provider: str,
    failpoint: str = "",
    mutation: str = "",
    state_url: str = "sqlite:///.provision/state.db",
) -> int:
    """One process's work. Returns what the process ends with."""
    world = open_here(Path(root), state_url)
    if failpoint:
        failpoints.arm(failpoint)
    if mutation:
        mutations.MUTATIONS[mutation]()
    SCENARIOS[scenario](world, provider)
    return world.apply().exit_code


def final_provider(scenario: str, provider: str) -> str:
    """Whose the credential is after a scenario."""
    return successor(provider) if scenario == "replace" else provider


def final_fields(scenario: str, provider: str) -> dict[str, Any]:
    """The fields of the credential after a scenario."""
    return (
        VENDORS[provider].second
        if scenario == "update"
        else VENDORS[final_provider(scenario, provider)].first
    )


def verdict(root: Path, scenario: str, provider: str, state_url: str) -> list[str]:
    """What is wrong after everything converged, in words, by the vendors' ledgers and not by our state."""
    world = open_here(root, state_url)
    declare_nothing = scenario == "revoke"
    record = world.records().get(Address.parse(ADDRESS))
    known = {g.tag for g in record.generations} if record else set()
    expected = {g.tag for g in record.live} if record else set()
    live = {tag for name in VENDORS for tag in alive(world, name)}
    wrong = [f"orphan at the vendor: {id}" for id in live - known]
    wrong += [f"live at the vendor, dead in the state: {id}" for id in (live & known) - expected]
    wrong += [f"dead at the vendor, live in the state: {id}" for id in expected - live]
    active = [g for g in record.generations if g.state is GenerationState.ACTIVE] if record else []
    if declare_nothing:
        wrong += [f"not revoked: {id}" for id in live]
        return wrong
    if len(active) != 1:
        wrong.append(f"{len(active)} active generations")
    allowed = 2 if scenario == "renew" and VENDORS[provider].overlaps else 1
    if len(live) != allowed:
        wrong.append(f"{len(live)} live at the vendors, {allowed} expected")
    if not world.delivered(ADDRESS):
        wrong.append("nothing lies in the sink")
    elif not world.works(ADDRESS, final_provider(scenario, provider), final_fields(scenario, provider)):
        wrong.append("the secret in the sink does not work")
    if (world.root / ".provision" / "emergency").exists() and any(
        (world.root / ".provision" / "emergency").iterdir()
    ):
        wrong.append("something was left in the emergency folder")
    with world.store() as store:
        wrong += [f"open operation: {operation.phase}" for operation in store.operations(["test"])]
        wrong += [f"audit: {finding}" for finding in store.audit_verify()]
    wrong += _changes(world, scenario, provider)
    world.sandbox.close()
    return wrong


def _changes(world: World, scenario: str, provider: str) -> list[str]:
    SCENARIOS[scenario](world, provider)
    return [f"still planned: {change.action}" for change in world.plan().changes]


def consumer_is_fine(root: Path, scenario: str, provider: str, state_url: str) -> bool:
    """Whether what lies in the sink, if anything does, is accepted by the vendor that issued it."""
    world = open_here(root, state_url)
    if not world.delivered(ADDRESS):
        return True
    before = world.works(ADDRESS, provider, VENDORS[provider].first)
    after = final_provider(scenario, provider), final_fields(scenario, provider)
    fine = before or world.works(ADDRESS, *after)
    world.sandbox.close()
    return fine
