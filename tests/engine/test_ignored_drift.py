"""`ignore_drift`: an update of one field leaves the vendor's value of another that is ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine_world import CLIENT, World, deliver

PAYTIA = ("api_key", "client_id", "client_secret", "access_token", "refresh_token")


def shown(world: World, vendor: str) -> Mapping[str, Any]:
    """What the vendor holds of its one credential."""
    (entry,) = world.sandbox.ledger(vendor, "test")
    return entry.fields


def alter(world: World, vendor: str, **changes: object) -> None:
    """Somebody changes it at the vendor."""
    (entry,) = world.sandbox.ledger(vendor, "test")
    with world.sandbox.tenancy(vendor, "test") as data:
        credential = data.get(entry.id)
        data.update(credential, label=credential.label, fields={**credential.fields, **changes})


def payspace(world: World, ignored: tuple[str, ...], **fields: Any) -> None:
    """Declare one of PaySpace's."""
    delivered = deliver("payroll", *CLIENT)
    world.declare(
        "test/payroll", fields={"scopes": ["read-only"], **fields}, deliver=delivered, ignore_drift=[*ignored]
    )


def test_an_update_of_another_field_leaves_it(world: World) -> None:
    """What is ignored stays as the vendor has it, while the rest is brought to what is declared."""
    payspace(world, ("description",), description="ours")
    world.apply()
    alter(world, "payspace", description="theirs")
    payspace(world, ("description",), description="ours", user="svc.payroll")
    assert 0 == world.apply().exit_code
    assert ("theirs", "svc.payroll") == (
        shown(world, "payspace")["description"],
        shown(world, "payspace")["user"],
    )
    assert () == world.plan().changes


def test_what_is_not_declared_is_left_as_well(world: World) -> None:
    """A field that only people write is not emptied by an update of another."""
    payspace(world, ("description",))
    world.apply()
    alter(world, "payspace", description="theirs")
    payspace(world, ("description",), user="svc.payroll")
    world.apply()
    assert "theirs" == shown(world, "payspace")["description"]


def test_an_edit_is_applied(world: World) -> None:
    """An edit of the manifest goes to a field whose drift is ignored; an emptied one stays empty."""
    payspace(world, ("description", "user"), description="ours", user="svc.payroll")
    world.apply()
    alter(world, "payspace", description="theirs", user=None)
    payspace(world, ("description", "user"), description="new", user="svc.payroll")
    world.apply()
    assert ("new", None) == (shown(world, "payspace")["description"], shown(world, "payspace")["user"])
    assert () == world.plan().changes


def test_one_setting_of_several(world: World) -> None:
    """A setting is ignored by its own name, and its neighbours are not."""
    settings = {"webhook_format": "single", "enhance_security": False}
    given = {"provider": "paytia", "deliver": deliver("shop", *PAYTIA)}
    ignored = {"ignore_drift": ["settings.webhook_format", "allow_ips"]}
    world.declare("test/shop", fields={"settings": settings}, **given, **ignored)
    world.apply()
    alter(world, "paytia", webhook_format="multiple", enhance_security=True, allow_ips=["203.0.113.7"])
    (change,) = world.plan().changes
    assert ["settings.enhance_security"] == [field.path for field in change.fields]
    world.apply()
    held = shown(world, "paytia")
    assert ("multiple", False, ["203.0.113.7"]) == tuple(
        held[name] for name in ("webhook_format", "enhance_security", "allow_ips")
    )
    assert () == world.plan().changes


def test_wider_scopes_that_are_ignored_stop_no_update(world: World) -> None:
    """Whoever ignores scopes at the vendor has its other fields updated, and its scopes left alone."""
    payspace(world, ("scopes",), description="ours", user="svc.payroll")
    world.apply()
    alter(world, "payspace", scope="full-access")
    payspace(world, ("scopes",), description="new", user="svc.payroll")
    assert 0 == world.apply().exit_code
    assert ("new", "full-access") == (
        shown(world, "payspace")["description"],
        shown(world, "payspace")["scope"],
    )
