"""TimeClock's twin against the rules TC1 to TC8."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from twin_harness import Contract, Twin

from provisioner.sandbox.world import Sandbox

START = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)
PROFILE = "api/profile"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox whose clock stands still, so that a minute can be measured to the second."""
    with Sandbox(tmp_path / "sandbox", clock=lambda: START) as opened:
        yield opened


@pytest.fixture
def twin(open_twin: Any) -> Twin:
    return open_twin("timeclock", "test")


def access(user: int = 17) -> str:
    return f"admin/v1/users/{user}/api-access"


def grant(twin: Twin, user: int = 17, label: str = "payments/kiosk") -> dict[str, Any]:
    response = twin.call("POST", access(user), json={"label": label})
    assert response.status_code == 201, response.text
    return response.json()


def sign(made: dict[str, Any], moment: int | None = None) -> str:
    """The token as the document makes it; `moment` is now unless given."""
    moment = int(START.timestamp()) if moment is None else moment
    checksum = hashlib.sha1(f"{moment}{made['key']}".encode()).hexdigest()
    return f"{made['identifier']}:{moment}:{checksum}"


def call(twin: Twin, made: dict[str, Any], method: str, path: str, **more: Any) -> httpx.Response:
    return twin.call(method, path, token=sign(made), **more)


def profile(twin: Twin, made: dict[str, Any]) -> int:
    return call(twin, made, "GET", PROFILE).status_code


def test_each_user_has_one_access(twin: Twin) -> None:
    """TC1: granting gives an integer identifier and a key, once for each user; again is refused."""
    one, other = grant(twin), grant(twin, 18)

    assert (17, 18) == (one["identifier"], other["identifier"])
    assert one["key"] != other["key"]
    assert [200, 200] == [profile(twin, made) for made in (one, other)]
    assert 409 == twin.call("POST", access(), json={"label": "again"}).status_code
    assert 200 == profile(twin, one)


def test_the_identifier_never_changes(twin: Twin) -> None:
    """TC1: neither a changed key nor a revocation with a new grant gives a user another identifier."""
    seen = [grant(twin)["identifier"]]
    seen += [twin.call("POST", f"{access()}/change-key").json()["identifier"] for _ in range(3)]
    twin.call("DELETE", access())
    seen.append(grant(twin)["identifier"])

    assert {17} == set(seen)


def test_the_profile_page_keeps_showing_the_key(twin: Twin) -> None:
    """TC1: identifier and key can be seen again there, and in no other answer."""
    made = grant(twin)

    shown = [twin.call("GET", f"{access()}/key").json() for _ in range(2)]

    assert [{"identifier": 17, "key": made["key"]}] * 2 == shown
    others = [access(), "admin/v1/api-access", "admin/v1/users"]
    assert not [path for path in others if made["key"] in twin.call("GET", path).text]


def test_a_changed_key_kills_the_old_at_once(twin: Twin) -> None:
    """TC2: the new key works, the previous one is not valid any more, and all else stays."""
    old = grant(twin)

    new = twin.call("POST", f"{access()}/change-key").json()

    assert {"key", "key_changed_at"} == {name for name in new if new[name] != old[name]}
    assert [401, 200] == [profile(twin, made) for made in (old, new)]


def test_a_revoked_access_is_gone(twin: Twin, tmp_path: Path) -> None:
    """TC3: access and key are gone at once, also from the vendor's data; a new grant has another key."""
    made = grant(twin)
    pin = twin.call("POST", "admin/v1/users/17/pin").json()["pin"]
    database = sqlite3.connect(tmp_path / "sandbox" / "sandbox.db")
    kept = "SELECT count(*) FROM credentials WHERE secret = ?"
    assert (1,) == database.execute(kept, (made["key"],)).fetchone()

    assert 204 == twin.call("DELETE", access()).status_code

    assert (0,) == database.execute(kept, (made["key"],)).fetchone()
    database.close()
    assert 401 == profile(twin, made)
    assert 403 == twin.call("POST", "api/sign-in", token=None, json={"pin": pin}).status_code
    gone = [("GET", ""), ("GET", "/key"), ("POST", "/change-key"), ("DELETE", "")]
    assert [404] * 4 == [twin.call(method, f"{access()}{rest}").status_code for method, rest in gone]
    assert made["key"] != grant(twin)["key"]


def test_the_documents_header_is_taken_to_the_letter(twin: Twin) -> None:
    """TC4: Bearer, identifier, timestamp, SHA-1 of timestamp and key; colons between, and nothing else."""
    made, other = grant(twin), grant(twin, 18)
    identifier, moment, checksum = sign(made).split(":")
    swapped = hashlib.sha1(f"{made['key']}{moment}".encode()).hexdigest()
    longer = hashlib.sha256(f"{moment}{made['key']}".encode()).hexdigest()
    wrong = [
        f"{identifier}:{moment}:{swapped}",
        f"{identifier}:{moment}:{longer}",
        f"{identifier}:{moment}:{checksum.upper()}",
        f"{identifier}:{moment}:{checksum}:",
        f"{identifier}:{moment}",
        f"{other['identifier']}:{moment}:{checksum}",
        f"0{identifier}:{moment}:{checksum}",
        f"{identifier}:{int(moment) - 1}:{checksum}",
        f"{identifier}:{moment}.0:{checksum}",
        f"999:{moment}:{checksum}",
        made["key"],
    ]

    assert 200 == twin.call("GET", PROFILE, token=f"{identifier}:{moment}:{checksum}").status_code
    assert [401] * len(wrong) == [twin.call("GET", PROFILE, token=one).status_code for one in wrong]
    basic = {"authorization": f"Basic {sign(made)}"}
    assert 401 == twin.call("GET", PROFILE, token=basic).status_code


def test_the_checksum_of_a_known_key(twin: Twin) -> None:
    """TC4: with the key `abc`, the checksum is what sha1sum says of the timestamp followed by `abc`."""
    grant(twin)
    with twin.sandbox.tenancy("timeclock", "test") as data:
        held = data.page(label=None, page=1, size=1)[0][0]
        data.update(held, label=held.label, fields=held.fields, secret="abc")

    answer = twin.call("GET", PROFILE, token="17:1795269720:ef3c3e8c6cde800263649ed7023f1718eb45bb19")

    assert 200 == answer.status_code


@pytest.mark.parametrize(
    ("off", "status"), [(-61, 401), (-60, 200), (-59, 200), (0, 200), (59, 200), (60, 200), (61, 401)]
)
def test_a_timestamp_may_be_a_minute_off(twin: Twin, off: int, status: int) -> None:
    """TC5: a timestamp more than one minute older or younger than now is rejected."""
    made = grant(twin)

    answer = twin.call("GET", PROFILE, token=sign(made, int(START.timestamp()) + off))

    assert status == answer.status_code


def test_a_header_grows_old(twin: Twin) -> None:
    """TC5: the same header works for a minute of the sandbox's clock, and then no more."""
    token = sign(grant(twin))
    twin.sandbox.advance(60)
    assert 200 == twin.call("GET", PROFILE, token=token).status_code

    twin.sandbox.advance(1)

    assert 401 == twin.call("GET", PROFILE, token=token).status_code


def test_a_pin_signs_in_without_a_token(twin: Twin) -> None:
    """TC6: a PIN gives user id and API key, which are all that the header needs."""
    made = grant(twin)
    pin = twin.call("POST", "admin/v1/users/17/pin").json()["pin"]
    before = twin.sandbox.writes()

    answer = twin.call("POST", "api/sign-in", token=None, json={"pin": pin})

    assert {"user_id": 17, "api_key": made["key"]} == answer.json()
    assert before == twin.sandbox.writes()
    signed_in = {"identifier": answer.json()["user_id"], "key": answer.json()["api_key"]}
    assert 200 == profile(twin, signed_in)


def test_a_pin_must_have_been_generated(twin: Twin) -> None:
    """TC6: without a generated PIN nobody signs in; a new PIN ends the old one."""
    grant(twin)

    def sign_in(pin: str) -> int:
        return twin.call("POST", "api/sign-in", token=None, json={"pin": pin}).status_code

    assert [401] * 3 == [sign_in(pin) for pin in ("000000", "17", "None")]
    assert not [user for user in twin.call("GET", "admin/v1/users").json() if user["pin"]]
    old, new = (twin.call("POST", "admin/v1/users/17/pin").json()["pin"] for _ in range(2))

    assert [401, 200] == [sign_in(old), sign_in(new)]
    assert 404 == twin.call("POST", "admin/v1/users/999/pin").status_code


def test_a_pin_follows_the_key(twin: Twin) -> None:
    """TC2, TC6: after a change of the key the PIN gives the new one."""
    grant(twin)
    pin = twin.call("POST", "admin/v1/users/17/pin").json()["pin"]

    changed = twin.call("POST", f"{access()}/change-key").json()["key"]

    assert changed == twin.call("POST", "api/sign-in", token=None, json={"pin": pin}).json()["api_key"]


LISTED = {
    "api/sessions": {"GET", "HEAD", "POST"},
    "api/sessions/{id}": {"GET", "HEAD", "PUT", "PATCH", "DELETE"},
    "api/off-times": {"GET", "HEAD", "POST"},
    "api/off-times/{id}": {"GET", "HEAD", "PUT", "PATCH", "DELETE"},
    "api/holidays": {"GET", "HEAD", "POST"},
    "api/profile": {"GET", "HEAD", "PUT", "PATCH"},
    "api/projects": {"GET", "HEAD"},
    "api/projects/{id}": {"GET", "HEAD"},
}


def test_every_listed_request_exists_and_is_signed() -> None:
    """TC7: the requests of the document's list are there, with its methods, and each asks for the header."""
    contract = Contract("timeclock")
    found: dict[str, set[str]] = {}
    for method, path in contract.operations():
        if contract.document["paths"]["/" + path][method.lower()].get("security") == [{"signed": []}]:
            found.setdefault(path, set()).add(method)

    assert LISTED == found


SESSION = {"clock_in": 1_795_000_000, "clock_out": 1_795_003_600, "project": 1, "note": "n"}
OFF_TIME = {"start": "2026-12-24", "end": "2026-12-31", "type": "vacation", "note": "n"}


@pytest.mark.parametrize(
    ("path", "body", "change"),
    [
        ("api/sessions", SESSION, {"clock_in": 1_794_999_000}),
        ("api/off-times", OFF_TIME, {"end": "2027-01-02"}),
    ],
)
def test_sessions_and_off_times_have_a_life(
    twin: Twin, path: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    """TC7: both are created, viewed, listed, changed in part, replaced as a whole, and deleted."""
    made = grant(twin)
    thing = call(twin, made, "POST", path, json=body).json()
    one = f"{path}/{thing['id']}"
    assert {**body, "id": thing["id"]} == thing == call(twin, made, "GET", one).json()
    assert [thing] == call(twin, made, "GET", path).json()

    assert {**thing, **change} == call(twin, made, "PATCH", one, json=change).json()
    least = {name: value for name, value in body.items() if name not in ("clock_out", "project", "note")}
    replaced = call(twin, made, "PUT", one, json=least).json()

    assert {**dict.fromkeys(thing), **least, "id": thing["id"]} == replaced
    assert 204 == call(twin, made, "DELETE", one).status_code
    gone = [call(twin, made, method, one).status_code for method in ("GET", "HEAD", "DELETE")]
    assert [404] * 3 == gone
    assert [] == call(twin, made, "GET", path).json()


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("api/sessions", {**SESSION, "clock_out": SESSION["clock_in"]}, "/clock_out"),
        ("api/sessions", {**SESSION, "project": 99}, "/project"),
        ("api/sessions", {**SESSION, "clock_in": True}, "/clock_in"),
        ("api/sessions", {**SESSION, "clock_in": -1}, "/clock_in"),
        ("api/off-times", {**OFF_TIME, "end": "2026-12-23"}, "/end"),
        ("api/off-times", {**OFF_TIME, "end": "2026-12-32"}, "/end"),
        ("api/off-times", {**OFF_TIME, "end": "20261231"}, "/end"),
        ("api/off-times", {**OFF_TIME, "type": "nap"}, "/type"),
    ],
)
def test_impossible_times_are_refused(twin: Twin, path: str, body: dict[str, Any], pointer: str) -> None:
    """TC7, ours: a time that ends before it begins, or is none, is refused and the fault names it."""
    answer = call(twin, grant(twin), "POST", path, json=body)

    assert [pointer] == [fault["pointer"] for fault in answer.json()["errors"]]


def test_a_change_is_held_against_the_whole(twin: Twin) -> None:
    """TC7, ours: a part that does not fit what stays is refused, and nothing changes."""
    made = grant(twin)
    thing = call(twin, made, "POST", "api/sessions", json=SESSION).json()
    one = f"api/sessions/{thing['id']}"

    assert 422 == call(twin, made, "PATCH", one, json={"clock_in": SESSION["clock_out"]}).status_code
    assert thing == call(twin, made, "GET", one).json()


def test_holidays_are_fetched_by_year(twin: Twin) -> None:
    """TC7: fetching stores a year's holidays for the index, the same if fetched again."""
    made = grant(twin)
    assert [] == call(twin, made, "GET", "api/holidays").json()

    fetched = [call(twin, made, "POST", "api/holidays", json={"year": 2027}).json() for _ in range(2)]

    assert fetched[0] == fetched[1] == call(twin, made, "GET", "api/holidays").json()
    assert {"2027"} == {holiday["date"][:4] for holiday in fetched[0]}


def test_a_profile_is_viewed_and_updated(twin: Twin) -> None:
    """TC7: the profile is the calling user's own; a change in part keeps the rest, and never the access."""
    made, other = grant(twin), grant(twin, 18)
    before = call(twin, other, "GET", PROFILE).json()

    call(twin, made, "PATCH", PROFILE, json={"email": "bot@example.com"})
    changed = call(twin, made, "PATCH", PROFILE, json={"name": "Bot"}).json()

    assert {"id": 17, "name": "Bot", "email": "bot@example.com"} == changed
    replaced = call(twin, made, "PUT", PROFILE, json={"name": "Robot"}).json()
    assert {"id": 17, "name": "Robot", "email": None} == replaced
    assert before == call(twin, other, "GET", PROFILE).json()
    assert 422 == call(twin, made, "PATCH", PROFILE, json={"access": None}).status_code


def test_projects_are_viewed(twin: Twin) -> None:
    """TC7: the index lists what can be viewed one by one."""
    made = grant(twin)
    projects = call(twin, made, "GET", "api/projects").json()

    assert projects
    assert projects == [call(twin, made, "GET", f"api/projects/{one['id']}").json() for one in projects]
    assert 404 == call(twin, made, "GET", "api/projects/99").status_code


def test_head_answers_as_get_without_a_body(twin: Twin) -> None:
    """TC7: HEAD has the status and headers of GET, and nothing else."""
    made = grant(twin)

    for path in ("api/sessions", "api/profile", "api/projects/1", "api/holidays", "api/off-times"):
        get, head = (call(twin, made, method, path) for method in ("GET", "HEAD"))
        assert (200, b"") == (head.status_code, head.content)
        assert get.headers == head.headers


def test_no_body_is_sent_for_head(twin: Twin) -> None:
    """TC7: the application itself sends no body for HEAD; the client of these tests would hide one."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "HEAD",
        "path": "/timeclock/test/api/profile",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {sign(grant(twin))}".encode())],
    }
    asyncio.run(twin.sandbox.app(scope, receive, send))

    assert 200 == sent[0]["status"]
    assert b"" == b"".join(message.get("body", b"") for message in sent)


def test_one_users_times_are_not_anothers(twin: Twin) -> None:
    """TC7, TC8: an access reaches the sessions and off-times of its own user only."""
    mine, theirs = grant(twin), grant(twin, 18)
    thing = call(twin, mine, "POST", "api/sessions", json=SESSION).json()
    one = f"api/sessions/{thing['id']}"

    assert [] == call(twin, theirs, "GET", "api/sessions").json()
    assert [404, 404] == [call(twin, theirs, method, one).status_code for method in ("GET", "DELETE")]
    assert 404 == call(twin, theirs, "PUT", one, json=SESSION).status_code


def test_the_user_is_the_identity(twin: Twin) -> None:
    """TC8: an access is its user's, whom no change replaces; an unknown or inactive user gets none."""
    made = grant(twin, 19)

    assert (19, 19) == (made["user_id"], call(twin, made, "GET", PROFILE).json()["id"])
    assert 422 == twin.call("PATCH", access(19), json={"user_id": 18}).status_code
    assert 404 == twin.call("POST", access(999), json={"label": "x"}).status_code
    assert 403 == twin.call("POST", access(21), json={"label": "x"}).status_code
    assert {17: False, 18: False, 19: True, 20: False, 21: False} == {
        user["id"]: user["api_access"] for user in twin.call("GET", "admin/v1/users").json()
    }


def test_an_access_carries_a_label(twin: Twin) -> None:
    """TC1, ours: an access has a label; it can be changed and asked for, and outlives a change of the key."""
    grant(twin, 17, "a")
    grant(twin, 18, "b")
    twin.call("PATCH", access(), json={"label": "b"})
    twin.call("POST", f"{access()}/change-key")

    listed = twin.call("GET", "admin/v1/api-access", params={"label": "b"}).json()["items"]

    assert [17, 18] == [one["identifier"] for one in listed]
    assert listed[0] == twin.call("GET", access()).json()


def test_test_and_production_are_strangers(twin: Twin, open_twin: Any) -> None:
    """TC1, TC6: an access of test, and its PIN, mean nothing in production, even for the same user."""
    production = open_twin("timeclock", "production")
    made, theirs = grant(twin), grant(production)
    pin = twin.call("POST", "admin/v1/users/17/pin").json()["pin"]

    assert [401, 200] == [profile(production, one) for one in (made, theirs)]
    assert 401 == production.call("POST", "api/sign-in", token=None, json={"pin": pin}).status_code
