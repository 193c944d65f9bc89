"""What a crash test's process does: open a world in a folder, declare a scenario, apply, maybe die of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutations
from engine_world import World, deliver, open_world
from msgspec.structs import replace
from operated import OperatorPerson

from provisioner.core.journal import Action
from provisioner.core.model import Address
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
    """A renewal is asked for until the first generation is not the active one any more."""
    _create(world, provider)
    record = world.records().get(Address.parse(ADDRESS))
    if record is not None and record.active and record.active.number == 1:
        world.orders = {Address.parse(ADDRESS): Order(Action.RENEW, "crash test")}


def _renew_at_once(world: World, provider: str) -> None:
    _renew(world, provider)
    declare(world, provider, VENDORS[provider].first, overlap="0s")


def _compromised(world: World, provider: str) -> None:
    """Asked for while the first generation is active; once that ended, what was killed goes on by itself."""
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
    state_url: str,
    failpoint: str = "",
    mutation: str = "",
) -> int:
    """One process's work. Returns what the process ends with."""
    world = open_here(Path(root), state_url)
    if failpoint:
        failpoints.arm(failpoint)
    if mutation:
        mutations.MUTATIONS[mutation]()
    SCENARIOS[scenario](world, provider)
    with world.sandbox:
        return world.apply().exit_code


def final_provider(scenario: str, provider: str) -> str:
    """Whose the credential is after a scenario."""
    return successor(provider) if scenario == "replace" else provider


def final(scenario: str, provider: str) -> tuple[str, dict[str, Any]]:
    """The vendor and the fields of the credential after a scenario."""
    if scenario == "update":
        return provider, VENDORS[provider].second
    last = final_provider(scenario, provider)
    return last, VENDORS[last].first
