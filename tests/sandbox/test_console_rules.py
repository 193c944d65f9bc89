"""The vendors' rules hold in their consoles as in their APIs, and are told at the form."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from console_visit import Visitor
from page_checker import faults

from provisioner.sandbox.world import Sandbox


def shown(html: str) -> dict[str, str]:
    """The fields to copy from."""
    found = re.findall(r'<input id="(\w+)" type="text" readonly value="([^"]*)"', html)
    return {name: unescape(value) for name, value in found}


def made(visitor: Visitor, **fields: Any) -> str:
    """The path of a new item."""
    answer = visitor.send("new", **fields)
    assert answer.status_code in (200, 303), answer.text
    where = answer.headers.get("location") or re.findall(r'href="([^"]+/items/[^"]+)"', answer.text)[0]
    return str(where.partition("?")[0].removeprefix(visitor.home))


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("payspace", "test", {"label": "x", "scope": "full-access"}, "User is required with full-access"),
    ("payspace", "test", {"label": "x", "scope": "full-access", "user": "svc.former"}, "not an active user"),
    ("payspace", "test", {"scope": "read-only"}, "Label must have 1 to 200 characters"),
    ("payspace", "test", {"label": "x"}, "Scope must be one of full-access, read-only"),
    ("payspace", "test", {"label": "x", "scope": "root"}, "Scope must be one of full-access, read-only"),
    ("paynet", "test", {"label": "x"}, "Scopes is required"),
    ("paynet", "test", {"label": "x", "scopes": "rpp:root"}, "Scopes must hold only"),
    ("paytia", "test", {"label": "x", "webhook_format": "xml"}, "Webhook Output Format must be one of"),
    ("paytia", "test", {"label": "x", "webhook_format": "single", "allow_ips": "10.0.0.1/8"}, "host bits"),
    ("fpay", "test", {"name": "x", "permission": "Root"}, "Permission must be one of"),
    ("fpay", "test", {"name": "x", "permission": "ReadOnly", "foreignId": "i" * 129}, "1 to 128 characters"),
]


@pytest.mark.parametrize(("vendor", "tenant", "fields", "words"), REFUSED)
def test_the_apis_rules_bind_the_form(
    sandbox: Sandbox, vendor: str, tenant: str, fields: dict[str, Any], words: str
) -> None:
    """PS3, PN5, PY2, PY3, FP1, FP2: what the API refuses the form refuses, says at the field, and keeps."""
    visitor, before = Visitor.signed_in(sandbox, vendor, tenant), len(sandbox.ledger(vendor, tenant))

    answer = visitor.send("new", **fields)

    assert 422 == answer.status_code
    assert words in unescape(answer.text)
    assert 'aria-invalid="true"' in answer.text or "scopes-fault" in answer.text
    assert 'role="alert"' in answer.text and "<title>Error: " in answer.text
    assert [] == faults(answer.text)
    label = str(fields.get("label", fields.get("name", "")))
    assert f'value="{label}"' in answer.text
    assert (before, 0) == (len(sandbox.ledger(vendor, tenant)), sandbox.writes())


def test_development_mode_is_on_the_test_environments_screen_only(sandbox: Sandbox) -> None:
    """PS5: production has no checkbox for Development Mode, and takes none."""
    pages = {
        tenant: Visitor.signed_in(sandbox, "payspace", tenant).get("new").text
        for tenant in ("test", "production")
    }
    assert [True, False] == ["Development Mode" in pages[tenant] for tenant in ("test", "production")]

    production = Visitor.signed_in(sandbox, "payspace", "production")
    answer = production.send("new", label="x", scope="read-only", development_mode="on")
    assert 400 == answer.status_code


@pytest.mark.parametrize(
    ("vendor", "fields", "parts"),
    [
        ("payspace", {"label": "x", "scope": "read-only"}, {"client_id", "client_secret"}),
        ("paytia", {"label": "x", "webhook_format": "single"}, {"api_key"}),
    ],
)
def test_shown_once(sandbox: Sandbox, vendor: str, fields: dict[str, str], parts: set[str]) -> None:
    """PS2, PY1: what is shown after saving is on no page of the console ever after."""
    visitor = Visitor.signed_in(sandbox, vendor)
    answer = visitor.send("new", **fields)
    once = shown(answer.text)
    assert parts == set(once)

    path = re.findall(r'href="([^"]+/items/[^"/]+)"', answer.text)[0].removeprefix(visitor.home)
    pages = [visitor.get(where).text for where in ("", path, f"{path}/delete", "new")]
    pages.append(visitor.send(f"{path}/change", page=path, **fields | {"label": "y"}).text)
    pages.append(visitor.get(path).text)

    assert not [page for page in pages for secret in once.values() if secret in page]


def test_tokens_of_paytia_are_shown_once(sandbox: Sandbox) -> None:
    """PY5: Generate Tokens asks, shows four values once, and only the client id is shown again."""
    visitor = Visitor.signed_in(sandbox, "paytia")
    path = made(visitor, label="x", webhook_format="single")

    once = shown(visitor.send(f"{path}/tokens").text)

    assert ["client_id", "client_secret", "access_token", "refresh_token"] == list(once)
    page = visitor.get(path).text
    assert [True, False, False, False] == [value in page for value in once.values()]


def test_paytias_settings_are_saved(sandbox: Sandbox) -> None:
    """PY2, PY3, PY4, PY6: IP addresses, webhook format and Enhance Security take effect on Save."""
    visitor = Visitor.signed_in(sandbox, "paytia")
    path = made(visitor, label="x", webhook_format="single")
    settings = {
        "allow_ips": "203.0.113.7\r\n\r\n 2001:db8::/48 \r\n",
        "webhook_format": "multiple",
        "enhance_security": "on",
    }

    assert 303 == visitor.send(f"{path}/change", page=path, label="x", **settings).status_code
    (key,) = sandbox.ledger("paytia", "test")
    kept = {name: key.fields[name] for name in settings}
    assert {
        "allow_ips": ["203.0.113.7", "2001:db8::/48"],
        "webhook_format": "multiple",
        "enhance_security": True,
    } == kept

    visitor.send(f"{path}/change", page=path, label="x", webhook_format="single")
    (key,) = sandbox.ledger("paytia", "test")
    assert [[], "single", False] == [key.fields[name] for name in settings]


def test_paynets_actions_are_confirmed(sandbox: Sandbox) -> None:
    """PN3: create, renew and revoke each ask on a page of their own; opening it does nothing."""
    visitor = Visitor.signed_in(sandbox, "paynet")
    path = made(visitor, label="x", scopes=["rpp:merchant", "duitnow:read"])
    reveal = shown(visitor.send(f"{path}/reveal", page=path).text)

    questions = [visitor.get(where).text for where in ("new", f"{path}/renew", f"{path}/revoke")]

    assert all(
        "Are you sure you want to" in page and "Confirm" in page and "Cancel" in page for page in questions
    )
    assert "will immediately delete key from database and cannot be undone" in questions[2]
    assert reveal == shown(visitor.send(f"{path}/reveal", page=path).text)
    assert "⋮" in visitor.get("").text


def test_paynets_secret_is_revealed_renewed_and_revoked(sandbox: Sandbox) -> None:
    """PN3, PN4, PN7: Reveal shows the pair again; Renew keeps the client id; after Revoke nothing is left."""
    visitor = Visitor.signed_in(sandbox, "paynet")
    path = made(visitor, label="x", scopes="rpp:merchant")
    before = shown(visitor.send(f"{path}/reveal", page=path).text)

    visitor.send(f"{path}/renew")
    after = shown(visitor.send(f"{path}/reveal", page=path).text)

    assert before["client_id"] == after["client_id"]
    assert before["client_secret"] != after["client_secret"]
    assert 303 == visitor.send(f"{path}/revoke").status_code
    assert 404 == visitor.get(path).status_code


@pytest.mark.parametrize(("action", "status"), [("approve", "Active"), ("deny", "Denied")])
def test_paynets_staff_decides_once(sandbox: Sandbox, action: str, status: str) -> None:
    """PN2: a production key waits until PayNet's staff approves or denies it; there is one decision."""
    tenant = Visitor.signed_in(sandbox, "paynet", "production")
    staff = Visitor.signed_in(sandbox, "paynet", "production", "staff")
    path = made(tenant, label="x", scopes="rpp:merchant")
    assert "Waits for approval" in tenant.get(path).text

    staff.send(f"{path}/{action}")

    assert status in tenant.get(path).text
    assert "No key waits for approval" in staff.get("").text
    assert [404, 404] == [staff.get(f"{path}/{one}").status_code for one in ("approve", "deny")]


def test_timeclocks_profile_shows_the_key(sandbox: Sandbox) -> None:
    """TC1, TC2, TC3: granted, the profile shows identifier and key; changed, another key; revoked, none."""
    visitor = Visitor.signed_in(sandbox, "timeclock")
    seen = [shown(visitor.get("items/17").text)]
    for action, fields in (
        ("grant", {"label": "x"}),
        ("change-key", {}),
        ("revoke", {}),
        ("grant", {"label": "y"}),
    ):
        assert 303 == visitor.send(f"items/17/{action}", **fields).status_code
        seen.append(shown(visitor.get("items/17").text))

    assert [{}, {"identifier", "key"}, {"identifier", "key"}, {}, {"identifier", "key"}] == [
        set(one) or {} for one in seen
    ]
    assert {"17"} == {one["identifier"] for one in seen if one}
    assert 3 == len({one["key"] for one in seen if one})


def test_timeclock_grants_one_access_to_active_users(sandbox: Sandbox) -> None:
    """TC1: a user who is not active is refused at the form; one with access is not offered another."""
    visitor = Visitor.signed_in(sandbox, "timeclock")

    answer = visitor.send("items/21/grant", label="kiosk")
    assert (403, True) == (answer.status_code, "This user is not active." in answer.text)
    visitor.send("items/17/grant", label="x")
    assert 404 == visitor.get("items/17/grant").status_code


def test_timeclocks_pin_is_shown_once(sandbox: Sandbox) -> None:
    """TC6: a PIN is generated in the profile, and shown when it is."""
    visitor = Visitor.signed_in(sandbox, "timeclock")

    pin = shown(visitor.send("items/17/pin").text)["pin"]

    assert re.fullmatch("[0-9]{6}", pin)
    assert f'value="{pin}"' not in visitor.get("items/17").text


def test_fpays_console_does_what_its_api_cannot(sandbox: Sandbox) -> None:
    """FP8, FP9: the console shows the secret key as often as asked, disables and enables."""
    visitor = Visitor.signed_in(sandbox, "fpay")
    path = made(visitor, name="crm", permission="ReadOnly", foreignId="t/1")
    keys = shown(visitor.send(f"{path}/reveal", page=path).text)
    proof = {"authorization": f"Bearer {keys['token']}:{keys['secret_key']}"}

    answers = []
    for action in ("disable", "enable"):
        answers.append(visitor.get("/fpay/test/authAccess", headers=proof).status_code)
        assert 404 == visitor.get(f"{path}/{'enable' if action == 'disable' else 'disable'}").status_code
        assert 303 == visitor.send(f"{path}/{action}").status_code
        answers.append(visitor.get("/fpay/test/authAccess", headers=proof).status_code)

    assert [200, 401, 401, 200] == answers
    assert keys == shown(visitor.send(f"{path}/reveal", page=path).text)


def test_fpay_updates_two_fields_and_no_more(sandbox: Sandbox) -> None:
    """FP7: the form changes or removes description and foreign data; the others are not on it."""
    visitor = Visitor.signed_in(sandbox, "fpay")
    path = made(visitor, name="crm", permission="ReadOnly", description="one", foreignData="two")

    visitor.send(f"{path}/change", page=path, description="three\r\nfour", foreignData="")

    fields = sandbox.ledger("fpay", "test")[-1].fields
    assert ("three\nfour", None) == (fields.get("description"), fields.get("foreignData"))
    assert 400 == visitor.send(f"{path}/change", page=path, name="other").status_code


def test_a_foreign_id_is_of_one(sandbox: Sandbox) -> None:
    """FP1: a foreignId that is taken is refused at the form."""
    visitor = Visitor.signed_in(sandbox, "fpay")
    made(visitor, name="one", permission="ReadOnly", foreignId="same")

    answer = visitor.send("new", name="two", permission="ReadOnly", foreignId="same")

    assert (409, True) == (answer.status_code, "identifier of another AuthAccess" in answer.text)


@pytest.mark.parametrize(
    ("vendor", "fields"),
    [
        ("payspace", {"label": "a b/ü&c", "scope": "read-only"}),
        ("paynet", {"label": "a b/ü&c", "scopes": "rpp:merchant"}),
        ("fpay", {"name": "x", "permission": "ReadOnly", "foreignId": "a b/ü&c"}),
    ],
)
def test_a_person_finds_by_what_they_know(sandbox: Sandbox, vendor: str, fields: dict[str, str]) -> None:
    """An item is found by its id, by its client id, and by its whole label, and by nothing less."""
    visitor = Visitor.signed_in(sandbox, vendor)
    path = made(visitor, **fields)
    entry = sandbox.ledger(vendor, "test")[-1]

    for text, found in ((entry.id, True), (entry.client_id, True), ("a b/ü&c", True), ("a b", False)):
        page = visitor.get("", params={"find": text}).text
        assert found == (f'href="{visitor.home}{path}"' in page), text
