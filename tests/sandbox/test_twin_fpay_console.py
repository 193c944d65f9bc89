"""FPay's twin against the rules FP8, FP9 and FP11: what only a person in the console can do and see."""

from __future__ import annotations

import pytest
from fpay_twin import ACCESS, FPay

from provisioner.sandbox import fpay_console
from provisioner.sandbox.replies import Refusal
from provisioner.sandbox.world import Sandbox

MASK = "**********"


@pytest.fixture
def fpay(sandbox: Sandbox) -> FPay:
    return FPay.of(sandbox)


def test_an_object_made_by_a_person_names_the_person(fpay: FPay) -> None:
    """FP10: an object made in the console names the account and the person."""
    with fpay.sandbox.tenancy("fpay", "test") as data:
        made = fpay_console.create(data, {"name": "x", "permission": "FullAccess"}, person="ada")

    creator = fpay.get(made.id).json()["creator"]
    assert (creator["_type"], creator["personId"]) == ("Ui", "ada")
    assert "authAccessId" not in creator


def test_no_request_deletes_enables_or_disables(fpay: FPay) -> None:
    """FP8: there is no delete, and no request that carries isEnabled is taken."""
    made = fpay.create()

    assert fpay.call("DELETE", f"{ACCESS}/{made['id']}").status_code == 405
    assert fpay.faults({"name": "x", "permission": "ReadOnly", "isEnabled": False}) == ["/isEnabled"]
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
