"""FPay's twin against the rules FP1 to FP4 and FP7 to FP11; lists are in test_twin_fpay_lists.py."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fpay_twin import ACCESS, FPay

from provisioner.sandbox import fpay_console
from provisioner.sandbox.fpay_access import MAY_CREATE, RIGHTS, Right
from provisioner.sandbox.replies import Refusal
from provisioner.sandbox.world import Sandbox

MASK = "**********"
PERMISSIONS = ("FullAccess", "MoneyInOnly", "ReadMoneyIn", "ReadOnly", "ReadWriteNoMoneyOut")
SCHEMA = Path(__file__).parents[2] / "schemas" / "providers" / "fpay.json"


@pytest.fixture
def fpay(sandbox: Sandbox) -> FPay:
    return FPay.of(sandbox)


@pytest.fixture
def production(sandbox: Sandbox) -> FPay:
    return FPay.of(sandbox, "production")


def faults(fpay: FPay, body: dict[str, Any]) -> list[str]:
    response = fpay.post(body)
    assert response.status_code == 422, response.text
    return [fault["pointer"] for fault in response.json()["errors"]]


def test_the_documents_example_creates(fpay: FPay) -> None:
    """FP1: the document's own form creates an object that shows what was sent."""
    made = fpay.create(
        name="API Keys for CRM developers",
        permission="ReadWriteNoMoneyOut",
        description="My description",
        foreignData='{"myKey": 19, "myOtherKey": "myOtherValue"}',
        foreignId="123456789",
    )

    assert made["name"] == "API Keys for CRM developers"
    assert made["permission"] == {"_type": "Simple", "name": "ReadWriteNoMoneyOut"}
    assert made["description"] == "My description"
    assert made["foreignData"] == '{"myKey": 19, "myOtherKey": "myOtherValue"}'
    assert made["foreignId"] == "123456789"
    assert made["isEnabled"] is True


def test_what_is_undefined_is_absent(fpay: FPay) -> None:
    """FP1: name and permission are required, and what is not given is no field of the object."""
    assert faults(fpay, {"description": "x"}) == ["/name", "/permission"]

    assert not {"description", "foreignData", "foreignId"} & fpay.create().keys()


@pytest.mark.parametrize("name", ["foreignData", "foreignId"])
def test_foreign_fields_have_at_most_128_characters(fpay: FPay, name: str) -> None:
    """FP1: 128 characters are taken, 129 are not, whatever they take in bytes."""
    assert fpay.create(**{name: "é" * 128})[name] == "é" * 128
    assert faults(fpay, {"name": "x", "permission": "ReadOnly", name: "é" * 129}) == [f"/{name}"]


def test_foreign_data_may_have_lines(fpay: FPay) -> None:
    """FP1: foreignData is whatever text its owner likes, as XML over several lines."""
    assert fpay.create(foreignData="<a>\n\t<b/>\r\n</a>")["foreignData"] == "<a>\n\t<b/>\r\n</a>"


def test_a_foreign_id_is_unique_for_good(fpay: FPay) -> None:
    """FP1: a foreignId that is taken is refused, also while its object is disabled."""
    made = fpay.create(foreignId="crm-1")
    for change in (fpay.disable, fpay.enable):
        change(made["id"])
        response = fpay.post({"name": "y", "permission": "ReadOnly", "foreignId": "crm-1"})
        assert response.status_code == 409, response.text

    assert len(fpay.names(filter="foreignId = 'crm-1'")) == 1


@pytest.mark.parametrize("field", ["id", "token"])
def test_a_foreign_id_cannot_pose_as_another_identifier(fpay: FPay, field: str) -> None:
    """FP4, ours: no identifier means two objects, so a foreignId cannot be the id or token of another."""
    made = fpay.create()

    answer = fpay.post({"name": "y", "permission": "ReadOnly", "foreignId": made[field]})

    assert answer.status_code == 409
    assert fpay.get(made[field]).json()["id"] == made["id"]


def test_the_same_foreign_id_in_the_other_tenant(fpay: FPay, production: FPay) -> None:
    """FP1: uniqueness binds one account; test and production are two."""
    assert fpay.create(foreignId="crm-1")["id"] != production.create(foreignId="crm-1")["id"]


def test_there_are_five_permissions(fpay: FPay) -> None:
    """FP2: each of the five is taken and shown, and no other."""
    made = [fpay.create(permission=name)["permission"]["name"] for name in PERMISSIONS]

    assert list(PERMISSIONS) == made
    for other in ("full-access", "fullaccess", "", None, {"_type": "Simple", "name": "ReadOnly"}):
        assert faults(fpay, {"name": "x", "permission": other}) == ["/permission"]


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
    """FP2: the schema's x-includes, followed through, holds what is within what by the rights."""
    scopes = json.loads(SCHEMA.read_text())["properties"]["scopes"]

    def closure(name: str) -> set[str]:
        return {name}.union(*(closure(inner) for inner in scopes["x-includes"].get(name, ())))

    within = {name: {other for other in RIGHTS if RIGHTS[other] <= RIGHTS[name]} for name in RIGHTS}
    assert within == {name: closure(name) for name in scopes["items"]["enum"]}


def test_a_made_access_authenticates_and_names_its_maker(fpay: FPay) -> None:
    """FP10: an object made by the API names the account and the AuthAccess that made it."""
    maker = fpay.create(permission="ReadWriteNoMoneyOut")
    made = fpay.post({"name": "x", "permission": "ReadOnly"}, token=fpay.reveal(maker["id"])).json()

    account = maker["creator"]["accountId"]
    assert made["creator"] == {"_type": "Api", "accountId": account, "authAccessId": maker["id"]}


def test_an_object_made_by_a_person_names_the_person(fpay: FPay) -> None:
    """FP10: an object made in the console names the account and the person."""
    with fpay.sandbox.tenancy("fpay", "test") as data:
        made = fpay_console.create(data, {"name": "x", "permission": "FullAccess"}, person="ada")

    creator = fpay.get(made.id).json()["creator"]
    assert (creator["_type"], creator["personId"]) == ("Ui", "ada")
    assert "authAccessId" not in creator


def test_created_time_is_one_instant_in_three_forms(tmp_path: Path) -> None:
    """FP10: createdTime is UTC in ISO 8601 and as a timestamp in seconds and milliseconds."""
    moment = datetime(2026, 11, 21, 14, 2, 3, 45678, tzinfo=UTC)
    with Sandbox(tmp_path / "still", clock=lambda: moment) as sandbox:
        created = FPay.of(sandbox).create()["createdTime"]

    timestamp = {"milliseconds": 1795269723045, "seconds": 1795269723.045}
    assert created == {"iso8601": "2026-11-21T14:02:03.045Z", "timestamp": timestamp}


@pytest.mark.parametrize("foreign_id", ["crm-1", "provision/payments/test/crm/1/ab12", "a b?c#d%2F", "ключ"])
def test_an_object_is_found_by_each_identifier(fpay: FPay, foreign_id: str) -> None:
    """FP4: id, token and foreignId, whatever characters it has, get the same object."""
    made = fpay.create(foreignId=foreign_id)

    assert [made] * 3 == [fpay.get(made[name]).json() for name in ("id", "token", "foreignId")]


@pytest.mark.parametrize("identifier", ["", "none", "crm", MASK])
def test_anything_else_finds_nothing(fpay: FPay, identifier: str) -> None:
    """FP4: a name, the mask or nothing at all is no identifier."""
    fpay.create(name="crm")

    assert fpay.call("GET", f"{ACCESS}/{identifier}").status_code == 404


def test_the_url_leads_to_the_object(fpay: FPay) -> None:
    """The document's `url`: a GET there, properly authorized, returns the object."""
    made = fpay.create()

    assert made["url"] == f"http://sandbox/fpay/test/authAccess/{made['id']}"
    assert fpay.call("GET", made["url"].partition("/fpay/test/")[2]).json() == made


def test_a_strange_host_breaks_nothing(fpay: FPay) -> None:
    """A Host header that is no host is answered as any other."""
    for host in ("[", "a b", "x:y:z", ""):
        assert fpay.call("GET", "wallet", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("identifier", ["id", "token", "foreignId"])
def test_description_and_foreign_data_are_changed_and_removed(fpay: FPay, identifier: str) -> None:
    """FP7: an update changes and removes both, by each identifier, and leaves the rest as it is."""
    made = fpay.create(description="a", foreignData="b", foreignId="crm-1")
    at = made[identifier]
    changed = {**made, "description": "c", "foreignData": "d"}
    partly = {**made, "description": "e"}
    del partly["foreignData"]

    assert fpay.update(at, change={"description": "c", "foreignData": "d"}).json() == changed
    assert fpay.update(at, change={"description": "e"}, remove=["foreignData"]).json() == partly
    bare = fpay.update(at, remove=["description", "foreignData"]).json()
    assert bare == {k: v for k, v in made.items() if k not in ("description", "foreignData")}
    assert fpay.get(at).json() == bare


@pytest.mark.parametrize(
    "body",
    [
        {"change": {"name": "x"}},
        {"change": {"permission": "FullAccess"}},
        {"change": {"foreignId": "x"}},
        {"change": {"isEnabled": False}},
        {"change": {"secretKey": "x"}},
        {"change": {"description": "x", "token": "y"}},
        {"change": {"description": None}},
        {"change": {"foreignData": "x" * 129}},
        {"change": {}},
        {"remove": []},
        {"remove": ["foreignId"]},
        {"remove": ["description", "description"]},
        {"change": {"description": "x"}, "remove": ["description"]},
        {"isEnabled": False},
        {"description": "x"},
        {},
    ],
)
def test_nothing_else_can_be_changed(fpay: FPay, body: dict[str, Any]) -> None:
    """FP7: an update of any other field, or one that contradicts itself, is refused and changes nothing."""
    made = fpay.create(foreignId="crm-1", description="a")

    assert fpay.update(made["id"], **body).status_code == 422
    assert fpay.get(made["id"]).json() == made


def test_no_request_deletes_enables_or_disables(fpay: FPay) -> None:
    """FP8: there is no delete, and no request that carries isEnabled is taken."""
    made = fpay.create()

    assert fpay.call("DELETE", f"{ACCESS}/{made['id']}").status_code == 405
    assert faults(fpay, {"name": "x", "permission": "ReadOnly", "isEnabled": False}) == ["/isEnabled"]
    assert fpay.get(made["id"]).json()["isEnabled"] is True


def test_a_disabled_access_is_rejected_at_once(fpay: FPay) -> None:
    """FP8: what the console disables is listed as disabled and rejected, until the console enables it."""
    made = fpay.create()
    token = fpay.reveal(made["id"])
    assert fpay.call("GET", "wallet", token=token).status_code == 200

    fpay.disable(made["id"])
    assert fpay.call("GET", "wallet", token=token).status_code == 401
    assert fpay.get(made["id"]).json() == {**made, "isEnabled": False}
    assert fpay.names(filter="isEnabled = false") == ["crm"]
    assert [entry.status for entry in fpay.sandbox.ledger("fpay", "test")] == ["active", "disabled"]

    fpay.enable(made["id"])
    assert fpay.call("GET", "wallet", token=token).status_code == 200


def test_the_console_knows_what_it_does_not_have(fpay: FPay) -> None:
    """FP8: the console takes any identifier of FP4 and refuses what is none, as the API does."""
    made = fpay.create(foreignId="crm-1")
    for identifier in (made["token"], "crm-1"):
        fpay.disable(identifier)
        assert fpay.get(made["id"]).json()["isEnabled"] is False
        fpay.enable(identifier)

    with fpay.sandbox.tenancy("fpay", "test") as data:
        acts = (fpay_console.disable, fpay_console.enable, fpay_console.reveal)
        for act in acts:
            with pytest.raises(Refusal, match="no such thing"):
                act(data, "none")
        fpay_console.change(data, "crm-1", {"change": {"description": "by hand"}})
        with pytest.raises(Refusal, match="nothing else"):
            fpay_console.change(data, "crm-1", {"change": {"name": "x"}})
    assert fpay.get(made["id"]).json()["description"] == "by hand"


def test_the_secret_key_is_hidden_in_every_answer(fpay: FPay) -> None:
    """FP9: no answer to any operation holds the key; the field is there, with one mask for all."""
    body = {"name": "x", "permission": "FullAccess", "foreignId": "crm-1"}
    made = fpay.post(body)
    secret = fpay.reveal("crm-1").partition(":")[2]
    answers = [
        made,
        fpay.post(body),
        fpay.get("crm-1"),
        fpay.list(),
        fpay.list(filter=f"secretKey = '{secret}'"),
        fpay.list(sortBy="secretKey:ASC"),
        fpay.update("crm-1", change={"description": "y"}),
        fpay.call("GET", "wallet", token=fpay.reveal("crm-1")),
    ]

    assert [answer.status_code for answer in answers] == [201, 409, 200, 200, 200, 200, 200, 200]
    assert not [answer for answer in answers if secret in answer.text or secret in str(answer.headers)]
    assert {MASK} == {item["secretKey"] for item in fpay.list().json()["items"]}
    assert secret not in repr(fpay.sandbox.ledger("fpay", "test"))


def test_the_secret_key_is_revealed_in_the_console_only(fpay: FPay) -> None:
    """FP9, FP11: a person reads the key as often as wanted, each object's is its own, and none is printed."""
    first, second = fpay.create(), fpay.create()
    with fpay.sandbox.tenancy("fpay", "test") as data:
        keys = fpay_console.reveal(data, first["id"])

    assert keys.token == first["token"]
    assert fpay.reveal(first["id"]) == f"{keys.token}:{keys.secret_key}" != fpay.reveal(second["id"])
    assert keys.secret_key not in repr(keys)


def test_a_filter_on_the_secret_key_tells_nothing(fpay: FPay) -> None:
    """FP9: the document lists secretKey as filterable; a filter sees the mask, so no guess is confirmed."""
    made = fpay.create()
    secret = fpay.reveal(made["id"]).partition(":")[2]

    for guess in (f"= '{secret}'", f"startsWith {secret[0]}", f"in {{'{secret}'}}"):
        assert fpay.names(filter=f"secretKey {guess}") == []
    assert len(fpay.names(filter=f"secretKey = '{MASK}'")) == 2
    order = [fpay.names(sortBy=f"secretKey:{way}") for way in ("ASC", "DESC")]
    assert order == [["management", "crm"], ["crm", "management"]]


def test_old_and_new_live_side_by_side(fpay: FPay) -> None:
    """FP11: a renewal is a new object beside the old one, which works until it is disabled."""
    old, new = (fpay.create(foreignId=name) for name in ("crm/1", "crm/2"))
    tokens = [fpay.reveal(one["id"]) for one in (old, new)]
    assert [fpay.call("GET", "wallet", token=token).status_code for token in tokens] == [200, 200]

    fpay.disable("crm/1")

    assert [fpay.call("GET", "wallet", token=token).status_code for token in tokens] == [401, 200]


def test_each_tenant_starts_with_its_own_management_access(fpay: FPay, production: FPay) -> None:
    """Ours: a tenant starts with one FullAccess object made by a person, which manages this tenant."""
    (seeded,) = fpay.list().json()["items"]

    assert seeded["permission"]["name"] == "FullAccess"
    assert seeded["creator"]["_type"] == "Ui"
    assert fpay.sandbox.token("fpay", "test") == fpay.reveal(seeded["id"])
    assert production.call("GET", ACCESS, token=fpay.reveal(seeded["id"])).status_code == 401
    assert production.get(seeded["id"]).status_code == 404


def test_disabling_the_management_access_locks_out(fpay: FPay) -> None:
    """FP8: what a tenant is managed with is an AuthAccess as any other."""
    (seeded,) = fpay.list().json()["items"]

    fpay.disable(seeded["id"])

    assert fpay.list().status_code == 401


def test_console_works_on_known_tenants_only(fpay: FPay) -> None:
    """The console of a vendor or tenant that the sandbox does not have is refused."""
    for vendor, tenant in (("fpay", "staging"), ("nobody", "test")):
        with pytest.raises(LookupError, match=f"no {vendor}/{tenant}"), fpay.sandbox.tenancy(vendor, tenant):
            raise AssertionError("opened")
