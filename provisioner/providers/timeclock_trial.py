"""Trying a TimeClock key: a signed request for the user's own profile (TC4, TC5, TC7)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from provisioner.core.model import JsonValue
from provisioner.core.provider import Outcome, Spec, Verification
from provisioner.core.secret import Secret
from provisioner.providers.route import Route, Safety

if TYPE_CHECKING:
    from provisioner.providers.http import Http

PARTS = ("identifier", "key")
"""The API identifier, which is its user's id, and the access key (TC1)."""

_PROFILE = Route("GET", "api/profile", Safety.READ, accept=frozenset({401}), managed=False, quotable=False)


async def attempt(http: Http, secret: Secret, spec: Spec) -> Verification:
    """Whether the key signs for the user that the credential is linked to."""
    user = await http.send(_PROFILE, _profile, headers=lambda: _signed(secret, int(http.now().timestamp())))
    if user is None:
        # A wrong key and a wrong clock are told by the same status, and only by other words.
        return Verification(
            Outcome.REJECTED,
            detail="the signature was refused: another key, or a clock here that is over a minute off (TC5)",
        )
    if user != spec.fields.get("user"):
        return Verification(
            Outcome.REJECTED, detail=f"it is the key of user {user}, not of the linked user (TC8)"
        )
    return Verification(Outcome.WORKS)


def _signed(secret: Secret, now: int) -> Secret:
    """`Bearer IDENTIFIER:TIMESTAMP:CHECKSUM`, checksum = SHA-1 of the timestamp followed by the key (TC4)."""
    signed = hashlib.sha1(f"{now}{secret.reveal('key')}".encode())  # noqa: S324 - the document's own (TC4)
    return Secret({"authorization": f"Bearer {secret.reveal('identifier')}:{now}:{signed.hexdigest()}"})


def _profile(status: int, body: JsonValue) -> int | None:
    return None if status == 401 else int(body["id"])
