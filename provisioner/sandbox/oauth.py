"""The token endpoint that several twins have: OAuth 2.0 client credentials (RFC 6749 §4.4)."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence

from provisioner.sandbox.dispatch import Access, Call, Operation
from provisioner.sandbox.replies import NO_STORE, Refusal, Reply
from provisioner.sandbox.tenancy import Credential


def token_endpoint(
    path: str,
    *,
    seconds: int,
    scopes: Callable[[Credential], Sequence[str]],
    kept_as: Callable[[str], str],
    gate: Callable[[Credential], None] = lambda credential: None,
) -> Operation:
    """An operation that issues access tokens for `seconds`.

    `kept_as` turns a secret into what the vendor keeps of it; `gate` raises `Refusal` for a known client that
    may not have a token yet.
    """

    def handler(call: Call) -> Reply:
        _require_grant_type(call)
        credential = _authenticate(call, kept_as)
        gate(credential)
        scope = " ".join(_granted(call, scopes(credential)))
        body = {
            "access_token": call.data.issue(credential, scope, seconds),
            "token_type": "bearer",
            "scope": scope,
            "expires_in": seconds,
        }
        return Reply(200, body, headers=NO_STORE)

    return Operation("POST", path, handler, Access.CLIENT)


def _require_grant_type(call: Call) -> None:
    if "grant_type" not in call.body:
        raise Refusal(400, "grant_type is required")
    if call.body["grant_type"] != "client_credentials":
        raise Refusal(400, "only client_credentials is supported", error="unsupported_grant_type")


def _authenticate(call: Call, kept_as: Callable[[str], str]) -> Credential:
    client_id, secret = (str(call.body.get(name, "")) for name in ("client_id", "client_secret"))
    credential = call.data.by_client_id(client_id)
    if credential and hmac.compare_digest(credential.secret.encode(), kept_as(secret).encode()):
        return credential
    # One answer for an unknown client and a wrong secret, so that ids cannot be probed.
    raise Refusal(401, "client_id or client_secret is wrong, or missing", error="invalid_client")


def _granted(call: Call, has: Sequence[str]) -> Sequence[str]:
    wanted = str(call.body.get("scope", "")).split()
    if not set(wanted) <= set(has):
        raise Refusal(400, "the client does not have that scope", error="invalid_scope")
    return wanted or has
