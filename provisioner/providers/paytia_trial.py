"""Trying a Paytia bundle by the document's own request, which spends nothing of it (PY6, PY8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.core.provider import Outcome, Spec, Verification
from provisioner.core.secret import Secret
from provisioner.providers.route import Route, Safety

if TYPE_CHECKING:
    from provisioner.providers.http import Http

_AUTHORIZE = Route(
    "POST",
    "api/authorize",
    Safety.READ,
    accept=frozenset({401, 403}),
    body=False,  # the document does not say what it answers
    managed=False,
    quotable=False,
)


async def attempt(http: Http, secret: Secret, spec: Spec) -> Verification:
    """The document's own request, and what its status tells without asking anybody else."""
    status = await http.send(
        _AUTHORIZE, lambda status, _: status, json=_client(secret), headers=lambda: _headers(secret)
    )
    if status == 403:
        return _from_elsewhere(spec)
    if status == 401:
        return Verification(
            Outcome.INCONCLUSIVE,
            detail="refused: it is wrong, or its access token is older than an hour (PY5)",
        )
    return Verification(Outcome.WORKS)


def _from_elsewhere(spec: Spec) -> Verification:
    if not spec.fields.get("allow_ips"):
        return Verification(
            Outcome.REJECTED, detail="the key is restricted to addresses, and none are declared (PY2)"
        )
    return Verification(
        Outcome.WORKS, detail="the API key is known; the rest can only be tried from its allow_ips (PY2)"
    )


def _client(secret: Secret) -> Secret:
    return Secret({name: secret.reveal(name) for name in ("client_id", "client_secret")})


def _headers(secret: Secret) -> Secret:
    return Secret({"x-api-key": secret.reveal("api_key"), "access-token": secret.reveal("access_token")})
