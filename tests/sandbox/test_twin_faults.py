"""Faults: what a twin does wrong when it is told to, and that it is well again afterwards."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from provisioner.sandbox import faults
from provisioner.sandbox.world import Sandbox

KEYS = "developer/v1/keys"
NEW = {"label": "a", "scopes": ["rpp:merchant"]}


def ask(sandbox: Sandbox, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
    """One request to PayNet's test tenant with its management token, over ASGI as a provider does it."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(sandbox.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox/paynet/test/") as client:
            token = sandbox.token("paynet", "test")
            return await client.request(method, path, json=body, headers={"authorization": f"Bearer {token}"})

    return asyncio.run(send())


def arm(sandbox: Sandbox, kind: str, **given: Any) -> None:
    sandbox.fault("paynet", "test", kind, **given)


def listed(sandbox: Sandbox) -> list[str]:
    return [item["id"] for item in ask(sandbox, "GET", KEYS).json()["items"]]


def made(sandbox: Sandbox) -> int:
    return len(sandbox.ledger("paynet", "test"))


ANSWERS = {
    "busy": (429, 0),
    "error-before": (500, 0),
    "error-after": (500, 1),
    "empty": (200, 1),
    "swallowed": (200, 0),
}
"""Kind: (status, how many credentials a create made)."""


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_that_is_not_the_vendors(sandbox: Sandbox, kind: str) -> None:
    """A fault answers with its status, and has its effect or has it not; the next request meets none."""
    arm(sandbox, kind)
    answer = ask(sandbox, "POST", KEYS, NEW)
    assert ANSWERS[kind] == (answer.status_code, made(sandbox))
    assert 201 == ask(sandbox, "POST", KEYS, NEW).status_code


@pytest.mark.parametrize(("seconds", "header"), [(None, None), (120.0, "120")])
def test_busy_with_and_without_a_time(sandbox: Sandbox, seconds: float | None, header: str | None) -> None:
    """A busy vendor says when to come back only where it was told to."""
    arm(sandbox, "busy", seconds=seconds)
    assert header == ask(sandbox, "GET", KEYS).headers.get("retry-after")


def test_a_cut_connection(sandbox: Sandbox) -> None:
    """A cut connection gives no whole answer, and what was asked is done."""
    arm(sandbox, "cut")
    with pytest.raises(AssertionError):  # how ASGITransport tells of an application that did not finish
        ask(sandbox, "POST", KEYS, NEW)
    assert 1 == made(sandbox)


def test_a_truncated_body(sandbox: Sandbox) -> None:
    """Half of an answer is no JSON, and what was asked is done."""
    arm(sandbox, "truncated")
    answer = ask(sandbox, "POST", KEYS, NEW)
    assert 1 == made(sandbox)
    assert len(answer.content) == int(answer.headers["content-length"])
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_late_answer(sandbox: Sandbox) -> None:
    """Latency is in seconds of real time, and the answer is then the vendor's."""
    arm(sandbox, "latency", seconds=0.05)
    before = time.monotonic()
    assert 201 == ask(sandbox, "POST", KEYS, NEW).status_code
    assert time.monotonic() - before >= 0.05


def test_a_list_that_lags_behind(sandbox: Sandbox) -> None:
    """A stale list shows what was there, as it was; ids are answered with what is; then it has caught up."""
    first, second = (ask(sandbox, "POST", KEYS, NEW).json()["id"] for _ in range(2))
    arm(sandbox, "stale", seconds=60)
    third = ask(sandbox, "POST", KEYS, NEW).json()["id"]
    ask(sandbox, "DELETE", f"{KEYS}/{first}")
    ask(sandbox, "PATCH", f"{KEYS}/{second}", {"label": "b"})
    assert [first, second] == listed(sandbox) == listed(sandbox)
    assert {"a"} == {item["label"] for item in ask(sandbox, "GET", KEYS).json()["items"]}
    statuses = [ask(sandbox, "GET", f"{KEYS}/{one}").status_code for one in (first, second, third)]
    assert [404, 200, 200] == statuses
    sandbox.advance(60)
    assert [second, third] == listed(sandbox)
    assert [] == sandbox.faults()


WIDEST = ["duitnow:read", "duitnow:transfer", "rpp:acquirer", "rpp:merchant"]


def test_wider_than_asked(sandbox: Sandbox) -> None:
    """What is granted beyond what was asked shows in the answer and afterwards, and on that one alone."""
    before = ask(sandbox, "POST", KEYS, NEW).json()["id"]
    arm(sandbox, "wider")
    wide = ask(sandbox, "POST", KEYS, NEW).json()
    assert WIDEST == wide["scopes"] == ask(sandbox, "GET", f"{KEYS}/{wide['id']}").json()["scopes"]
    assert NEW["scopes"] == ask(sandbox, "GET", f"{KEYS}/{before}").json()["scopes"]


def test_a_fault_meets_its_own_requests_only(sandbox: Sandbox) -> None:
    """A fault of one operation, and of one tenant, leaves the others alone, and ends after its number."""
    arm(sandbox, "busy", operation=f"PATCH {KEYS}/{{id}}", times=2)
    sandbox.fault("paynet", "production", "busy", times=9)
    key = ask(sandbox, "POST", KEYS, NEW).json()["id"]
    statuses = [ask(sandbox, "PATCH", f"{KEYS}/{key}", {"label": "b"}).status_code for _ in range(3)]
    assert [429, 429, 200] == statuses


def test_other_processes_see_them(tmp_path: Path) -> None:
    """Faults lie in the directory: another sandbox over it meets, counts and clears them."""
    with Sandbox(tmp_path) as one, Sandbox(tmp_path) as other:
        arm(one, "busy", times=2)
        assert 429 == ask(other, "GET", KEYS).status_code
        assert [1] == [fault.times for fault in one.faults()]
        other.clear_faults()
        assert 200 == ask(one, "GET", KEYS).status_code


def test_what_cannot_be_armed(sandbox: Sandbox) -> None:
    """An unknown vendor, kind or operation, and what a vendor cannot do, are named at once."""
    with pytest.raises(LookupError):
        sandbox.fault("nobody", "test", "busy")
    for given in ({"operation": "GET nowhere"}, {"times": 0}, {"seconds": -1.0}):
        with pytest.raises(ValueError, match=r".+"):
            arm(sandbox, "busy", **given)
    with pytest.raises(ValueError, match="explosion"):
        arm(sandbox, "explosion")
    with pytest.raises(ValueError, match="grant"):
        sandbox.fault("timeclock", "test", "wider")


def test_data_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    """A directory from before there were faults gets their table, and keeps what it holds."""
    with Sandbox(tmp_path) as sandbox:
        token = sandbox.token("paynet", "test")
        with sandbox._database.transaction() as connection:
            connection.execute("DROP TABLE faults")
            connection.execute("PRAGMA user_version=1")
    with Sandbox(tmp_path) as sandbox:
        arm(sandbox, "busy")
        assert token == sandbox.token("paynet", "test")


def test_every_kind_says_what_it_does() -> None:
    """The table has every kind, with what it does and what comes of it."""
    assert set(faults.Kind) == set(faults.KINDS)
    assert all(row.what and row.outcome for row in faults.KINDS.values())
