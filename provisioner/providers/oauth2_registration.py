"""What a server answers about a client (RFC 7591 §3.2.1), taken apart where it is read: secrets and the rest.

The secrets come out whatever the rest looks like: by this very answer the ones before may be dead (RFC 7592
§2.1), so no oddity in the metadata may lose them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from provisioner.core.model import JsonObject, JsonValue
from provisioner.core.provider import Issued
from provisioner.core.secret import Secret
from provisioner.providers.answers import text
from provisioner.providers.oauth2_metadata import BINDING

SECRET, TOKEN, URI = "client_secret", "registration_access_token", "registration_client_uri"

_EXPIRES = "client_secret_expires_at"
_REGISTERED = "registered"
"""The part that tells, as JSON, what the server registered of `BINDING`: proofs need no read for it, and so
replace no token."""

_APART = frozenset({SECRET, TOKEN, URI})
_END_OF_TIME = 253402300800
"""Seconds: the year 10000, which is no moment any more."""


class Registration(Struct, frozen=True):
    """One answer: the parts of the secret that it brought, and the metadata without them."""

    client_id: str
    secret: Secret
    metadata: JsonObject

    def over(self, before: Secret) -> Secret:
        """The secret as it is now: what the answer does not bring stays as it was."""
        return Secret({part: s.reveal(part) for s in (before, self.secret) for part in s})

    def issued(self) -> Issued:
        """The answer as the engine captures it."""
        return issued(self.client_id, self.secret)


def issued(client_id: str, secret: Secret) -> Issued:
    """The secret of a client, with the moment at which it expires."""
    return Issued(client_id, secret, expires_at(secret))


def expires_at(secret: Secret) -> datetime | None:
    """When the client secret ends by itself; None for never, which servers write as 0 (§3.2.1)."""
    seconds = int(secret.reveal(_EXPIRES)) if _EXPIRES in secret else 0
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _END_OF_TIME else None


def registered(secret: Secret) -> JsonObject | None:
    """What the server registered of `BINDING`; None for a secret that does not tell."""
    found: JsonObject | None = json.loads(secret.reveal(_REGISTERED)) if _REGISTERED in secret else None
    return found


def reader(
    client_id: str | None = None, absent: frozenset[int] = frozenset()
) -> Callable[[int, JsonValue], Registration | None]:
    """Reads an answer about this client, or about a new one; None for a status in `absent`."""

    def read(status: int, body: JsonValue) -> Registration | None:
        if status in absent:
            return None
        found = text(body, "client_id")
        if client_id not in {None, found}:
            raise ValueError("client_id")
        metadata = {name: value for name, value in body.items() if name not in _APART}
        return Registration(found, Secret(_parts(found, body, metadata)), metadata)

    return read


def _parts(client_id: str, body: Mapping[str, JsonValue], metadata: JsonObject) -> dict[str, str]:
    parts = {name: body[name] for name in (SECRET, TOKEN, URI) if _usable(body.get(name))}
    expires = body.get(_EXPIRES)
    if isinstance(expires, int):
        parts[_EXPIRES] = str(int(expires))
    binding = {name: metadata[name] for name in BINDING if name in metadata}
    return {"client_id": client_id, **parts, _REGISTERED: json.dumps(binding, sort_keys=True)}


def _usable(value: JsonValue) -> bool:
    """All three are printable ASCII (RFC 6749 §A.2, RFC 6750 §2.1); what no request can carry is no use."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()
