"""What a twin answers: a reply, or a refusal in the vendor's error format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.responses import Response

#: For every answer that holds a secret or a token (RFC 6749 §5.1).
NO_STORE: Mapping[str, str] = {"cache-control": "no-store", "pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `body` is JSON unless it is bytes, `None` means no body."""

    status: int
    body: object = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The same answer as Starlette sends it."""
        if self.body is None:
            return Response(status_code=self.status, headers=dict(self.headers))
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body, ensure_ascii=False)
        return Response(content, self.status, dict(self.headers), self.media_type)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field; `pointer` is a JSON Pointer, `detail` never repeats the value."""

    pointer: str
    detail: str


class Refusal(Exception):
    """The vendor says no; whatever the request had begun is rolled back.

    `error` is the code of RFC 6749 §5.2, used where the answer comes from a token endpoint.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        error: str = "invalid_request",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.error = error

    def problem(self) -> Reply:
        """As problem details (RFC 9457)."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.faults:
            body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in self.faults]
        return Reply(self.status, body, "application/problem+json", self.headers)

    def oauth_error(self) -> Reply:
        """As an OAuth error (RFC 6749 §5.2)."""
        body = {"error": self.error, "error_description": self.detail}
        return Reply(self.status, body, headers={**NO_STORE, **self.headers})


def not_found() -> Refusal:
    """There is no such thing in this tenant, or there never was: a vendor does not say which."""
    return Refusal(404, "there is no such thing here")


def unprocessable(*faults: Fault) -> Refusal:
    """The body is well formed but breaks a rule; every broken rule is named at once."""
    return Refusal(422, "; ".join(f"{fault.pointer} {fault.detail}" for fault in faults), faults=faults)
