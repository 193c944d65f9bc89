"""Paytia's twin against the rules PY1 to PY9."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from twin_harness import Twin

from provisioner.sandbox.world import Sandbox

KEYS = "admin/v1/api-keys"
DATA = "api/v1/transactions"
HOUR = 3600
START = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox whose clock stands still, so that an hour can be measured to the second."""
    with Sandbox(tmp_path / "sandbox", clock=lambda: START) as opened:
        yield opened


@pytest.fixture
def twin(open_twin: Any) -> Twin:
    return open_twin("paytia", "test")


@pytest.fixture
def production(open_twin: Any) -> Twin:
    return open_twin("paytia", "production")


def create(twin: Twin, **fields: Any) -> dict[str, Any]:
    response = twin.call("POST", KEYS, json={"label": "payments/card-capture", **fields})
    assert response.status_code == 201, response.text
    return response.json()


def generate(twin: Twin, key: dict[str, Any]) -> dict[str, Any]:
    response = twin.call("POST", f"{KEYS}/{key['id']}/tokens")
    assert response.status_code == 201, response.text
    return response.json()


def bundle(twin: Twin, **fields: Any) -> dict[str, Any]:
    key = create(twin, **fields)
    return {**key, **generate(twin, key)}


def authorize(twin: Twin, whole: dict[str, Any], *, caller: str = "127.0.0.1", **changes: str) -> int:
    """The document's request, with another part here and there; the status of its answer."""
    sent = {**whole, **changes}
    headers = {"x-api-key": sent["api_key"], "access-token": sent["access_token"]}
    body = {name: sent[name] for name in ("client_id", "client_secret")}
    return twin.call("POST", "api/authorize", token=headers, json=body, caller=caller).status_code


def read(twin: Twin, whole: dict[str, Any], *, caller: str = "127.0.0.1") -> int:
    return twin.call("GET", DATA, token={"x-api-key": whole["api_key"]}, caller=caller).status_code


def refresh(twin: Twin, whole: dict[str, Any], **changes: str) -> httpx.Response:
    sent = {**whole, **changes}
    body = {name: sent[name] for name in ("client_id", "client_secret", "refresh_token")}
    return twin.call("POST", "api/tokens/refresh", token={"x-api-key": sent["api_key"]}, json=body)


def test_a_generated_key_appears_in_the_list(twin: Twin) -> None:
    """PY1: each generated key is another, works at once, and appears in the list in order."""
    made = [create(twin) for _ in range(3)]

    listed = twin.call("GET", KEYS).json()["items"]

    assert [key["id"] for key in made] == [key["id"] for key in listed]
    assert [key["api_key"][-4:] for key in made] == [key["api_key_ending"] for key in listed]
    assert len({key["api_key"] for key in made}) == 3
    assert [read(twin, key) for key in made] == [200] * 3


def test_a_key_is_found_by_its_label(twin: Twin) -> None:
    """PY1, ours: labels need not be unique, and the list can be asked for one."""
    one, other, two = (create(twin, label=label) for label in ("a", "b", "a"))

    found = twin.call("GET", KEYS, params={"label": "a"}).json()["items"]

    assert [one["id"], two["id"]] == [key["id"] for key in found]
    assert other["id"] not in [key["id"] for key in found]


@pytest.mark.parametrize(
    ("allowed", "caller", "answer"),
    [
        ([], "198.51.100.9", 200),
        (["203.0.113.7"], "203.0.113.7", 200),
        (["203.0.113.7"], "203.0.113.8", 403),
        (["203.0.113.0/28"], "203.0.113.15", 200),
        (["203.0.113.0/28"], "203.0.113.16", 403),
        (["203.0.113.0/28"], "::ffff:203.0.113.1", 200),
        (["203.0.113.0/28", "2001:db8::/48"], "2001:db8::1", 200),
        (["2001:db8::/48"], "2001:db9::1", 403),
        (["2001:db8::/48"], "203.0.113.1", 403),
        (["203.0.113.7"], "a-unix-socket", 403),
    ],
)
def test_a_key_is_refused_from_elsewhere(twin: Twin, allowed: list[str], caller: str, answer: int) -> None:
    """PY2: with an IP list, pre-authorization and calls are refused from an address outside it."""
    whole = bundle(twin, allow_ips=allowed)

    assert answer == authorize(twin, whole, caller=caller)
    assert answer == read(twin, whole, caller=caller)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (["203.0.113.7/32", "2001:db8::1/128"], ["203.0.113.7", "2001:db8::1"]),
        (
            ["2001:DB8::/48", "203.0.113.16/28", "203.0.113.0/28"],
            ["203.0.113.0/28", "203.0.113.16/28", "2001:db8::/48"],
        ),
    ],
)
def test_the_ip_list_is_shown_in_one_form(twin: Twin, sent: list[str], kept: list[str]) -> None:
    """PY2, ours: the list is shown sorted, and a network of one address as that address."""
    assert kept == create(twin, allow_ips=sent)["allow_ips"]


@pytest.mark.parametrize(
    "entry",
    [
        "203.0.113.7/28",
        "203.0.113.256",
        "203.0.113.0/33",
        "203.0.113.0/255.255.255.0",
        "2001:db8::1/48",
        "::ffff:203.0.113.7",
        "fe80::1%eth0",
        "example.com",
        "",
        7,
        None,
    ],
)
def test_what_is_no_network_is_refused(twin: Twin, entry: object) -> None:
    """PY2, ours: an entry that is no address, and no network without host bits, is refused."""
    answer = twin.call("POST", KEYS, json={"label": "x", "allow_ips": ["203.0.113.1", entry]})

    assert ["/allow_ips"] == [fault["pointer"] for fault in answer.json()["errors"]]


SERVE = """
import sys
from pathlib import Path
from provisioner.sandbox.serve import serve

serve(Path(sys.argv[1]), ready=lambda url: print(url, flush=True))
"""


def test_a_header_claims_no_other_address(tmp_path: Path) -> None:
    """PY2: a served twin takes the caller's own address, whatever a forwarding header claims."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        url = f"{process.stdout.readline().strip()}/paytia/test"
        with Sandbox(tmp_path) as sandbox:
            headers = {"authorization": "Bearer " + sandbox.token("paytia", "test")}
        body = {"label": "x", "allow_ips": ["203.0.113.7"]}
        key = httpx.post(f"{url}/{KEYS}", headers=headers, json=body).json()["api_key"]
        claim = {"x-api-key": key, "x-forwarded-for": "203.0.113.7"}
        assert 403 == httpx.get(f"{url}/{DATA}", headers=claim).status_code
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_the_webhook_format_shapes_the_call(twin: Twin) -> None:
    """PY3: single is one JSON string on one line; multiple has each field on a line of its own."""
    single, multiple = (
        twin.call("GET", f"{KEYS}/{create(twin, webhook_format=one)['id']}/webhook-sample").json()
        for one in ("single", "multiple")
    )

    assert ("POST", "application/json") == (single["method"], single["content_type"])
    event = json.loads(single["body"])
    assert "Worldpay Corporate Gateway" == event["gateway"]
    assert "\n" not in single["body"]
    assert ("POST", "application/x-ndjson") == (multiple["method"], multiple["content_type"])
    assert [{name: value} for name, value in event.items()] == [
        json.loads(line) for line in multiple["body"].split("\n")
    ]


def test_saved_settings_take_effect_at_once(twin: Twin) -> None:
    """PY4: whatever is saved binds the very next call, and what is not named stays."""
    whole = bundle(twin, description="d")
    path = f"{KEYS}/{whole['id']}"
    changes = {"allow_ips": ["203.0.113.7"], "webhook_format": "multiple", "enhance_security": True}
    assert 200 == read(twin, whole)

    saved = twin.call("PATCH", path, json=changes).json()

    assert {**changes, "description": "d"} == {name: saved[name] for name in (*changes, "description")}
    assert saved == twin.call("GET", path).json()
    assert 403 == read(twin, whole)
    twin.call("PATCH", path, json={"allow_ips": [], "enhance_security": False, "description": None})
    assert 200 == read(twin, whole)


def test_generated_tokens_are_four_and_shown_once(twin: Twin, tmp_path: Path) -> None:
    """PY5, PY9: the bundle is shown as it is made, in two steps, and no later answer holds a secret of it."""
    key = create(twin)
    assert (None, None) == (key["client_id"], key["tokens_generated_at"])
    tokens = generate(twin, key)
    path = f"{KEYS}/{key['id']}"

    later = [
        twin.call("GET", path),
        twin.call("GET", KEYS),
        twin.call("PATCH", path, json={"description": "x"}),
        twin.call("GET", f"{path}/webhook-sample"),
    ]

    secret = [key["api_key"], *(tokens[n] for n in ("client_secret", "access_token", "refresh_token"))]
    assert 4 == len(set(secret))
    assert tokens["client_id"] == later[0].json()["client_id"]
    kept = b"".join(file.read_bytes() for file in (tmp_path / "sandbox").iterdir())
    for part in secret:
        assert not [answer for answer in later if part in answer.text]
        assert part.encode() not in kept


def test_client_ids_are_unique_over_all_connections(twin: Twin, production: Twin) -> None:
    """PY5: no two connections share a client id, of whichever tenant they are."""
    made = [bundle(one) for one in (twin, production) for _ in range(5)]
    assert 10 == len({whole["client_id"] for whole in made})

    with pytest.raises(sqlite3.IntegrityError), twin.sandbox.tenancy("paytia", "production") as data:
        data.add(label="x", status="active", client_id=made[0]["client_id"], secret="", fields={})


def test_an_access_token_lasts_an_hour(twin: Twin) -> None:
    """PY5: the access token is valid for 3,600 seconds of the sandbox's clock and not one more."""
    whole = bundle(twin)
    assert HOUR == whole["expires_in"]

    twin.sandbox.advance(HOUR - 1)
    assert 200 == authorize(twin, whole)
    twin.sandbox.advance(1)

    assert 401 == authorize(twin, whole)


def test_the_documents_curl_works_verbatim(twin: Twin) -> None:
    """PY6: the document's request, which curl declares as a form, pre-authorizes the key."""
    whole = bundle(twin, enhance_security=True)
    headers = {
        "X-API-KEY": whole["api_key"],
        "ACCESS-TOKEN": whole["access_token"],
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = f'{{\n"client_id": "{whole["client_id"]}",\n"client_secret": "{whole["client_secret"]}"\n}}'

    answer = twin.call("POST", "api/authorize", token=headers, content=body.encode())

    assert (200, {"authorized": True}) == (answer.status_code, answer.json())
    assert 200 == read(twin, whole)


@pytest.mark.parametrize("part", ["api_key", "access_token", "client_id", "client_secret"])
def test_pre_authorization_needs_the_whole_bundle(twin: Twin, part: str) -> None:
    """PY6: a wrong part, or another key's, is refused with 401, and nothing is pre-authorized."""
    whole, other = bundle(twin, enhance_security=True), bundle(twin)

    for wrong in ("x", other[part], *([whole["refresh_token"]] if part == "access_token" else [])):
        assert 401 == authorize(twin, whole, **{part: wrong})

    assert 403 == read(twin, whole)


def test_enhanced_security_asks_for_pre_authorization(twin: Twin) -> None:
    """PY6: switched on, a call needs pre-authorization, which ends with its token; off, the key is enough."""
    plain, enhanced = bundle(twin), bundle(twin, enhance_security=True)
    assert [200, 403] == [read(twin, whole) for whole in (plain, enhanced)]

    assert 200 == authorize(twin, enhanced)
    assert 200 == read(twin, enhanced)
    twin.sandbox.advance(HOUR)

    assert [200, 403] == [read(twin, whole) for whole in (plain, enhanced)]


def test_switching_enhanced_security_changes_what_is_accepted(twin: Twin) -> None:
    """PY6: the switch can be turned at any time, and pre-authorizing works in either position."""
    whole = bundle(twin)
    path = f"{KEYS}/{whole['id']}"

    twin.call("PATCH", path, json={"enhance_security": True})
    assert 403 == read(twin, whole)
    twin.call("PATCH", path, json={"enhance_security": False})
    assert 200 == authorize(twin, whole)
    twin.call("PATCH", path, json={"enhance_security": True})

    assert 200 == read(twin, whole)


def test_one_keys_pre_authorization_is_not_anothers(twin: Twin) -> None:
    """PY6: pre-authorizing one key opens no other."""
    one, other = bundle(twin, enhance_security=True), bundle(twin, enhance_security=True)

    authorize(twin, one)

    assert [200, 403] == [read(twin, one), read(twin, other)]


def test_a_refresh_spends_the_old_refresh_token(twin: Twin) -> None:
    """PY7: a refresh gives a new access token and a new refresh token, and the old one is refused."""
    whole = bundle(twin)

    answer = refresh(twin, whole)

    assert (200, HOUR) == (answer.status_code, answer.json()["expires_in"])
    renewed = {**whole, **answer.json()}
    assert not {whole["access_token"], whole["refresh_token"]} & set(answer.json().values())
    assert 401 == refresh(twin, whole).status_code
    assert 200 == refresh(twin, renewed).status_code


def test_a_refresh_outlives_the_hour(twin: Twin) -> None:
    """PY7: an expired access token is renewed by the refresh token, which does not expire unspent."""
    whole = bundle(twin)
    twin.sandbox.advance(400 * 24 * HOUR)
    assert 401 == authorize(twin, whole)

    renewed = {**whole, **refresh(twin, whole).json()}

    assert 200 == authorize(twin, renewed)


@pytest.mark.parametrize("part", ["api_key", "client_id", "client_secret", "refresh_token"])
def test_a_refresh_needs_its_own_client(twin: Twin, part: str) -> None:
    """PY7, ours: a refresh with a wrong part, or another key's, is refused and spends nothing."""
    whole, other = bundle(twin), bundle(twin)

    for wrong in ("x", other[part], whole["access_token"]):
        assert 401 == refresh(twin, whole, **{part: wrong}).status_code

    assert [200, 200] == [refresh(twin, one).status_code for one in (whole, other)]


def test_pre_authorizing_changes_nothing_and_spends_nothing(twin: Twin) -> None:
    """PY8: trying a bundle by pre-authorization counts as no write, and its refresh token still works."""
    whole = bundle(twin)
    before = twin.sandbox.writes()

    assert [200] * 3 == [authorize(twin, whole) for _ in range(3)]

    assert before == twin.sandbox.writes()
    assert 200 == refresh(twin, whole).status_code
    assert before + 1 == twin.sandbox.writes()


def test_a_new_key_lives_beside_the_old(twin: Twin) -> None:
    """PY9: keys overlap; deleting one ends it with all its tokens at once, and the other is untouched."""
    old = bundle(twin, enhance_security=True)
    authorize(twin, old)
    new = bundle(twin)
    assert [200, 200] == [read(twin, old), read(twin, new)]

    assert 204 == twin.call("DELETE", f"{KEYS}/{old['id']}").status_code

    assert [401] * 3 == [read(twin, old), authorize(twin, old), refresh(twin, old).status_code]
    assert 200 == read(twin, new)
    again = [twin.call(method, f"{KEYS}/{old['id']}") for method in ("DELETE", "GET")]
    assert [404, 404] == [answer.status_code for answer in again]
    assert 404 == twin.call("POST", f"{KEYS}/{old['id']}/tokens").status_code


def test_tokens_generated_again_replace_the_old(twin: Twin) -> None:
    """PY5, ours: the second time keeps key and client id, and the three old parts are dead at once."""
    old = bundle(twin, enhance_security=True)
    authorize(twin, old)

    new = {**old, **generate(twin, old)}

    assert old["client_id"] == new["client_id"]
    assert [401, 401] == [authorize(twin, old), refresh(twin, old).status_code]
    assert 401 == authorize(twin, new, client_secret=old["client_secret"])
    assert 403 == read(twin, new)
    assert 200 == authorize(twin, new)
    assert 200 == read(twin, new)


def test_test_and_production_are_strangers(twin: Twin, production: Twin) -> None:
    """PY1: a key of test, and its tokens, mean nothing in production."""
    whole, theirs = bundle(twin), bundle(production)

    assert [401, 401] == [read(production, whole), authorize(production, whole)]
    assert 401 == refresh(production, theirs, refresh_token=whole["refresh_token"]).status_code
    assert 404 == production.call("POST", f"{KEYS}/{whole['id']}/tokens").status_code
