"""Where a request goes: the parts of its URL that a connection and a request line need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct

PORTS = {"http": 80, "https": 443}

HERE = frozenset({"localhost", "127.0.0.1", "::1"})
"""This machine."""

_IN_A_PATH = "/%:@!$&'()*+,;=~-._"
_IN_A_QUERY = _IN_A_PATH + "?"


class Url(Struct, frozen=True):
    """A URL, taken apart."""

    scheme: str
    host: str
    """In ASCII, as DNS knows it; an IPv6 address without brackets."""
    port: int
    target: str
    """Path and query, with nothing in them that could end a line."""

    @property
    def authority(self) -> str:
        """What a Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


@lru_cache(maxsize=256)
def url_of(text: str, query: Sequence[tuple[str, str | int]] = ()) -> Url:
    """A URL may come from a vendor, as in its metadata. Raises ValueError for one that nobody can ask."""
    parts = urlsplit(text)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("no http or https URL")
    host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    port = PORTS[parts.scheme] if parts.port is None else parts.port
    asked = "&".join(part for part in (quote(parts.query, safe=_IN_A_QUERY), urlencode(query)) if part)
    path = quote(parts.path, safe=_IN_A_PATH) or "/"
    return Url(parts.scheme, host, port, f"{path}?{asked}" if asked else path)
