"""What the tests of handoffs share: a credential of each vendor, and short ways to ask and to look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from engine_world import CLIENT, World, deliver
from portal_person import PortalPerson

from provisioner.core.journal import Action, Handoff, Operation
from provisioner.core.model import Address
from provisioner.core.situation import Order
from provisioner.engine import failpoints
from provisioner.engine.apply import Summary

BUNDLE = ("api_key", *CLIENT, "access_token", "refresh_token")


@dataclass(frozen=True)
class Vendor:
    """One vendor's credential, what may change of it, and the screens of its document."""

    name: str
    parts: tuple[str, ...]
    fields: dict[str, Any]
    changed: dict[str, Any]
    screens: dict[str, str]
    """By action: where a person does it."""


def _all(screen: str) -> dict[str, str]:
    return dict.fromkeys(("create", "update", "renew", "revoke"), screen)


VENDORS = (
    Vendor("payspace", CLIENT, {"scopes": ["read-only"], "description": "ledger"},
           {"scopes": ["full-access"], "user": "svc.payroll"},
           _all("Configuration > Basic Settings > General Company > Integrations > API Credentials")),
    Vendor("paynet", CLIENT, {"scopes": ["rpp:merchant"], "description": "shop"},
           {"scopes": ["rpp:merchant"]}, _all("PayNet Developer Portal > API Keys")),
    Vendor("paytia", BUNDLE, {"description": "cards", "allow_ips": ["127.0.0.1/32"]},
           {"allow_ips": ["127.0.0.0/8", "2001:db8::/48"], "settings": {"enhance_security": True}},
           _all("Account Security > API Secret Key")),
    Vendor("timeclock", ("identifier", "key"), {"user": 17}, {"user": 18}, {
        "create": "Profile > Grant yourself API access", "renew": "Profile > Change API key",
        "update": "Profile > Grant yourself API access", "revoke": "Profile > Revoke API access"}),
    Vendor("fpay", ("token", "secret_key"), {"scopes": ["ReadOnly"], "description": "CRM"},
           {"scopes": ["ReadOnly"], "settings": {"foreign_data": "{}"}}, _all("Console > AuthAccess")),
)  # fmt: skip

NAMED = {vendor.name: vendor for vendor in VENDORS}
FPAY, PAYNET, PAYTIA, TIMECLOCK = (NAMED[name] for name in ("fpay", "paynet", "paytia", "timeclock"))

each_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)

KEY = Address("test", "key")


def declare(world: World, vendor: Vendor, address: str = "test/key", **given: Any) -> None:
    """Write the manifest entry of this vendor's credential."""
    name = Address.parse(address).name
    defaults = {"fields": vendor.fields, "deliver": deliver(name, *vendor.parts)}
    rotate = {"allow_downtime": True, "overlap": "0s"}
    world.declare(address, provider=vendor.name, **{"rotate": rotate, **defaults, **given})


def by_portal(world: World, person: PortalPerson | None) -> None:
    """People manage every vendor in its portal; this one is at hand."""
    world.portals, world.person = NAMED, person


def statuses(summary: Summary) -> list[tuple[str, str]]:
    """What became of each change, in short."""
    return [(outcome.change.action.value, outcome.status.value) for outcome in summary.outcomes]


def ordered(world: World, action: Action) -> Summary:
    """Apply with this order, and take it back."""
    world.orders = {KEY: Order(action, "asked for")}
    try:
        return world.apply()
    finally:
        world.orders = {}


def operation(world: World) -> Operation:
    """The one that is open."""
    with world.store() as store:
        (found,) = store.operations(["test", "production"])
        return found


def handoffs(world: World, of: str) -> list[Handoff]:
    """Those of one operation, in order."""
    with world.store() as store:
        return store.handoffs_of(of)


def accepted(world: World, vendor: Vendor, fields: dict[str, Any]) -> bool:
    """Whether the vendor takes what was delivered."""
    return world.works("test/key", vendor.name, fields)


def close(world: World, way: Callable[..., Any]) -> Any:
    """Complete or decline a handoff, as `way` does."""
    with world.store() as store:
        return asyncio.run(way(world.context(store)))


class Killed(BaseException):
    """The process ends here."""


def killed_at(point: str, monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Apply, and die at this failpoint."""

    def hit(name: str) -> None:
        if name == point:
            raise Killed(name)

    with monkeypatch.context() as armed:
        armed.setattr(failpoints, "hit", hit)
        with pytest.raises(Killed):
            world.apply()
