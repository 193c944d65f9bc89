"""Vendor faults: what a twin is told to do wrong, for a number of requests or for a while.

A fault lies in the sandbox's database, so every process that shares the directory sees it, and a request
takes the oldest one that fits it. `KINDS` says what each does and what an apply makes of it; the twins'
own code knows nothing of them: all of them act in `dispatch.Door`.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from provisioner.sandbox.replies import Refusal, Reply
from provisioner.sandbox.tenancy import Tenancy


class Kind(StrEnum):
    """What can go wrong."""

    LATENCY = "latency"
    BUSY = "busy"
    ERROR_BEFORE = "error-before"
    ERROR_AFTER = "error-after"
    CUT = "cut"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    SWALLOWED = "swallowed"
    STALE = "stale"
    WIDER = "wider"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a kind does, and what comes of it; `seconds` is its default, None where it needs none."""

    what: str
    outcome: str
    seconds: float | None = None


KINDS: Mapping[Kind, Behaviour] = {
    Kind.LATENCY: Behaviour(
        "does what was asked, and answers SECONDS after it was asked",
        "nothing, while it answers within the provider's timeout; after it, as `cut`",
        1.0,
    ),
    Kind.BUSY: Behaviour(
        "answers 429, with Retry-After where SECONDS are given, and does nothing",
        "sent again, where the wait is short; else reported with when to try again, and nothing is lost",
    ),
    Kind.ERROR_BEFORE: Behaviour(
        "answers 500 and does nothing",
        "what is repeatable is sent again; a create is looked for, not found, and sent again with its tag",
    ),
    Kind.ERROR_AFTER: Behaviour(
        "does what was asked, and answers 500",
        "what is repeatable is sent again; a create is found by its tag, and read or taken anew",
    ),
    Kind.CUT: Behaviour("does what was asked, and cuts the connection", "as `error-after`"),
    Kind.TRUNCATED: Behaviour("does what was asked, and sends half of its answer", "as `error-after`"),
    Kind.EMPTY: Behaviour(
        "does what was asked, and answers 200 without a body",
        "fine where an answer tells nothing; else as `error-after`",
    ),
    Kind.SWALLOWED: Behaviour(
        "answers 200 without a body, and does nothing",
        "a create or renewal as `error-before`; a revoke is found to live on, reported, and sent again by "
        "the next apply; an update shows as drift in the next plan",
    ),
    Kind.STALE: Behaviour(
        "for SECONDS of the sandbox's clock, lists what was there when the fault began",
        "what a list does not show is asked for by its id before it counts as gone; a second copy that a "
        "late list brings to light is retired by the next apply",
        60.0,
    ),
    Kind.WIDER: Behaviour(
        "grants more than was asked",
        "a new credential is ended before it is delivered, the old one stays, and the apply fails",
    ),
}
"""Every kind."""

WIDER: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "payspace": ("api/v1/credentials", {"scope": "full-access"}),
    "paynet": (
        "developer/v1/keys",
        {"scopes": ["duitnow:read", "duitnow:transfer", "rpp:acquirer", "rpp:merchant"]},
    ),
    "fpay": ("authAccess", {"permission": "FullAccess"}),
}
"""Where a vendor grants something, and the most that it can grant."""

_ACTS_NOT = frozenset({Kind.BUSY, Kind.ERROR_BEFORE, Kind.SWALLOWED})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that waits for its requests."""

    vendor: str
    tenant: str
    kind: Kind
    operation: str
    """`METHOD`, or `METHOD path/{id}` as the contract writes it; empty for all that it can act on."""
    seconds: float | None
    times: int
    """How many more requests it meets; a stale list does not count them."""
    until: datetime | None = None
    """When a stale list has caught up, by the sandbox's clock."""
    past: str = ""
    """The credentials that a stale list shows, as JSON."""

    def fits(self, method: str, path: str) -> bool:
        """Whether it acts on a request of this operation."""
        if self.operation and self.operation not in (method, f"{method} {path}"):
            return False
        if self.kind is Kind.STALE:
            return method == "GET" and "{" not in path
        if self.kind is Kind.WIDER:
            return method in ("POST", "PUT", "PATCH") and path.startswith(WIDER[self.vendor][0])
        return True


def instead(fault: Fault | None) -> Reply | None:
    """What is answered instead of doing what was asked; None where that is done."""
    if fault is None or fault.kind not in _ACTS_NOT:
        return None
    if fault.kind is Kind.SWALLOWED:
        return Reply(200)
    if fault.kind is Kind.ERROR_BEFORE:
        return Refusal(500, "the vendor stumbled").problem()
    headers = {} if fault.seconds is None else {"retry-after": f"{fault.seconds:.0f}"}
    return Refusal(429, "too many requests", headers=headers).problem()


def around(fault: Fault | None, data: Tenancy, remote_id: str, act: Callable[[], Reply]) -> Reply:
    """Do what was asked, on what the vendor believes; within the request's transaction."""
    if fault is not None and fault.kind is Kind.STALE:
        return _in_the_past(fault, data, act)
    if fault is not None and fault.kind is Kind.WIDER:
        return _widened(fault, data, remote_id, act)
    return act()


def answer(fault: Fault | None, response: Response, asked_at: float) -> ASGIApp:
    """How the answer leaves, once what was asked is done; `asked_at` is by the event loop's clock."""
    if fault is None or fault.kind not in _ANSWERS:
        return response
    return _ANSWERS[fault.kind](fault, response, asked_at)


def _late(fault: Fault, response: Response, asked_at: float) -> ASGIApp:
    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        spent = asyncio.get_running_loop().time() - asked_at
        await asyncio.sleep(max(0.0, (fault.seconds or 0.0) - spent))
        await response(scope, receive, send)

    return wait


def _stumbled(fault: Fault, response: Response, asked_at: float) -> ASGIApp:
    return Refusal(500, "the vendor stumbled").problem().response()


def _cut(fault: Fault, response: Response, asked_at: float) -> ASGIApp:
    async def begin(scope: Scope, receive: Receive, send: Send) -> None:
        # An application that returns before its answer is whole has its connection closed by the server, and
        # is a failing transport in process.
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    return begin


def _half(fault: Fault, response: Response, asked_at: float) -> ASGIApp:
    response.body = bytes(response.body)[: len(response.body) // 2]
    if "content-length" in response.headers:
        response.headers["content-length"] = str(len(response.body))
    return response


def _nothing(fault: Fault, response: Response, asked_at: float) -> ASGIApp:
    return Response(status_code=200)


_ANSWERS: Mapping[Kind, Callable[[Fault, Response, float], ASGIApp]] = {
    Kind.LATENCY: _late,
    Kind.ERROR_AFTER: _stumbled,
    Kind.CUT: _cut,
    Kind.TRUNCATED: _half,
    Kind.EMPTY: _nothing,
}


def _in_the_past(fault: Fault, data: Tenancy, act: Callable[[], Reply]) -> Reply:
    """Answer from the credentials of then; the vendor's own are back before the transaction ends."""
    connection = data.connection
    connection.execute("SAVEPOINT present")
    try:
        connection.execute(
            "DELETE FROM credentials WHERE vendor = ? AND tenant = ?", (data.vendor, data.tenant)
        )
        for row in json.loads(fault.past):
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO credentials VALUES ({marks})", row)  # noqa: S608 - marks only
        return act()
    finally:
        connection.execute("ROLLBACK TO present")
        connection.execute("RELEASE present")


def _widened(fault: Fault, data: Tenancy, remote_id: str, act: Callable[[], Reply]) -> Reply:
    newest = max((row["seq"] for row in credentials(data)), default=0)
    reply = act()
    _, most = WIDER[fault.vendor]
    for row in credentials(data):
        if row["seq"] > newest or remote_id in (row["id"], row["client_id"]):
            fields = json.dumps({**json.loads(row["fields"]), **most})
            data.connection.execute("UPDATE credentials SET fields = ? WHERE seq = ?", (fields, row["seq"]))
    if not isinstance(reply.body, Mapping):
        return reply
    shown = {**reply.body, **{name: value for name, value in most.items() if name in reply.body}}
    return Reply(reply.status, shown, reply.media_type, reply.headers)


def credentials(data: Tenancy) -> list[sqlite3.Row]:
    """The tenant's whole rows, oldest first, the ended ones among them."""
    query = "SELECT * FROM credentials WHERE vendor = ? AND tenant = ? ORDER BY seq"
    return data.connection.execute(query, (data.vendor, data.tenant)).fetchall()
