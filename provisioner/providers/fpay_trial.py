"""Trying an FPay AuthAccess: it gets itself by its token, with its own secret key (FP4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.core.model import JsonValue
from provisioner.core.provider import Outcome, Spec, Verification
from provisioner.core.secret import Secret
from provisioner.providers.answers import text
from provisioner.providers.oauth import compared
from provisioner.providers.route import Route, Safety

if TYPE_CHECKING:
    from provisioner.providers.http import Http

PARTS = ("token", "secret_key")

_READ = Route(
    "GET",
    "authAccess/{id}",
    Safety.READ,
    accept=frozenset({401, 403}),
    managed=False,
    quotable=False,
)

_CANNOT_READ = frozenset({"MoneyInOnly"})
"""The permissions that read nothing, not even themselves (FP2)."""


async def attempt(http: Http, secret: Secret, spec: Spec) -> Verification:
    """Whether token and secret key are accepted, and with which permission.

    One that may read nothing is answered 403 once its key was recognised: that shows that it works, and
    that it is no wider than asked.
    """
    asked = frozenset(spec.fields.get("scopes", ()))
    status, granted = await http.send(
        _READ, _permission, id=secret.reveal("token"), headers=lambda: _bearer(secret)
    )
    if status == 403 and asked <= _CANNOT_READ:
        return Verification(Outcome.WORKS, detail="it may read nothing, so FPay does not tell its permission")
    if granted is None:
        return Verification(Outcome.REJECTED, detail=f"refused ({status})")
    return Verification(Outcome.WORKS, frozenset({granted}), compared(frozenset({granted}), asked))


def permission(body: JsonValue) -> str:
    """The permission of an AuthAccess as answers show it: `{_type: Simple, name}`."""
    return text(body["permission"], "name")


def _bearer(secret: Secret) -> Secret:
    return Secret({"authorization": f"Bearer {secret.reveal('token')}:{secret.reveal('secret_key')}"})


def _permission(status: int, body: JsonValue) -> tuple[int, str | None]:
    return status, None if status in {401, 403} else permission(body)
