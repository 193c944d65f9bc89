"""Where an authorization server's endpoints are, as its metadata says (RFC 8414, OpenID Connect Discovery).

The metadata has to name the very issuer that the manifest names (RFC 8414 §3.3): whoever can answer in the
issuer's place must not be handed our initial access token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from provisioner.core.model import JsonValue
from provisioner.core.project import ProviderConfig
from provisioner.errors import OutcomeUnknown, ProviderError, VendorUnreachable
from provisioner.providers.route import Elsewhere, Route, Safety

if TYPE_CHECKING:
    from provisioner.providers.http import Http

_ABSENT = frozenset({400, 401, 403, 404, 405, 410})
"""How servers say that they do not serve this document."""

_METADATA = Route("GET", "(metadata)", Safety.READ, accept=_ABSENT, managed=False)

_NAMES = ("issuer", "registration_endpoint", "token_endpoint")


class Endpoints(Struct, frozen=True):
    """Where to register a client, and where it gets its tokens."""

    registration: str
    token: str


class Discovery:
    """One issuer's endpoints, asked for once."""

    def __init__(self, config: ProviderConfig, http: Http) -> None:
        self._config = config
        self._http = http
        import asyncio  # heavy, and every plan imports this file

        self._turn = asyncio.Lock()
        self._found: Endpoints | None = None

    async def endpoints(self) -> Endpoints:
        """Ask, or remember. Raises ProviderError, never OutcomeUnknown: asking changes nothing anywhere."""
        async with self._turn:
            if self._found is None:
                self._found = self._checked(await self._metadata())
            return self._found

    async def _metadata(self) -> Mapping[str, JsonValue]:
        try:
            for url in places(self._config.endpoint):
                found = await self._http.send(_METADATA, _read, at=Elsewhere(url))
                if found is not None:
                    return found
        except OutcomeUnknown as error:
            why, remedy = error.why, error.remedy
        else:
            raise self._error("has no metadata of an authorization server (RFC 8414)")
        raise VendorUnreachable(why, where=self._config.where, remedy=remedy)

    def _checked(self, found: Mapping[str, JsonValue]) -> Endpoints:
        if found["issuer"] != self._config.endpoint:
            raise self._error("tells the metadata of another issuer (RFC 8414 §3.3)")
        for name in _NAMES[1:]:
            if not is_url(found[name]):
                raise self._error(f"tells no {name} in its metadata")
        return Endpoints(found["registration_endpoint"], found["token_endpoint"])

    def _error(self, what: str) -> ProviderError:
        return ProviderError(
            f"{self._config.endpoint} {what}",
            where=self._config.where,
            remedy="write the issuer as `endpoint`, letter for letter as the server names itself",
        )


def places(issuer: str) -> tuple[str, str]:
    """Where the metadata may be: RFC 8414 §3.1, and OpenID Connect Discovery §4 for older servers."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{origin}{path}/.well-known/openid-configuration",
    )


def is_url(value: JsonValue) -> bool:
    """Whether this is an absolute URL that a request can be made to."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _read(status: int, body: JsonValue) -> Mapping[str, JsonValue] | None:
    if status in _ABSENT:
        return None
    return {name: body.get(name) for name in _NAMES}
