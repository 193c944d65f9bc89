"""Many credentials at five vendors in one apply, for kills at random times.

A quarter is new, a quarter renewed, a quarter edited, a quarter revoked.
"""

from __future__ import annotations

from pathlib import Path

from crash_runs import VENDORS, open_here
from engine_world import World, deliver
from verdicts import Wanted

from provisioner.core.journal import Action
from provisioner.core.model import Address
from provisioner.core.situation import Order

SHARES = {"payspace": 30, "paynet": 30, "paytia": 20, "fpay": 18, "timeclock": 2}
"""Of a hundred. TimeClock has one for each of its few users (TC1)."""

USERS = (17, 18, 19, 20)
"""TimeClock's."""

FATES = ("create", "renew", "update", "revoke")


def run(root: str, state_url: str, count: int, first: bool = False) -> int:
    """One process's work. Returns what the process ends with."""
    world = open_here(Path(root), state_url)
    declare(world, count, first=first)
    with world.sandbox:
        return world.apply().exit_code


def declare(world: World, count: int, *, first: bool) -> None:
    """What is there before the kills where this is the `first` time, else what they interrupt."""
    for address, provider, fate in credentials(count):
        if fate == ("create" if first else "revoke"):
            continue
        vendor = VENDORS[provider]
        fields = _fields(address, provider, vendor.second if fate == "update" and not first else vendor.first)
        world.declare(
            address,
            provider=provider,
            fields=fields,
            owner="another" if fate == "update" and not first else "team",
            deliver=deliver(Address.parse(address).name, *vendor.parts),
            rotate={"overlap": "0s", "allow_downtime": True},
        )
    if not first:
        world.orders = dict(_renewals(world, count))


def _fields(address: str, provider: str, fields: dict[str, object]) -> dict[str, object]:
    if provider != "timeclock":
        return fields
    return {"user": USERS[int(address.rpartition("-")[2]) % len(USERS)]}


def _renewals(world: World, count: int) -> list[tuple[Address, Order]]:
    """Asked for until the first generation is not the active one any more."""
    records = world.records()
    asked = [Address.parse(name) for name, _, fate in credentials(count) if fate == "renew"]
    active = {address: record.active for address, record in records.items() if record.active}
    order = Order(Action.RENEW, "crash test")
    return [(one, order) for one in asked if one in active and active[one].number == 1]


def credentials(count: int) -> list[tuple[str, str, str]]:
    """Address, vendor and fate of each."""
    return [
        (f"test/{provider}-{number}", provider, FATES[number % len(FATES)])
        for provider, share in SHARES.items()
        for number in range(max(1, count * share // 100))
    ]


def wanted(world: World) -> dict[str, Wanted]:
    """What is left of them."""
    return {str(address): Wanted(one.provider, one.fields) for address, one in world.declared.items()}
