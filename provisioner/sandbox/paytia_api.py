"""What Paytia's callers do with a key: pre-authorize, refresh, and read data (PY2, PY5, PY6, PY7)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from starlette.requests import Request

from provisioner.sandbox.dispatch import Call, Operation
from provisioner.sandbox.networks import admits
from provisioner.sandbox.replies import NO_STORE, Refusal, Reply
from provisioner.sandbox.strict import Field, Text
from provisioner.sandbox.tenancy import Credential, Grant, Tenancy, digest

#: What a token of a key is for. Pre-authorization (PY6) lasts as long as the access token that it came with.
KEY, ACCESS, PREAUTHORIZED, REFRESH = "api-key", "access", "access pre-authorized", "refresh"

ACCESS_SECONDS = 3600  # PY5

CLIENT = {"client_id": Field(Text(), required=True), "client_secret": Field(Text(), required=True)}
REFRESHMENT = {**CLIENT, "refresh_token": Field(Text(), required=True)}

#: The document's curl sends its JSON with `--data-raw` and no content type: curl then declares a form (PY6).
AS_CURL_SENDS_IT = ("application/json", "application/x-www-form-urlencoded")

#: id: (amount, status)
_TRANSACTIONS: Mapping[str, tuple[str, str]] = {
    "T-1001": ("12.50", "approved"),
    "T-1002": ("80.00", "declined"),
}


def seed(data: Tenancy) -> None:
    """The transactions that a new tenant starts with."""
    for name, (amount, status) in _TRANSACTIONS.items():
        data.put("transaction", name, {"id": name, "amount": amount, "currency": "GBP", "status": status})


def issue_pair(data: Tenancy, key: Credential) -> dict[str, object]:
    """A new access token and a new refresh token of this key, as an answer shows them."""
    return {
        "access_token": data.issue(key, ACCESS, ACCESS_SECONDS),
        "expires_in": ACCESS_SECONDS,
        "refresh_token": data.issue(key, REFRESH, float("inf")),
    }


def _by_key(data: Tenancy, request: Request) -> Grant:
    """The grant of `X-API-KEY`, if the call comes from where the key may be used (PY2)."""
    grant = data.grant(request.headers.get("x-api-key", ""))
    if grant is None or KEY not in grant.scopes:
        raise _unauthorized(data, "X-API-KEY is missing, or unknown here")
    allowed = grant.credential.fields["allow_ips"]
    caller = request.client.host if request.client else ""
    if isinstance(allowed, list) and not admits(allowed, caller):
        raise Refusal(403, "this API key may not be used from this address")
    return grant


def _by_key_and_token(data: Tenancy, request: Request) -> Grant:
    """The grant of `ACCESS-TOKEN`, if it belongs to the key of `X-API-KEY` (PY6)."""
    key = _by_key(data, request)
    grant = data.grant(request.headers.get("access-token", ""))
    if grant is None or ACCESS not in grant.scopes or grant.credential.id != key.credential.id:
        raise _unauthorized(data, "ACCESS-TOKEN is missing, not of this API key, or has expired")
    return grant


def _unauthorized(data: Tenancy, detail: str) -> Refusal:
    challenge = {"www-authenticate": f'ApiKey realm="{data.vendor}/{data.tenant}"'}
    return Refusal(401, detail, headers=challenge)


def _require_client(call: Call) -> Credential:
    """The key of this call, if client id and secret are its own."""
    key = call.bearer.credential
    right = (key.client_id, key.secret)
    given = (str(call.body["client_id"]), digest(str(call.body["client_secret"])))
    if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(right, given, strict=True)):
        raise _unauthorized(call.data, "client_id or client_secret is not the one of this API key")
    return key


def _authorize(call: Call) -> Reply:
    _require_client(call)
    call.data.rescope(call.bearer, PREAUTHORIZED)
    return Reply(200, {"authorized": True})


def _refresh(call: Call) -> Reply:
    key = _require_client(call)
    grant = call.data.grant(str(call.body["refresh_token"]))
    if grant is None or REFRESH not in grant.scopes or grant.credential.id != key.id:
        raise _unauthorized(call.data, "refresh_token is unknown here, not of this API key, or spent")
    call.data.spend(grant)
    return Reply(200, issue_pair(call.data, key), headers=NO_STORE)


def _transactions(call: Call) -> Reply:
    key = call.bearer.credential
    if key.fields["enhance_security"] and not call.data.has_token(key, PREAUTHORIZED):
        raise Refusal(403, "Enhance Security is on: pre-authorize this API key by POST api/authorize")
    return Reply(200, call.data.all_stored("transaction"))


OPERATIONS = (
    Operation(
        "POST",
        "api/authorize",
        _authorize,
        _by_key_and_token,
        CLIENT,
        media_types=AS_CURL_SENDS_IT,
        signs_in=True,
    ),
    Operation("POST", "api/tokens/refresh", _refresh, _by_key, REFRESHMENT),
    Operation("GET", "api/v1/transactions", _transactions, _by_key),
)
