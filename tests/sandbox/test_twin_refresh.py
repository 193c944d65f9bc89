"""The refresh of the twins: what stands in test afterwards, and that production is only read."""

from __future__ import annotations

from typing import Any

import pytest
from twin_proofs import LISTS, MAKING

from provisioner.sandbox.fpay_console import create
from provisioner.sandbox.world import Sandbox


def _made(twin: Any) -> dict[str, Any]:
    path, body = MAKING[twin.vendor]
    made: dict[str, Any] = twin.call("POST", path, json=body).json()
    return made


@pytest.mark.parametrize("vendor", MAKING)
def test_test_becomes_what_production_is(vendor: str, open_twin: Any, sandbox: Sandbox) -> None:
    """PS6: PaySpace's test credentials stay; elsewhere test's are gone, and production's stand there."""
    test, production = open_twin(vendor, "test"), open_twin(vendor, "production")
    ours, theirs = _made(test), _made(production)
    before = sandbox.ledger(vendor, "production")
    (became,) = [one for one in sandbox.refresh() if one.vendor == vendor]
    kept = {"payspace": (1, 0, 0)}.get(vendor, (0, 1, 1))
    assert kept == (became.survived, became.gone, became.copied)
    live = {one.id for one in sandbox.ledger(vendor, "test") if one.ended_at is None}
    assert before == sandbox.ledger(vendor, "production")
    if "id" in ours:
        assert (vendor == "payspace", vendor != "payspace") == (ours["id"] in live, theirs["id"] in live)
    assert 200 == test.call("GET", LISTS[vendor]).status_code  # the management token of test still works


def test_fpays_test_account_can_still_be_managed(sandbox: Sandbox) -> None:
    """The AuthAccess that test is managed with stays; every other one there is production's."""
    for tenant in ("test", "production"):
        with sandbox.tenancy("fpay", tenant) as data:
            create(data, {"name": tenant, "permission": "ReadOnly"})
    tokens = {tenant: sandbox.token("fpay", tenant).partition(":")[0] for tenant in ("test", "production")}
    sandbox.refresh()
    live = [one for one in sandbox.ledger("fpay", "test") if one.ended_at is None]
    assert {"management", "production"} == {str(one.fields["name"]) for one in live}
    assert set(tokens.values()) < {one.client_id for one in live}


def test_users_are_productions(sandbox: Sandbox) -> None:
    """What is no credential is copied at every vendor: users of test alone vanish, others appear."""
    for vendor, name in (("payspace", "svc.only"), ("timeclock", "77")):
        with sandbox.tenancy(vendor, "test") as data:
            data.put("user", name, {"id": 77, "username": name})
        with sandbox.tenancy(vendor, "production") as data:
            data.put("user", f"{name}9", {"id": 779, "username": f"{name}9"})
    sandbox.refresh()
    for vendor in ("payspace", "timeclock"):
        users = {}
        for tenant in ("test", "production"):
            with sandbox.tenancy(vendor, tenant) as data:
                users[tenant] = data.all_stored("user")
        assert users["production"] == users["test"]
        assert 77 not in [one.get("id") for one in users["test"]]


def test_a_second_refresh_copies_again(open_twin: Any, sandbox: Sandbox) -> None:
    """Each week is as the one before: what ended in test stands there again, and ids stay production's."""
    made = _made(open_twin("paynet", "production"))
    for _ in range(2):
        sandbox.refresh()
        test = open_twin("paynet", "test")
        assert 204 == test.call("DELETE", f"developer/v1/keys/{made['id']}").status_code
    assert 200 == open_twin("paynet", "production").call("GET", f"developer/v1/keys/{made['id']}").status_code


def test_a_copy_lives_its_own_life(open_twin: Any, sandbox: Sandbox) -> None:
    """PY7: a refresh token spent in test is not spent in production, though it is the same."""
    test, production = open_twin("paytia", "test"), open_twin("paytia", "production")
    made = _made(production)
    tokens = production.call("POST", f"admin/v1/api-keys/{made['id']}/tokens").json()
    sandbox.refresh()
    client = {name: tokens[name] for name in ("client_id", "client_secret", "refresh_token")}
    for twin, status in ((test, 200), (test, 401), (production, 200)):
        answer = twin.call(
            "POST", "api/tokens/refresh", json=client, token=None, headers={"x-api-key": made["api_key"]}
        )
        assert status == answer.status_code


def test_a_waiting_copy_is_not_what_the_vendor_decides_on(open_twin: Any, sandbox: Sandbox) -> None:
    """PN2: the decision is on production's key; its copy in test stays as it was copied."""
    made = _made(open_twin("paynet", "production"))
    sandbox.refresh()
    sandbox.approve("paynet", made["id"])
    status = {tenant: sandbox.ledger("paynet", tenant)[0].status for tenant in ("test", "production")}
    assert {"test": "pending", "production": "active"} == status


def test_a_refresh_is_whole_or_not_at_all(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one vendor's copy fails, no vendor is refreshed."""
    from provisioner.sandbox import refresh

    before = [sandbox.ledger(vendor, "test") for vendor in LISTS]
    real = refresh._copy_objects

    def fails(connection: Any, vendor: str) -> int:
        if vendor == "fpay":
            raise OSError("the disk is full")
        return real(connection, vendor)

    monkeypatch.setattr(refresh, "_copy_objects", fails)
    with pytest.raises(OSError, match="full"):
        sandbox.refresh()
    assert before == [sandbox.ledger(vendor, "test") for vendor in LISTS]
