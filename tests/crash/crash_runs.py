"""What a crash test's process does: open a world in a folder, declare a scenario, apply, maybe die of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutations
from engine_world import World, deliver, open_world

from provisioner.core.journal import Action
from provisioner.core.model import Address, GenerationState
from provisioner.core.situation import Order
from provisioner.engine import failpoints

ADDRESS = "test/key"

FIRST: dict[str, dict[str, Any]] = {
    "payspace": {"scopes": ["read-only"]},
    "paynet": {"scopes": ["rpp:merchant"]},
}
"""The fields of each vendor's credential as first declared."""

SECOND: dict[str, dict[str, Any]] = {
    "payspace": {"scopes": ["full-access"], "user": "svc.payroll"},
    "paynet": {"scopes": ["rpp:merchant"], "description": "edited"},
}
"""The same, edited in a way that is an update."""

PARTS = {"payspace": ("client_id", "client_secret"), "paynet": ("client_id", "client_secret")}


def declare(world: World, provider: str, fields: dict[str, Any], overlap: str = "24h") -> None:
    """The one credential of a crash test."""
    world.declare(
        ADDRESS,
        provider=provider,
        fields=fields,
        deliver=deliver("key", *PARTS[provider]),
        rotate={"overlap": overlap, "allow_downtime": True},
    )


def _create(world: World, provider: str) -> None:
    declare(world, provider, FIRST[provider])


def _update(world: World, provider: str) -> None:
    declare(world, provider, SECOND[provider])


def _renew(world: World, provider: str) -> None:
    """A renewal is asked for once: as soon as there is a second generation it is under way, or done."""
    _create(world, provider)
    record = world.records().get(Address.parse(ADDRESS))
    if record is not None and len(record.generations) == 1:
        world.orders = {Address.parse(ADDRESS): Order(Action.RENEW, "crash test")}


def _renew_at_once(world: World, provider: str) -> None:
    _renew(world, provider)
    declare(world, provider, FIRST[provider], overlap="0s")


def _compromised(world: World, provider: str) -> None:
    """Asked for once, while the first generation is the only one; a killed one goes on by itself."""
    _renew_at_once(world, provider)
    world.orders = {
        address: Order(order.action, order.reason, compromised=True)
        for address, order in world.orders.items()
    }


def _replace(world: World, provider: str) -> None:
    """Every vendor can be left for another one."""
    other = next(name for name in FIRST if name != provider)
    declare(world, other, FIRST[other], overlap="0s")


def _revoke(world: World, provider: str) -> None:
    """Nothing is declared any more."""


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


def run(
    root: str,
    scenario: str,
    provider: str,
    failpoint: str = "",
    mutation: str = "",
    state_url: str = "sqlite:///.provision/state.db",
) -> int:
    """One process's work. Returns what the process ends with."""
    world = open_world(Path(root), state_url=state_url)
    if failpoint:
        failpoints.arm(failpoint)
    if mutation:
        mutations.MUTATIONS[mutation]()
    SCENARIOS[scenario](world, provider)
    return world.apply().exit_code


def final_provider(scenario: str, provider: str) -> str:
    """Whose the credential is after a scenario."""
    return next(name for name in FIRST if name != provider) if scenario == "replace" else provider


def final_fields(scenario: str, provider: str) -> dict[str, Any]:
    """The fields of the credential after a scenario."""
    return SECOND[provider] if scenario == "update" else FIRST[final_provider(scenario, provider)]


def verdict(root: Path, scenario: str, provider: str, state_url: str) -> list[str]:
    """What is wrong after everything converged, in words, by the vendors' ledgers and not by our state."""
    world = open_world(root, state_url=state_url)
    declare_nothing = scenario == "revoke"
    record = world.records().get(Address.parse(ADDRESS))
    known = {g.remote_id for g in record.generations} if record else set()
    expected = {g.remote_id for g in record.live} if record else set()
    live = {id for name in FIRST for id in world.live(name, "test")}
    wrong = [f"orphan at the vendor: {id}" for id in live - known]
    wrong += [f"live at the vendor, dead in the state: {id}" for id in (live & known) - expected]
    wrong += [f"dead at the vendor, live in the state: {id}" for id in expected - live]
    active = [g for g in record.generations if g.state is GenerationState.ACTIVE] if record else []
    if declare_nothing:
        wrong += [f"not revoked: {id}" for id in live]
        return wrong
    if len(active) != 1:
        wrong.append(f"{len(active)} active generations")
    allowed = 2 if scenario == "renew" and provider == "payspace" else 1
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
    world = open_world(root, state_url=state_url)
    if not world.delivered(ADDRESS):
        return True
    candidates = {provider, final_provider(scenario, provider)}
    fields = FIRST | {
        provider: final_fields(scenario, provider) if scenario != "replace" else FIRST[provider]
    }
    fine = any(world.works(ADDRESS, name, fields[name]) for name in candidates)
    world.sandbox.close()
    return fine


__all__ = ["SCENARIOS", "asyncio", "consumer_is_fine", "run", "verdict"]
