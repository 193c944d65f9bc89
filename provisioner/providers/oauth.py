"""Trying a client id and secret at a token endpoint, as their consumer would (RFC 6749 §4.4)."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from msgspec import Struct

from provisioner.core.model import JsonValue
from provisioner.core.secret import Secret
from provisioner.errors import VendorRejected
from provisioner.providers.answers import text
from provisioner.providers.route import Elsewhere, Route, Safety

if TYPE_CHECKING:
    from provisioner.providers.http import Http

CLIENT = ("client_id", "client_secret")
"""The parts of the secret that a client of the token endpoint holds."""

ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)
"""The codes of RFC 6749 §5.2. Nothing else of a refusal is read: it could repeat the secret it was sent."""


class Grant(Struct, frozen=True):
    """What the token endpoint said. The token itself is dropped where it is read."""

    status: int
    error: str = ""
    scopes: frozenset[str] | None = None


def token_route(path: str) -> Route:
    """A token endpoint. A token more does no harm, so asking is repeatable; each side holds a secret."""
    refusals = frozenset({400, 401, 403})
    return Route("POST", path, Safety.READ, accept=refusals, managed=False, quotable=False)


async def ask_for_token(http: Http, route: Route, secret: Secret) -> Grant:
    """Get an access token by client credentials, and tell only what was granted or refused."""
    return await http.send(route, _grant, form=_form(secret))


async def ask_token_endpoint(
    http: Http, route: Route, secret: Secret, *, url: str, basic: bool, scope: str
) -> Grant:
    """The same at a URL that the vendor told; the client authenticates by HTTP Basic or in the form.

    Only some servers grant anything to who names no scope, and only some take an empty one (RFC 6749 §3.3).
    """
    form = _form(secret, in_form=not basic, scope=scope)
    return await http.send(route, _grant, form=form, at=Elsewhere(url, _basic(secret) if basic else None))


def unexpected(vendor: str, grant: Grant) -> VendorRejected:
    """The error for a refusal that says nothing about the secret, such as a broken request of ours."""
    said = grant.error or "no code of RFC 6749"
    return VendorRejected(
        f"{vendor}: the token endpoint refused ({grant.status}): {said}", status=grant.status
    )


def compared(granted: frozenset[str] | None, asked: frozenset[str]) -> str:
    """In words, how what was granted differs from what was asked; empty where it does not."""
    if granted is None:
        return "the vendor does not say which scopes it granted"
    more, less = sorted(granted - asked), sorted(asked - granted)
    return "; ".join(
        [f"granted beyond what was asked: {', '.join(more)}"] * bool(more)
        + [f"asked but not granted: {', '.join(less)}"] * bool(less)
    )


def _form(secret: Secret, *, in_form: bool = True, scope: str = "") -> Secret:
    # Made apart, so that no frame of a failing call holds a part in clear.
    parts = {part: secret.reveal(part) for part in CLIENT} if in_form else {}
    wanted = {"scope": scope} if scope else {}
    return Secret({"grant_type": "client_credentials", **parts, **wanted})


def _basic(secret: Secret) -> Secret:
    """Each part form-encoded, then the pair in Base64 (RFC 6749 §2.3.1)."""
    pair = ":".join(quote_plus(secret.reveal(part), safe="") for part in CLIENT)
    return Secret({"authorization": f"Basic {b64encode(pair.encode()).decode('ascii')}"})


def _grant(status: int, body: JsonValue) -> Grant:
    if not 200 <= status < 300:
        error = body.get("error") if isinstance(body, dict) else None
        return Grant(status, error if isinstance(error, str) and error in ERRORS else "")
    text(body, "access_token")  # an answer without one grants nothing
    return Grant(status, scopes=frozenset(text(body, "scope").split()) if body.get("scope") else None)
