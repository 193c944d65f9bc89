"""The operator does by the console's pages what a handoff asks of a person, for every vendor and verb."""

from __future__ import annotations

import ast
import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from twin_harness import Contract, Twin

from provisioner.sandbox import browsing, operator
from provisioner.sandbox.operator import PORTALS, Operator, Stuck
from provisioner.sandbox.registry import VENDORS
from provisioner.sandbox.world import LedgerEntry, Sandbox

TAG = "provision/payments/test/payroll-export/{}/ab12"

FIELDS: Mapping[str, dict[str, Any]] = {
    "payspace": {
        "description": "nightly <export> & more",
        "scopes": ["full-access"],
        "user": "svc.payroll",
        "settings": {"development_mode": True},
    },
    "paynet": {"description": "merchant", "scopes": ["rpp:merchant", "duitnow:read"]},
    "paytia": {
        "allow_ips": ["203.0.113.0/28", "2001:db8::/48"],
        "settings": {"webhook_format": "multiple", "enhance_security": True},
    },
    "timeclock": {"user": 17},
    "fpay": {"description": "crm\nkeys", "scopes": ["ReadOnly"], "settings": {"foreign_data": '{"a": 1}'}},
}
KEPT: Mapping[str, dict[str, Any]] = {
    "payspace": {
        "description": "nightly <export> & more",
        "scope": "full-access",
        "user": "svc.payroll",
        "development_mode": True,
    },
    "paynet": {"description": "merchant", "scopes": ["duitnow:read", "rpp:merchant"]},
    "paytia": {
        "allow_ips": ["203.0.113.0/28", "2001:db8::/48"],
        "webhook_format": "multiple",
        "enhance_security": True,
    },
    "timeclock": {"user_id": 17},
    "fpay": {
        "description": "crm\nkeys",
        "permission": "ReadOnly",
        "foreignData": '{"a": 1}',
        "name": "payroll-export",
    },
}
"""What the vendor then keeps."""
PARTS = {
    "payspace": {"client_id", "client_secret"},
    "paynet": {"client_id", "client_secret"},
    "paytia": {"api_key", "client_id", "client_secret", "access_token", "refresh_token"},
    "timeclock": {"identifier", "key"},
    "fpay": {"token", "secret_key"},
}
UPDATES: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "payspace": (
        {"scopes": ["read-only"], "user": None, "description": None, "settings.development_mode": False},
        {"scope": "read-only", "user": None, "description": None, "development_mode": False},
    ),
    "paynet": ({"description": None}, {"description": None}),
    "paytia": (
        {"allow_ips": None, "settings.webhook_format": None, "settings.enhance_security": None},
        {"allow_ips": [], "webhook_format": "single", "enhance_security": False},
    ),
    "timeclock": ({}, {"user_id": 17}),
    "fpay": ({"description": "other", "settings.foreign_data": None}, {"description": "other"}),
}
"""The changed fields as the engine hands them over, and what the vendor then keeps."""


@pytest.fixture
def person(sandbox: Sandbox) -> Operator:
    return Operator(sandbox)


def perform(person: Operator, vendor: str, verb: str, number: int = 1, **more: Any) -> dict[str, str]:
    asked = {"fields": {}, "remote_id": None, "name": "payroll-export", "tag": TAG.format(number), **more}
    return asyncio.run(person.perform(vendor, asked.pop("tenant", "test"), verb, **asked))


def create(person: Operator, vendor: str, number: int = 1, **more: Any) -> dict[str, str]:
    return perform(person, vendor, "create", number, **{"fields": FIELDS[vendor], **more})


def entries(sandbox: Sandbox, vendor: str) -> list[LedgerEntry]:
    """What people made there, oldest first; FPay begins with the access that it is managed with."""
    return sandbox.ledger(vendor, "test")[1 if vendor == "fpay" else 0 :]


def works(sandbox: Sandbox, vendor: str, parts: Mapping[str, str]) -> bool:
    """Whether the vendor takes these values from their consumer."""
    twin = Twin(sandbox, vendor, "test", Contract(vendor))
    if vendor in ("payspace", "paynet"):
        return twin.ask_token(dict(parts)).status_code == 200
    if vendor == "paytia":
        proof: Any = {"x-api-key": parts["api_key"], "access-token": parts["access_token"]}
        body = {"client_id": parts["client_id"], "client_secret": parts["client_secret"]}
        return (
            twin.call("POST", "api/authorize", token=proof, json=body, caller="203.0.113.1").status_code
            == 200
        )
    if vendor == "timeclock":
        now = str(int(sandbox.now().timestamp()))
        checksum = hashlib.sha1((now + parts["key"]).encode()).hexdigest()
        return (
            twin.call("GET", "api/profile", token=f"{parts['identifier']}:{now}:{checksum}").status_code
            == 200
        )
    return twin.call("GET", "wallet", token=f"{parts['token']}:{parts['secret_key']}").status_code == 200


def test_every_twin_has_its_portal() -> None:
    """A person can work at the console of every vendor there is."""
    assert set(VENDORS) == set(PORTALS) == set(FIELDS)


@pytest.mark.parametrize("vendor", FIELDS)
def test_create(sandbox: Sandbox, person: Operator, vendor: str) -> None:
    """Create makes one credential with the fields and the tag, and brings every part of it back, working."""
    parts = create(person, vendor)

    assert {"remote_id", *PARTS[vendor]} == set(parts)
    (entry,) = entries(sandbox, vendor)
    assert KEPT[vendor] == {name: entry.fields.get(name) for name in KEPT[vendor]}
    assert TAG.format(1) == entry.label
    assert parts["remote_id"] == ("17" if vendor == "timeclock" else entry.id)
    assert works(sandbox, vendor, parts)


@pytest.mark.parametrize("vendor", FIELDS)
def test_capture(person: Operator, vendor: str) -> None:
    """PN4, TC1, FP9: capture reads the same parts again where the vendor shows them; PS2, PY5: else not."""
    parts = create(person, vendor)

    if PORTALS[vendor].reveal is None:
        with pytest.raises(Stuck, match="shown once"):
            perform(person, vendor, "capture", remote_id=parts["remote_id"])
    else:
        assert parts == perform(person, vendor, "capture", remote_id=parts["remote_id"])


def test_capture_by_the_tag(sandbox: Sandbox, person: Operator) -> None:
    """FP11: what the API made is found by our tag, before anybody knows its id."""
    twin = Twin(sandbox, "fpay", "test", Contract("fpay"))
    body = {"name": "crm", "permission": "ReadOnly", "foreignId": TAG.format(1)}
    made = twin.call("POST", "authAccess", json=body).json()

    assert made["id"] == perform(person, "fpay", "capture")["remote_id"]


@pytest.mark.parametrize("vendor", FIELDS)
def test_update(sandbox: Sandbox, person: Operator, vendor: str) -> None:
    """Update sets the fields it is told, empties those told to be nothing, and leaves the others alone."""
    parts = create(person, vendor)
    fields, kept = UPDATES[vendor]

    for _ in range(2):
        assert {} == perform(person, vendor, "update", remote_id=parts["remote_id"], fields=fields)

        (entry,) = entries(sandbox, vendor)
        expected = {**KEPT[vendor], **kept}
        if vendor == "fpay":
            expected.pop("foreignData")
        assert expected == {name: entry.fields[name] for name in expected}
        assert ("foreignData" in entry.fields) is False
        assert TAG.format(1) == entry.label


@pytest.mark.parametrize("vendor", ["paynet", "timeclock"])
def test_renew_in_place(sandbox: Sandbox, person: Operator, vendor: str) -> None:
    """PN7, TC2: renew replaces the secret of the same credential, which then carries the new tag."""
    before = create(person, vendor)

    after = perform(person, vendor, "renew", 2, remote_id=before["remote_id"])

    assert before["remote_id"] == after["remote_id"]
    assert [False, True] == [works(sandbox, vendor, parts) for parts in (before, after)]
    assert [TAG.format(2)] == [entry.label for entry in entries(sandbox, vendor)]


@pytest.mark.parametrize("vendor", ["payspace", "paytia", "fpay"])
def test_renew_beside(sandbox: Sandbox, person: Operator, vendor: str) -> None:
    """PS7, PY9, FP11: elsewhere a renewal is another credential beside the present one."""
    before = create(person, vendor)

    after = perform(person, vendor, "renew", 2, remote_id=before["remote_id"], fields=FIELDS[vendor])

    assert before["remote_id"] != after["remote_id"]
    assert [True, True] == [works(sandbox, vendor, parts) for parts in (before, after)]
    assert [TAG.format(1), TAG.format(2)] == [entry.label for entry in entries(sandbox, vendor)]


@pytest.mark.parametrize("vendor", FIELDS)
def test_revoke(sandbox: Sandbox, person: Operator, vendor: str) -> None:
    """PN3, TC3, FP8: revoke ends the credential of this id, whatever the tag; once more is fine."""
    parts = create(person, vendor)
    other = create(
        person, vendor, 2, fields={**FIELDS[vendor], **({"user": 18} if vendor == "timeclock" else {})}
    )

    for _ in range(2):
        assert {} == perform(person, vendor, "revoke", 2, remote_id=parts["remote_id"])

    assert [False, True] == [works(sandbox, vendor, each) for each in (parts, other)]


def test_the_vendors_refusal_is_told_in_its_words(sandbox: Sandbox, person: Operator) -> None:
    """PS3: what the console refuses stops the operator with the console's words, and nothing is made."""
    with pytest.raises(Stuck, match="User is required with full-access"):
        create(person, "payspace", fields={"scopes": ["full-access"]})

    assert [] == sandbox.ledger("payspace", "test")


@pytest.mark.parametrize(
    ("vendor", "verb", "more", "words"),
    [
        ("payspace", "create", {"fields": {"scopes": ["root"]}}, "scope does not offer root"),
        ("payspace", "create", {"fields": {"colour": "red"}}, "no field colour"),
        ("paynet", "create", {"fields": {"scopes": ["rpp:root"]}}, "scopes does not offer rpp:root"),
        ("timeclock", "create", {"fields": {"user": 99}}, "no such user"),
        ("timeclock", "create", {"fields": {"user": 21}}, "not active"),
        ("paynet", "capture", {"remote_id": "nothing"}, "nothing that is called nothing"),
        ("fpay", "update", {"remote_id": "nothing"}, "nothing that is called nothing"),
    ],
)
def test_what_the_portal_does_not_offer(
    sandbox: Sandbox, person: Operator, vendor: str, verb: str, more: dict[str, Any], words: str
) -> None:
    """A field, a choice, a user or a credential that is not there is named, and nothing is done."""
    with pytest.raises(Stuck, match=words):
        perform(person, vendor, verb, **more)

    assert 0 == sandbox.writes()


def test_two_of_one_tag_are_never_guessed(person: Operator) -> None:
    """Where only a tag is known and two carry it, the operator stops rather than choose."""
    for _ in range(2):
        create(person, "paynet")

    with pytest.raises(Stuck, match="means 2 things"):
        perform(person, "paynet", "revoke")


def test_unknown_twins_and_verbs(person: Operator) -> None:
    """A vendor, tenant or verb that does not exist is a LookupError."""
    for vendor, tenant, verb in (
        ("acme", "test", "create"),
        ("paynet", "live", "create"),
        ("paynet", "test", "x"),
    ):
        with pytest.raises(LookupError):
            perform(person, vendor, verb, tenant=tenant)


def test_the_operator_signs_in_again(sandbox: Sandbox, person: Operator) -> None:
    """A session that ended meanwhile is begun anew; one that lasts is used again."""
    for days in (0, 0, 1):
        sandbox.advance(days * 86400)
        create(person, "paynet")

    with sandbox.tenancy("paynet", "test") as data:
        assert 1 == len(data.all_stored("console-session"))


def test_many_at_once(sandbox: Sandbox, person: Operator) -> None:
    """Handoffs of one tenant can be done at the same time, each bringing back its own."""

    async def all_of_them() -> list[dict[str, str]]:
        orders = [
            person.perform(
                "paynet", "test", "create", fields=FIELDS["paynet"], remote_id=None, name="x", tag=f"t{n}"
            )
            for n in range(10)
        ]
        return await asyncio.gather(*orders)

    found = asyncio.run(all_of_them())

    by_id = {entry.id: entry for entry in sandbox.ledger("paynet", "test")}
    assert [f"t{n}" for n in range(10)] == [by_id[parts["remote_id"]].label for parts in found]
    assert [by_id[parts["remote_id"]].client_id for parts in found] == [parts["client_id"] for parts in found]


def test_the_operator_has_no_way_around_the_pages() -> None:
    """The operator imports the world for its front door alone: no vendor's code, no database, no tenancy."""
    allowed = {"provisioner.sandbox.browsing", "provisioner.sandbox.world", "starlette.types"}
    for module in (browsing, operator):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        imported = {
            node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
        }
        assert {name for name in imported if "." in name} <= {
            *allowed,
            "collections.abc",
            "html.parser",
            "http.cookies",
            "urllib.parse",
        }
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not used & {"tenancy", "ledger", "_database", "connection", "execute"}
