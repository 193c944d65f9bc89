"""FPay's twin against the rules FP2 and FP3: what a permission allows, and that none climbs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fpay_twin import ACCESS, FPay

from provisioner.sandbox.fpay_access import MAY_CREATE, RIGHTS, Right
from provisioner.sandbox.world import Sandbox

PERMISSIONS = ("FullAccess", "MoneyInOnly", "ReadMoneyIn", "ReadOnly", "ReadWriteNoMoneyOut")
SCHEMA = Path(__file__).parents[2] / "schemas" / "providers" / "fpay.json"


@pytest.fixture
def fpay(sandbox: Sandbox) -> FPay:
    return FPay.of(sandbox)


@pytest.fixture
def production(sandbox: Sandbox) -> FPay:
    return FPay.of(sandbox, "production")


def test_there_are_five_permissions(fpay: FPay) -> None:
    """FP2: each of the five is taken and shown, and no other."""
    made = [fpay.create(permission=name)["permission"]["name"] for name in PERMISSIONS]

    assert list(PERMISSIONS) == made
    for other in ("full-access", "fullaccess", "", None, {"_type": "Simple", "name": "ReadOnly"}):
        assert fpay.faults({"name": "x", "permission": other}) == ["/permission"]


@pytest.mark.parametrize(
    ("permission", "read", "money_in", "write", "money_out"),
    [
        ("FullAccess", True, True, True, True),
        ("ReadWriteNoMoneyOut", True, True, True, False),
        ("ReadMoneyIn", True, True, False, False),
        ("ReadOnly", True, False, False, False),
        ("MoneyInOnly", False, True, False, False),
    ],
)
def test_a_permission_allows_what_it_says(
    fpay: FPay, permission: str, read: bool, money_in: bool, write: bool, money_out: bool
) -> None:
    """FP2: reading, bringing money in, writing and transferring money out, as the permission says."""
    token = fpay.bearer(permission)
    target = fpay.create()["id"]

    def allowed(method: str, path: str, **more: Any) -> bool:
        status = fpay.call(method, path, token=token, **more).status_code
        assert status in (200, 201, 403)
        return status != 403

    reads = {allowed("GET", path) for path in ("wallet", ACCESS, f"{ACCESS}/{target}")}
    assert reads == {read}
    assert allowed("POST", "deposit", json={"amount": 1}) == money_in
    assert allowed("PATCH", f"{ACCESS}/{target}", json={"change": {"description": "x"}}) == write
    assert allowed("POST", ACCESS, json={"name": "x", "permission": "ReadOnly"}) == write
    assert allowed("POST", "transfer", json={"amount": 1}) == money_out


def test_money_moves(fpay: FPay) -> None:
    """FP2: a deposit adds to the wallet, a transfer takes from it, and never more than it holds."""
    before = fpay.call("GET", "wallet").json()["balance"]
    fpay.call("POST", "deposit", json={"amount": 500})
    fpay.call("POST", "transfer", json={"amount": 200})
    too_much = fpay.call("POST", "transfer", json={"amount": before + 301})

    assert too_much.status_code == 422
    assert fpay.call("GET", "wallet").json()["balance"] == before + 300


@pytest.mark.parametrize("creator", PERMISSIONS)
@pytest.mark.parametrize("wanted", PERMISSIONS)
def test_nobody_creates_more_than_they_may(fpay: FPay, creator: str, wanted: str) -> None:
    """FP3: only those that write create, and none that allows money out unless they allow it themselves."""
    token = fpay.bearer(creator)
    before = len(fpay.names())

    response = fpay.post({"name": "x", "permission": wanted}, token=token)

    may = creator == "FullAccess" or (creator == "ReadWriteNoMoneyOut" and wanted != "FullAccess")
    assert response.status_code == (201 if may else 403)
    assert len(fpay.names()) == before + may


def test_the_table_of_creators_follows_from_the_rights() -> None:
    """FP3: who may create what is exactly: a writer, and nothing that allows more than its creator."""
    follows = {
        creator: {made for made in RIGHTS if RIGHTS[made] <= rights} if Right.WRITE in rights else set()
        for creator, rights in RIGHTS.items()
    }

    assert follows == MAY_CREATE


def test_the_provider_schema_orders_permissions_as_the_rights_do() -> None:
    """FP2: the schema's x-includes, followed through, holds what is within what, and each one's rights."""
    scopes = json.loads(SCHEMA.read_text())["properties"]["scopes"]

    def closure(name: str) -> set[str]:
        return {name}.union(*(closure(inner) for inner in scopes["x-includes"].get(name, ())))

    within = {name: {other for other in RIGHTS if RIGHTS[other] <= RIGHTS[name]} for name in RIGHTS}
    assert within == {name: closure(name) & RIGHTS.keys() for name in scopes["items"]["enum"]}
    named = {name: {"".join(right.name.title().split("_")) for right in RIGHTS[name]} for name in RIGHTS}
    assert named == {name: closure(name) - RIGHTS.keys() for name in scopes["items"]["enum"]}


def test_each_tenant_starts_with_its_own_management_access(fpay: FPay, production: FPay) -> None:
    """Ours: a tenant starts with one FullAccess object made by a person, which manages this tenant."""
    (seeded,) = fpay.list().json()["items"]

    assert seeded["permission"]["name"] == "FullAccess"
    assert seeded["creator"]["_type"] == "Ui"
    assert fpay.sandbox.token("fpay", "test") == fpay.reveal(seeded["id"])
    assert production.call("GET", ACCESS, token=fpay.reveal(seeded["id"])).status_code == 401
    assert production.get(seeded["id"]).status_code == 404
