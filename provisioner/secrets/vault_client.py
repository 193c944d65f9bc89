"""HTTP to Vault or OpenBao, with a token that is fetched late and never shown.

It speaks through the standard library: httpx has its room in `providers/http.py`, wrapped in the care that
vendors need, and the few idempotent calls made here need none of that.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from msgspec import Struct

from provisioner.core.model import JsonObject
from provisioner.core.project import SecretSource
from provisioner.core.secret import Secret
from provisioner.errors import SecretError, SinkError
from provisioner.secrets.sources import resolve_auth

LIMIT = 1 << 24
"""Bytes of an answer."""

TROUBLE = {
    307: (
        "is a standby that points elsewhere",
        "write the address of the active node as the sink's `endpoint`",
    ),
    403: ("does not allow it", "check the sink's `auth`, and that its policy may read and write the path"),
    429: ("is a standby, or wants fewer requests", "write the address of the active node, or try later"),
    473: ("is a standby", "write the address of the active node as the sink's `endpoint`"),
    503: ("is sealed or under maintenance", "unseal it; the next apply delivers what is missing"),
}
"""What an answer means, and what to do about it. Its own words are not repeated: they could quote a value."""


class Reply(Struct, frozen=True):
    """An answer that the caller decides on: 2xx, 400 or 404."""

    status: int
    body: JsonObject

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status < 300


class VaultServer(Struct, frozen=True):
    """Where a server is, and how we prove who we are. `what` is how errors name it."""

    what: str
    endpoint: str
    auth: Mapping[str, SecretSource]
    """`token`, or `role_id` and `secret_id` of an AppRole."""
    root: Path
    namespace: str = ""
    ca_file: str = ""
    approle: str = "approle"
    """Where the AppRole method is mounted."""
    timeout: float = 15.0
    """Seconds for one request."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.endpoint)
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname or "")):
            raise SinkError(
                f"{self.what}: {self.endpoint} would carry secrets in clear",
                remedy="write an https address; http is for this machine alone",
            )
        if set(self.auth) not in ({"token"}, {"role_id", "secret_id"}):
            raise SinkError(f"{self.what}: `auth` takes `token`, or `role_id` and `secret_id`")


class VaultClient:
    """Calls to one server. Safe to use from several threads at once. All trouble is a SinkError."""

    def __init__(self, server: VaultServer) -> None:
        self._server = server
        self._token: Secret | None = None
        self._lock = threading.Lock()

    def call(self, method: str, path: str, body: JsonObject | None = None) -> Reply:
        """One request below `/v1/`. Raises SinkError for all but 2xx, 400 and 404."""
        token = self._present_token()
        reply = self._send(method, path, body, token)
        if reply.status == HTTPStatus.FORBIDDEN and "role_id" in self._server.auth:
            # A token of an AppRole ends by itself in a long run: log in once more.
            reply = self._send(method, path, body, self._new_token(token))
        return reply if reply.ok or reply.status in (400, 404) else self._raise(reply.status)

    def _present_token(self) -> Secret:
        with self._lock:
            if self._token is None:
                self._token = self._log_in()
            return self._token

    def _new_token(self, spent: Secret) -> Secret:
        with self._lock:
            if self._token is spent:
                self._token = None
        return self._present_token()

    def _log_in(self) -> Secret:
        server = self._server
        try:
            auth = resolve_auth(server.auth, server.root, owner=f"{server.what}: auth")
        except SecretError as error:
            raise SinkError(error.message, remedy=error.remedy) from None
        if "token" in auth:
            return auth
        body = {part: auth.reveal(part) for part in auth}
        reply = self._send("POST", f"auth/{server.approle}/login", body, None)
        if not reply.ok:
            self._raise(403)
        return Secret({"token": str(reply.body["auth"]["client_token"])})

    def _send(self, method: str, path: str, body: JsonObject | None, token: Secret | None) -> Reply:
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        headers = {"X-Vault-Request": "true", "Content-Type": "application/json"}
        if self._server.namespace:
            headers["X-Vault-Namespace"] = self._server.namespace
        if token is not None:
            headers["X-Vault-Token"] = token.reveal("token")
        data = None if body is None else json.dumps(body).encode()
        url = f"{self._server.endpoint.rstrip('/')}/v1/{path}"
        # The scheme was checked: https, or http on this machine.
        request = Request(url, data=data, headers=headers, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=self._server.timeout) as answer:
                return Reply(answer.status, _json(answer.read(LIMIT)))
        except HTTPError as error:
            with error:
                return Reply(error.code, _json(error.read(LIMIT)))
        except URLError as error:
            reason = getattr(error.reason, "strerror", None) or type(error.reason).__name__
        except (OSError, ValueError) as error:
            reason = type(error).__name__
        raise SinkError(
            f"{self._server.what}: {self._server.endpoint} cannot be reached: {reason}",
            remedy="the next apply delivers what is missing",
        )

    @cached_property
    def _opener(self) -> Any:
        import ssl
        from urllib.request import HTTPSHandler, build_opener

        context = ssl.create_default_context(cafile=self._server.ca_file or None)
        return build_opener(_no_redirects(), HTTPSHandler(context=context))

    def _raise(self, status: int) -> NoReturn:
        meaning, remedy = TROUBLE.get(status, (f"answered {status}", "see the server's log"))
        raise SinkError(f"{self._server.what}: {self._server.endpoint} {meaning} ({status})", remedy=remedy)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _no_redirects() -> Any:
    from urllib.request import HTTPRedirectHandler

    class Stay(HTTPRedirectHandler):
        """A redirect would carry the token to whatever host it names."""

        def redirect_request(self, *_: object) -> None:
            return None

    return Stay()


def _json(raw: bytes) -> JsonObject:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
