"""The one way in: every request passes `Door`, which reads, admits, checks, acts and answers."""

from __future__ import annotations

import asyncio
import hmac
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from provisioner.sandbox import fault_store, faults
from provisioner.sandbox.database import Database
from provisioner.sandbox.faults import Fault
from provisioner.sandbox.replies import Refusal, Reply, not_found
from provisioner.sandbox.strict import (
    Body,
    Shape,
    check,
    check_query,
    parse_form,
    parse_json,
    read_body,
    require_media_type,
)
from provisioner.sandbox.tenancy import TENANTS, Grant, Tenancy, digest


class Access(Enum):
    """Whose authority an operation needs."""

    MANAGEMENT = "the management token of the tenant"
    BEARER = "an access token from the vendor's token endpoint"
    CLIENT = "client id and secret in a form: the token endpoint itself"
    OPEN = "nobody's: what proves the caller is in the body"


Gate = Callable[[Tenancy, Request], Grant]
"""A vendor's own way to admit a request, by its headers and address. Raises `Refusal` 401 or 403."""


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted and checked request, as a vendor's handler gets it."""

    data: Tenancy
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Body
    grant: Grant | None
    base: str
    """The URL that the sandbox was called at, with a slash at its end."""

    @property
    def bearer(self) -> Grant:
        """The grant of the access token, or other proof, that this call came with."""
        if self.grant is None:
            raise TypeError("this operation does not ask for an access token")
        return self.grant


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of a vendor's table: method, path, who may, what is read, and what it does."""

    method: str
    path: str
    handler: Callable[[Call], Reply]
    access: Access | Gate = Access.MANAGEMENT
    body: Shape | None = None
    query: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ("application/json",)
    signs_in: bool = False
    """Whether it only lets somebody in, as a token endpoint does."""

    @property
    def writes(self) -> bool:
        """Whether it may touch the data at all."""
        return self.method not in ("GET", "HEAD")

    @property
    def counts(self) -> bool:
        """Whether it is a state changing request; letting somebody in is not."""
        return self.writes and self.access is not Access.CLIENT and not self.signs_in


@dataclass(frozen=True, slots=True)
class Vendor:
    """A twin: its name, its operations, and what a new tenant starts with."""

    name: str
    operations: Sequence[Operation]
    seed: Callable[[Tenancy], None] = lambda data: None


@dataclass(frozen=True, slots=True)
class Door:
    """One path of one vendor as an ASGI application.

    A vendor's effect is one transaction, committed before the first byte of the answer leaves: a client that
    was cut off, or a process that was killed, finds either all of it or nothing.
    """

    database: Database
    clock: Callable[[sqlite3.Connection], datetime]
    vendor: str
    operations: Mapping[str, Operation]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked_at = asyncio.get_running_loop().time()
        try:
            reply, fault = await self._reply(Request(scope, receive))
        except ClientDisconnect:
            return
        response = reply.response()
        if scope["method"] == "HEAD":
            response.body = b""  # the headers stay those of GET (RFC 9110 §9.3.2)
        await faults.answer(fault, response, asked_at)(scope, receive, send)

    async def _reply(self, request: Request) -> tuple[Reply, Fault | None]:
        operation = self.operations.get(request.method)
        if operation is None:
            allowed = {"allow": ", ".join(sorted(self.operations))}
            return Refusal(405, "this path has no such method", headers=allowed).problem(), None
        fault = None
        try:
            raw = await read_body(request)
            fault = self._fault(operation, request.path_params["tenant"])
            return faults.instead(fault) or self._act(operation, request, raw, fault), fault
        except Refusal as refusal:
            answer = refusal.oauth_error() if operation.access is Access.CLIENT else refusal.problem()
            return answer, fault
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            busy = Refusal(503, "another process keeps the data busy", headers={"retry-after": "1"})
            return busy.problem(), None

    def _fault(self, operation: Operation, tenant: str) -> Fault | None:
        """What this request is to meet. It counts as met before the vendor does anything."""
        with self.database.transaction(writing=False) as connection:
            if not fault_store.some(connection, self.vendor, tenant):
                return None
        with self.database.transaction() as connection:
            data = Tenancy(connection, self.vendor, tenant, self.clock(connection))
            return fault_store.take(data, operation.method, operation.path)

    def _act(self, operation: Operation, request: Request, raw: bytes, fault: Fault | None) -> Reply:
        tenant = request.path_params["tenant"]
        if tenant not in TENANTS:
            raise not_found()
        with self.database.transaction(writing=operation.writes or fault is not None) as connection:
            data = Tenancy(connection, self.vendor, tenant, self.clock(connection))
            grant = _admit(operation, data, request)
            query = check_query(request, operation.query)
            body = _body(operation, request, raw)
            call = Call(data, request.path_params, query, body, grant, str(request.base_url))
            remote_id = request.path_params.get("id", "")
            reply = faults.around(fault, data, remote_id, lambda: operation.handler(call))
            if operation.counts:
                data.count_write()
            return reply


def _body(operation: Operation, request: Request, raw: bytes) -> Body:
    if operation.access is Access.CLIENT:
        try:
            require_media_type(request, "application/x-www-form-urlencoded")
        except Refusal as refusal:
            raise Refusal(400, refusal.detail) from refusal  # RFC 6749 §5.2 knows 400 and 401 only
        return parse_form(raw)
    if operation.body is None:
        if raw:
            raise Refusal(400, "this request takes no body")
        return {}
    require_media_type(request, *operation.media_types)
    return check(operation.body, parse_json(raw))


def _admit(operation: Operation, data: Tenancy, request: Request) -> Grant | None:
    """The grant behind the request, if its operation asks for one. Raises `Refusal` 401 (RFC 6750 §3)."""
    if not isinstance(operation.access, Access):
        return operation.access(data, request)
    if operation.access in (Access.CLIENT, Access.OPEN):
        return None
    token = bearer_token(data, request)
    if operation.access is Access.BEARER and (grant := data.grant(token)) is not None:
        return grant
    if operation.access is Access.MANAGEMENT and manages(data, token):
        return None
    raise invalid_token(data)


def bearer_token(data: Tenancy, request: Request) -> str:
    """What follows `Authorization: Bearer`. Raises `Refusal` 401 where there is nothing (RFC 6750 §3)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refusal(401, "a bearer token is required", headers={"www-authenticate": _challenge(data)})
    return token


def invalid_token(data: Tenancy) -> Refusal:
    """The one answer for every bearer token that does not work here, so that none can be probed."""
    headers = {"www-authenticate": f'{_challenge(data)}, error="invalid_token"'}
    return Refusal(401, "the bearer token is unknown here, or has expired", headers=headers)


def _challenge(data: Tenancy) -> str:
    return f'Bearer realm="{data.vendor}/{data.tenant}"'


def manages(data: Tenancy, token: str) -> bool:
    """Whether this is the management token of the tenant."""
    row = data.connection.execute(
        "SELECT token FROM tenants WHERE vendor = ? AND tenant = ?", (data.vendor, data.tenant)
    ).fetchone()
    return hmac.compare_digest(digest(row["token"]), digest(token))
