"""PaySpace's twin against the rules PS1 to PS8."""

from __future__ import annotations

from typing import Any

import pytest
from twin_harness import Twin

CREDENTIALS = "api/v1/credentials"


@pytest.fixture
def twin(open_twin: Any) -> Twin:
    return open_twin("payspace", "test")


@pytest.fixture
def production(open_twin: Any) -> Twin:
    return open_twin("payspace", "production")


def create(twin: Twin, **fields: Any) -> dict[str, Any]:
    body = {"label": "payments/payroll-export", "scope": "full-access", "user": "svc.payroll", **fields}
    response = twin.call("POST", CREDENTIALS, json=body)
    assert response.status_code == 201, response.text
    return response.json()


def faults(twin: Twin, method: str, path: str, body: dict[str, Any]) -> list[str]:
    response = twin.call(method, path, json=body)
    assert response.status_code == 422, response.text
    return [fault["pointer"] for fault in response.json()["errors"]]


def test_a_new_credential_has_a_unique_id_and_secret(twin: Twin) -> None:
    """PS1: each creation makes a client_id and client_secret of its own, even under the same label."""
    made = [create(twin) for _ in range(20)]

    assert len({c["client_id"] for c in made}) == 20
    assert len({c["client_secret"] for c in made}) == 20
    assert len({c["id"] for c in made}) == 20


def test_id_and_secret_are_shown_once(twin: Twin) -> None:
    """PS2: no later answer holds the client id or the secret."""
    made = create(twin)
    path = f"{CREDENTIALS}/{made['id']}"

    answers = [
        twin.call("GET", path),
        twin.call("GET", CREDENTIALS),
        twin.call("PATCH", path, json={"description": "x"}),
        twin.call("GET", "api/v1/audit-trail"),
    ]

    assert [a.status_code for a in answers] == [200] * 4
    assert not [a for a in answers if made["client_id"] in a.text or made["client_secret"] in a.text]


def test_the_vendor_does_not_keep_the_secret(twin: Twin, tmp_path: Any) -> None:
    """PS2: a secret that cannot be shown again is kept as a digest only."""
    secret = create(twin)["client_secret"].encode()

    kept = b"".join(file.read_bytes() for file in (tmp_path / "sandbox").iterdir())

    assert secret not in kept


def test_full_access_needs_a_user(twin: Twin) -> None:
    """PS3: full-access without a linked user is refused, in a creation and in an update."""
    assert faults(twin, "POST", CREDENTIALS, {"label": "x", "scope": "full-access"}) == ["/user"]
    assert faults(twin, "POST", CREDENTIALS, {"label": "x", "scope": "full-access", "user": None}) == [
        "/user"
    ]

    reader = create(twin, scope="read-only", user=None)
    assert faults(twin, "PATCH", f"{CREDENTIALS}/{reader['id']}", {"scope": "full-access"}) == ["/user"]

    writer = create(twin)
    assert faults(twin, "PATCH", f"{CREDENTIALS}/{writer['id']}", {"user": None}) == ["/user"]


@pytest.mark.parametrize("user", ["svc.nobody", "svc.former"])
@pytest.mark.parametrize("scope", ["full-access", "read-only"])
def test_the_user_must_be_an_active_profile(twin: Twin, user: str, scope: str) -> None:
    """PS3: an unknown or inactive user profile cannot be linked."""
    assert faults(twin, "POST", CREDENTIALS, {"label": "x", "scope": scope, "user": user}) == ["/user"]


def test_writing_takes_full_access(twin: Twin) -> None:
    """PS3: a read-only credential reads and cannot write, whatever its user may do."""
    token = twin.access_token(create(twin, scope="read-only"))

    assert twin.call("GET", "api/v1/payslips", token=token).status_code == 200
    assert twin.call("POST", "api/v1/employees", token=token, json={"name": "A"}).status_code == 403
    assert twin.call("GET", "api/v1/audit-trail").json() == []


def test_the_audit_trail_names_the_linked_user(twin: Twin) -> None:
    """PS3: every change through the API stands in the audit trail under the linked user."""
    made = create(twin, user="svc.ledger")
    token = twin.access_token(made)

    assert twin.call("POST", "api/v1/employees", token=token, json={"name": "A"}).status_code == 201

    entries = twin.call("GET", "api/v1/audit-trail").json()
    assert [(e["username"], e["credential"]) for e in entries] == [("svc.ledger", made["id"])]


def test_a_role_that_denies_payslips_denies_them_to_the_api(twin: Twin) -> None:
    """PS4: the security role of the linked user binds reading and writing, and only what it denies."""
    token = twin.access_token(create(twin, user="svc.reports"))
    path = "api/v1/payslips/E-1001-2026-10"

    assert twin.call("GET", "api/v1/payslips", token=token).status_code == 403
    assert twin.call("GET", f"{path}/pdf", token=token).status_code == 403
    assert twin.call("PATCH", path, token=token, json={"note": "x"}).status_code == 403
    assert twin.call("GET", "api/v1/pay-rates", token=token).status_code == 200


def test_a_changed_user_binds_at_once(twin: Twin) -> None:
    """PS4: the role of the user linked now counts, also for an access token from before."""
    made = create(twin)
    token = twin.access_token(made)
    twin.call("PATCH", f"{CREDENTIALS}/{made['id']}", json={"user": "svc.reports"})

    assert twin.call("GET", "api/v1/payslips", token=token).status_code == 403


def test_development_mode_masks_figures_but_not_pdfs(twin: Twin) -> None:
    """PS5: Development Mode masks figures on payslips and pay rates, but not on PDF payslips."""
    plain = twin.access_token(create(twin))
    masked = twin.access_token(create(twin, development_mode=True))
    slip = twin.call("GET", "api/v1/payslips", token=plain).json()[0]
    path = f"api/v1/payslips/{slip['id']}"

    seen = twin.call("GET", "api/v1/payslips", token=masked).json()
    seen.append(twin.call("PATCH", path, token=masked, json={"note": "x"}).json())
    rates = twin.call("GET", "api/v1/pay-rates", token=masked).json()
    pdf = twin.call("GET", f"{path}/pdf", token=masked).content

    assert {s[name] for s in seen for name in ("gross", "net")} == {"*****"}
    assert {r["hourly"] for r in rates} == {"*****"}
    assert pdf.startswith(b"%PDF-")
    assert slip["gross"].encode() in pdf
    assert twin.call("GET", "api/v1/pay-rates", token=plain).json()[0]["hourly"] == "238.00"


def test_development_mode_exists_in_test_only(production: Twin) -> None:
    """PS5: production refuses Development Mode, in a creation and in an update."""
    body = {"label": "x", "scope": "read-only", "development_mode": True}
    assert faults(production, "POST", CREDENTIALS, body) == ["/development_mode"]

    made = create(production, development_mode=False)
    assert faults(production, "PATCH", f"{CREDENTIALS}/{made['id']}", {"development_mode": True}) == [
        "/development_mode"
    ]


def test_test_and_production_are_strangers(twin: Twin, production: Twin) -> None:
    """PS6: ids, credentials and access tokens of one environment mean nothing in the other."""
    made = create(twin)
    token = twin.access_token(made)

    assert production.call("GET", f"{CREDENTIALS}/{made['id']}").status_code == 404
    assert production.call("DELETE", f"{CREDENTIALS}/{made['id']}").status_code == 404
    assert production.ask_token(made).json()["error"] == "invalid_client"
    assert production.call("GET", "api/v1/payslips", token=token).status_code == 401
    assert production.call("GET", CREDENTIALS).json()["items"] == []


def test_old_and_new_live_side_by_side(twin: Twin) -> None:
    """PS7: a renewal is a new credential, and the old one works until it is deleted."""
    old, new = create(twin), create(twin)
    assert [twin.ask_token(pair).status_code for pair in (old, new)] == [200, 200]

    twin.call("DELETE", f"{CREDENTIALS}/{old['id']}")

    assert [twin.ask_token(pair).status_code for pair in (old, new)] == [401, 200]


def test_deleting_ends_credential_and_access_tokens(twin: Twin) -> None:
    """PS8: after the deletion nothing of the credential works, and a second deletion finds nothing."""
    made = create(twin)
    token = twin.access_token(made)
    path = f"{CREDENTIALS}/{made['id']}"

    assert twin.call("DELETE", path).status_code == 204

    assert twin.call("DELETE", path).status_code == 404
    assert twin.call("GET", path).status_code == 404
    assert twin.call("PATCH", path, json={"description": "x"}).status_code == 404
    assert twin.ask_token(made).status_code == 401
    assert twin.call("GET", "api/v1/payslips", token=token).status_code == 401


def test_an_access_token_lives_one_hour_of_the_sandbox(twin: Twin) -> None:
    """PS8: an access token works for expires_in seconds of the sandbox's clock, not longer."""
    made = create(twin)
    answer = twin.ask_token(made).json()
    token = answer["access_token"]
    assert (answer["expires_in"], answer["scope"]) == (3600, "full-access")

    twin.sandbox.advance(3590)
    assert twin.call("GET", "api/v1/payslips", token=token).status_code == 200
    twin.sandbox.advance(10)
    assert twin.call("GET", "api/v1/payslips", token=token).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"client_id": None, "client_secret": None}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_secret": "ключ"}, 401, "invalid_client"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "read-only"}, 400, "invalid_scope"),
        ({"scope": "full-access", "audience": "ignored"}, 200, None),
    ],
)
def test_the_token_endpoint_refuses_as_oauth_does(
    twin: Twin, changes: dict[str, str | None], status: int, error: str | None
) -> None:
    """PS8: the token endpoint answers the errors of RFC 6749 §5.2."""
    response = twin.ask_token(create(twin), **changes)

    assert (response.status_code, response.json().get("error")) == (status, error)


def test_a_label_finds_every_credential_that_has_it(twin: Twin) -> None:
    """PS7, ours: labels may repeat, and the list by label gives exactly those that exist, oldest first."""
    made = [create(twin, label="payments/a") for _ in range(3)]
    create(twin, label="payments/ab")
    twin.call("DELETE", f"{CREDENTIALS}/{made[1]['id']}")

    found = twin.call("GET", CREDENTIALS, params={"label": "payments/a"}).json()

    assert [c["id"] for c in found["items"]] == [made[0]["id"], made[2]["id"]]


def test_pages_give_everything_once(twin: Twin) -> None:
    """Ours: following `next` gives each credential once, in the order of creation."""
    made = [create(twin, label=f"c{number}")["id"] for number in range(7)]

    seen, page = [], 1
    while page:
        answer = twin.call("GET", CREDENTIALS, params={"page": page, "page_size": 3}).json()
        seen += [c["id"] for c in answer["items"]]
        page = answer["next"]

    assert seen == made


def test_an_update_changes_what_it_names(twin: Twin) -> None:
    """Ours: a PATCH changes the fields it holds and leaves the others as they are."""
    made = create(twin, description="before")
    path = f"{CREDENTIALS}/{made['id']}"

    changed = twin.call("PATCH", path, json={"description": None, "label": "renamed"}).json()

    before = {k: v for k, v in made.items() if k not in ("client_id", "client_secret")}
    assert changed == {**before, "description": None, "label": "renamed"}
    assert twin.call("GET", path).json() == changed


def test_users_tell_what_their_role_allows(twin: Twin) -> None:
    """PS4: the list of users shows who is active and what each role allows."""
    users = {u["username"]: u for u in twin.call("GET", "api/v1/users").json()}

    assert users["svc.payroll"]["permissions"] == {"payslips": True, "pay_rates": True, "employees": True}
    assert users["svc.reports"]["permissions"]["payslips"] is False
    assert [name for name, user in users.items() if not user["active"]] == ["svc.former"]
