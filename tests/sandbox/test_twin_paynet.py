"""PayNet's twin against the rules PN1 to PN7."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from twin_harness import Twin

KEYS = "developer/v1/keys"
MERCHANT = "rpp/v1/merchants/M1"


@pytest.fixture
def twin(open_twin: Any) -> Twin:
    return open_twin("paynet", "test")


@pytest.fixture
def production(open_twin: Any) -> Twin:
    return open_twin("paynet", "production")


def create(twin: Twin, **fields: Any) -> dict[str, Any]:
    body = {"label": "payments/merchant-rpp", "scopes": ["rpp:merchant"], **fields}
    response = twin.call("POST", KEYS, json=body)
    assert response.status_code == 201, response.text
    return response.json()


def test_a_development_key_works_at_once(twin: Twin) -> None:
    """PN1: a key of the Development environment is active as soon as it is made."""
    made = create(twin)

    assert made["status"] == "active"
    assert twin.ask_token(made).status_code == 200


@pytest.mark.parametrize(
    ("decision", "status", "answer"), [("approved", "active", 200), ("denied", "denied", 403)]
)
def test_a_production_key_waits_for_approval(
    production: Twin, decision: Any, status: str, answer: int
) -> None:
    """PN2: a production key is generated at once, and works only once it is approved."""
    made = create(production)
    assert made["status"] == "pending"
    refused = production.ask_token(made)
    assert (refused.status_code, refused.json()["error"]) == (403, "unauthorized_client")

    production.sandbox.approve("paynet", made["id"], decision)

    assert production.call("GET", f"{KEYS}/{made['id']}").json()["status"] == status
    assert production.ask_token(made).status_code == answer


def test_a_wrong_secret_learns_nothing_about_approval(production: Twin) -> None:
    """PN2: only the right secret is told that its key waits."""
    made = create(production)

    assert production.ask_token(made, client_secret="0" * 64).status_code == 401


def test_only_a_waiting_key_is_decided_on(production: Twin, twin: Twin) -> None:
    """PN2: there is one decision, and only on a key that waits."""
    decided, deleted, active = create(production), create(production), create(twin)
    production.sandbox.approve("paynet", decided["id"], "denied")
    production.call("DELETE", f"{KEYS}/{deleted['id']}")

    for key_id in (decided["id"], deleted["id"], active["id"], "nothing"):
        with pytest.raises(LookupError):
            production.sandbox.approve("paynet", key_id)


def test_a_revoked_key_is_gone_at_once(twin: Twin) -> None:
    """PN3: a revoke deletes key, secret and access tokens immediately; a second one finds nothing."""
    made = create(twin)
    token = twin.access_token(made)
    path = f"{KEYS}/{made['id']}"

    assert twin.call("DELETE", path).status_code == 204

    answers = [("DELETE", path), ("GET", path), ("GET", f"{path}/secret"), ("POST", f"{path}/renew")]
    assert [twin.call(method, at).status_code for method, at in answers] == [404] * 4
    assert twin.ask_token(made).status_code == 401
    assert twin.call("GET", MERCHANT, token=token).status_code == 401


def test_a_revoked_secret_is_deleted_from_the_database(twin: Twin, tmp_path: Any) -> None:
    """PN3: the vendor keeps no secret of a revoked key."""
    made = create(twin)
    database = sqlite3.connect(tmp_path / "sandbox" / "sandbox.db")
    kept = "SELECT count(*) FROM credentials WHERE secret = ?"
    assert database.execute(kept, (made["client_secret"],)).fetchone() == (1,)

    twin.call("DELETE", f"{KEYS}/{made['id']}")

    assert database.execute(kept, (made["client_secret"],)).fetchone() == (0,)
    assert made["client_secret"] not in repr(twin.sandbox.ledger("paynet", "test"))
    database.close()


def test_the_secret_can_be_revealed_again(twin: Twin) -> None:
    """PN4: the pair is revealed as often as asked, and only there: neither list nor get shows the secret."""
    made = create(twin)
    path = f"{KEYS}/{made['id']}"

    revealed = [twin.call("GET", f"{path}/secret").json() for _ in range(2)]

    assert revealed == [{name: made[name] for name in ("id", "client_id", "client_secret")}] * 2
    assert made["client_secret"] not in twin.call("GET", path).text + twin.call("GET", KEYS).text


def test_the_token_answer_is_the_documents(twin: Twin) -> None:
    """PN5: form-encoded client credentials give access_token, token_type bearer, scope, expires_in 86400."""
    answer = twin.ask_token(create(twin)).json()

    assert {**answer, "access_token": "…"} == {
        "access_token": "…",
        "token_type": "bearer",
        "scope": "rpp:merchant",
        "expires_in": 86400,
    }


def test_the_token_endpoint_takes_forms_only(twin: Twin) -> None:
    """PN5: the token endpoint reads form-encoded bodies, nothing else, and each parameter once."""
    made = create(twin)
    pair = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    form = {"content-type": "application/x-www-form-urlencoded"}
    ask = {"method": "POST", "path": "auth/token", "token": None}

    answers = [
        twin.call(**ask, json={**pair, "grant_type": "client_credentials"}),
        twin.call(
            **ask, content=b"grant_type=client_credentials&grant_type=client_credentials", headers=form
        ),
        twin.call(**ask, content=b"grant_type=%ff", headers=form),
    ]

    assert [(a.status_code, a.json()["error"]) for a in answers] == [(400, "invalid_request")] * 3


def test_calls_need_a_bearer_token_with_the_scope(twin: Twin) -> None:
    """PN6: an API call without a bearer token is refused, and so is one whose token lacks the scope."""
    entitled = twin.access_token(create(twin))
    other = twin.access_token(create(twin, scopes=["duitnow:read"]))
    body = {"name": "Kedai"}

    assert twin.call("PUT", MERCHANT, token=None, json=body).status_code == 401
    assert twin.call("PUT", MERCHANT, token=other, json=body).status_code == 403
    assert twin.call("PUT", MERCHANT, token=entitled, json=body).json() == {"id": "M1", "name": "Kedai"}
    assert twin.call("GET", MERCHANT, token=other).status_code == 403
    assert twin.call("GET", MERCHANT, token=entitled).json() == {"id": "M1", "name": "Kedai"}


def test_an_access_token_expires_and_another_can_be_made(twin: Twin) -> None:
    """PN6: after a day of the sandbox's clock the token is refused, and the key gives a new one."""
    made = create(twin)
    token = twin.access_token(made)
    twin.sandbox.advance(86400)

    assert twin.call("GET", MERCHANT, token=token).status_code == 401
    assert twin.call("GET", MERCHANT, token=twin.access_token(made)).status_code == 404


def test_a_renewal_replaces_the_secret_in_place(twin: Twin) -> None:
    """PN7: a renewal keeps id, client id and everything else; the old secret is dead at once."""
    old = create(twin, description="d")
    token = twin.access_token(old)
    twin.sandbox.advance(60)

    new = twin.call("POST", f"{KEYS}/{old['id']}/renew").json()

    changed = {name for name in new if new[name] != old[name]}
    assert changed == {"client_secret", "renewed_at"}
    assert [twin.ask_token(pair).status_code for pair in (old, new)] == [401, 200]
    assert twin.call("GET", MERCHANT, token=token).status_code == 401
    assert twin.call("GET", f"{KEYS}/{old['id']}/secret").json()["client_secret"] == new["client_secret"]


@pytest.mark.parametrize("decision", ["approved", "denied"])
def test_a_renewal_does_not_stand_in_for_approval(production: Twin, decision: Any) -> None:
    """PN2, PN7: a renewed key keeps the status it had."""
    made = create(production)
    production.sandbox.approve("paynet", made["id"], decision)

    before = production.call("GET", f"{KEYS}/{made['id']}").json()["status"]

    assert production.call("POST", f"{KEYS}/{made['id']}/renew").json()["status"] == before


@pytest.mark.parametrize(
    "scopes",
    [[], ["rpp:unknown"], ["rpp:merchant", "rpp:merchant"], "rpp:merchant", [["rpp:merchant"]], None],
)
def test_scopes_are_a_set_from_the_catalogue(twin: Twin, scopes: object) -> None:
    """PN5, ours: a key has at least one scope, each known and named once."""
    response = twin.call("POST", KEYS, json={"label": "x", "scopes": scopes})

    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/scopes")


def test_a_token_may_ask_for_less(twin: Twin) -> None:
    """PN5: a token can be asked for with a part of the key's scopes, never for more (RFC 6749 §3.3)."""
    made = create(twin, scopes=["rpp:merchant", "duitnow:read"])

    less = twin.ask_token(made, scope="duitnow:read").json()

    assert twin.ask_token(made).json()["scope"] == "duitnow:read rpp:merchant"
    assert twin.call("GET", MERCHANT, token=less["access_token"]).status_code == 403
    assert twin.ask_token(made, scope="rpp:acquirer").json()["error"] == "invalid_scope"


def test_an_update_reaches_label_and_description_only(twin: Twin) -> None:
    """PN3, ours: the portal changes no scopes, so neither does an update."""
    made = create(twin)
    path = f"{KEYS}/{made['id']}"

    refused = twin.call("PATCH", path, json={"scopes": ["duitnow:read"]})
    changed = twin.call("PATCH", path, json={"label": "l", "description": "d"}).json()

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/scopes")
    assert (changed["label"], changed["description"], changed["scopes"]) == ("l", "d", made["scopes"])


def test_development_and_production_are_strangers(twin: Twin, production: Twin) -> None:
    """PN1, PN2: keys and access tokens of Development mean nothing in production."""
    made = create(twin)
    token = twin.access_token(made)

    assert production.call("GET", f"{KEYS}/{made['id']}/secret").status_code == 404
    assert production.ask_token(made).json()["error"] == "invalid_client"
    assert production.call("GET", MERCHANT, token=token).status_code == 401
