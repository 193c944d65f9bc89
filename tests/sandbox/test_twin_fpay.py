"""FPay's twin against the rules FP1, FP4, FP7 and FP10: what an AuthAccess is, how it is got and changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fpay_twin import ACCESS, FPay

from provisioner.sandbox.world import Sandbox

MASK = "**********"


@pytest.fixture
def fpay(sandbox: Sandbox) -> FPay:
    return FPay.of(sandbox)


@pytest.fixture
def production(sandbox: Sandbox) -> FPay:
    return FPay.of(sandbox, "production")


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
    assert fpay.faults({"description": "x"}) == ["/name", "/permission"]

    assert not {"description", "foreignData", "foreignId"} & fpay.create().keys()


@pytest.mark.parametrize("name", ["foreignData", "foreignId"])
def test_foreign_fields_have_at_most_128_characters(fpay: FPay, name: str) -> None:
    """FP1: 128 characters are taken, 129 are not, whatever they take in bytes."""
    assert fpay.create(**{name: "é" * 128})[name] == "é" * 128
    assert fpay.faults({"name": "x", "permission": "ReadOnly", name: "é" * 129}) == [f"/{name}"]


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


def test_a_made_access_authenticates_and_names_its_maker(fpay: FPay) -> None:
    """FP10: an object made by the API names the account and the AuthAccess that made it."""
    maker = fpay.create(permission="ReadWriteNoMoneyOut")
    made = fpay.post({"name": "x", "permission": "ReadOnly"}, token=fpay.reveal(maker["id"])).json()

    account = maker["creator"]["accountId"]
    assert made["creator"] == {"_type": "Api", "accountId": account, "authAccessId": maker["id"]}


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
