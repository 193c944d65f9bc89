"""Trying a client's secret at the token endpoint, as its consumer would: does it work, is it known at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.core.provider import Outcome, Spec, Verification
from provisioner.core.secret import Secret
from provisioner.providers import oauth2_metadata as metadata
from provisioner.providers.oauth import Grant, ask_token_endpoint, compared, token_route, unexpected
from provisioner.providers.oauth2_discovery import Discovery
from provisioner.providers.oauth2_registration import SECRET, registered

if TYPE_CHECKING:
    from provisioner.providers.http import Http

_TOKEN = token_route("(token_endpoint)")

_USELESS = frozenset({"invalid_scope", "unauthorized_client", "unsupported_grant_type"})
"""Refusals of a client that is known, but cannot do what it was asked for (RFC 6749 §5.2)."""


class Trial:
    """The token endpoint of one server. Neither question spends anything, nor needs more than the secret."""

    def __init__(self, discovery: Discovery, http: Http) -> None:
        self._discovery = discovery
        self._http = http

    async def verification(self, secret: Secret, spec: Spec, implied: frozenset[str]) -> Verification:
        """Whether the secret works as asked, and for which scopes the client is registered."""
        if SECRET not in secret:
            return Verification(Outcome.REJECTED, detail="the server issued no client secret")
        otherwise = _otherwise(secret, spec, implied)
        if otherwise:
            return Verification(Outcome.REJECTED, detail="; ".join(otherwise))
        method = spec.fields.get("settings", {}).get("token_endpoint_auth_method", metadata.BASIC)
        scope = " ".join(spec.fields.get("scopes", ()))
        return _judged(await self._ask(secret, method == metadata.BASIC, scope), secret, spec, implied)

    async def is_stranger(self, secret: Secret) -> bool:
        """Whether the token endpoint knows no such client, in whichever way it authenticates."""
        if SECRET not in secret:
            return False  # there is nothing to ask with
        answers = [await self._ask(secret, basic) for basic in (True, False)]
        return all(grant.error == "invalid_client" for grant in answers)

    async def _ask(self, secret: Secret, basic: bool, scope: str = "") -> Grant:
        url = (await self._discovery.endpoints()).token
        return await ask_token_endpoint(self._http, _TOKEN, secret, url=url, basic=basic, scope=scope)


def _otherwise(secret: Secret, spec: Spec, implied: frozenset[str]) -> tuple[str, ...]:
    """What was registered otherwise than asked; of scopes a verification tells in its own way."""
    shown = registered(secret)
    unmet = {} if shown is None else metadata.unmet(spec, shown, implied)
    return tuple(words for name, words in unmet.items() if name != "scope")


def _judged(grant: Grant, secret: Secret, spec: Spec, implied: frozenset[str]) -> Verification:
    if grant.error == "invalid_client":
        return Verification(Outcome.REJECTED, detail=grant.error)
    asked = frozenset(spec.fields.get("scopes", ()))
    given = metadata.scopes_of(registered(secret) or {})
    if "client_credentials" in metadata.grants(spec):
        if grant.error in _USELESS:
            return Verification(Outcome.REJECTED, detail=grant.error)
        if grant.status >= 400:
            raise unexpected("oauth2", grant)
        # A server that grants just what was asked need not say so (RFC 6749 §5.1).
        given |= asked if grant.scopes is None else grant.scopes
    scopes = metadata.without_implied(given, asked, implied)
    return Verification(Outcome.WORKS, scopes, compared(scopes, asked) if asked else "")
