"""The wire to a vendor: one client for each lane, over the network or, for a twin, in this process.

This is the only file that knows httpx; what that sends by, httpcore and h11, `line.py` and `stream.py` know
as well. What httpx adds (cookies, redirects, its own authentication) is nothing that a vendor should decide
here, and costs as much as the call. Proxies are those of the environment, as with httpx.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from msgspec import Struct

from provisioner.core.project import ProviderConfig

if TYPE_CHECKING:
    import ssl

    import httpcore

    from provisioner.providers.line import Header, Headers, Line

LONGEST_ANSWER = 32 * 1024 * 1024
"""Bytes. A page of 500 credentials takes about one."""
_CONNECT = 10.0
"""Seconds to connect at most; less than the whole, so that "nothing was sent" is known as such."""
_KEEP_ALIVE = 3.0
"""Seconds; shorter than common servers keep an idle connection, so that a create is not cut by its end."""
_LOUD = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy")
"""Loggers that write whole URLs and headers at the most verbose level."""

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""What says how long its body is, even where it has none."""

Query = Mapping[str, str | int] | None


class Answer(Struct, frozen=True):
    """What came back; its body is None where it is longer than any answer of ours."""

    status: int
    retry_after: str | None
    body: bytes | None


class NotSent(Exception):
    """No connection, so nothing was asked. Every other failure may have come after the vendor acted."""


class Wire(Protocol):
    """One way to a vendor, for one call at a time."""

    async def ask(
        self, method: str, url: str, query: Query, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        """Send it once. Raises NotSent."""

    async def close(self) -> None:
        """Let go of the connection."""


def open_wire(
    config: ProviderConfig, app: Callable[..., Awaitable[None]] | None, local_address: str | None
) -> Wire:
    """To `app` in this process where there is one, else over the network, from `local_address` if given."""
    for name in _LOUD:
        logging.getLogger(name).disabled = True
    if app is not None:
        return _InProcess(app)
    return _Network(config.timeout, local_address)


class _InProcess:
    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        import httpx

        # A twin that breaks in the middle is a vendor that breaks: an answer of 500, or a cut one.
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False))

    async def ask(
        self, method: str, url: str, query: Query, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        request = self._client.build_request(method, url, params=query, headers=headers, content=content)
        response = await self._client.send(request, stream=True)
        try:
            body = await _whole(response.aiter_bytes())
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers.get("retry-after"), body)

    async def close(self) -> None:
        await self._client.aclose()


class _Network:
    def __init__(self, timeout: float, local_address: str | None) -> None:
        self._connect = min(_CONNECT, timeout / 2)
        self._local_address = local_address
        self._lines: dict[tuple[str, str], Line | _Proxied] = {}

    async def ask(
        self, method: str, url: str, query: Query, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        import httpcore

        try:
            target, host = _target(url, tuple(query.items()) if query else ())
        except ValueError:
            raise NotSent from None
        length = {"content-length": str(len(content or b""))} if method in _WITH_BODY else {}
        # No coding: a body is read as it comes.
        more = {"host": host, "accept-encoding": "identity", "user-agent": "provision", **length}
        sent = [*more.items(), *headers.items()]
        try:
            status, told, body = await self._line(url).ask(
                method, target, sent, content or b"", LONGEST_ANSWER
            )
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, httpcore.ProxyError):
            raise NotSent from None
        later = next((value for name, value in told if name.lower() == b"retry-after"), None)
        return Answer(status, None if later is None else later.decode("latin-1"), body)

    def _line(self, url: str) -> Line | _Proxied:
        parts = urlsplit(url)
        place = (parts.scheme, parts.netloc)
        if place not in self._lines:
            self._lines[place] = self._another(parts.scheme, parts.hostname or "")
        return self._lines[place]

    def _another(self, scheme: str, host: str) -> Line | _Proxied:
        from provisioner.providers.line import Line

        if proxy := _proxy(scheme, host):
            return _Proxied(proxy, self._connect, self._local_address)
        return Line(_trust(), connect=self._connect, idle=_KEEP_ALIVE, local_address=self._local_address)

    async def close(self) -> None:
        for line in self._lines.values():
            await line.aclose()


class _Proxied:
    """By a proxy: httpcore knows how to ask it."""

    def __init__(self, proxy: str, connect: float, local_address: str | None) -> None:
        import httpcore

        from provisioner.providers.stream import Backend

        self._timeouts = {"timeout": {"connect": connect}}
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_trust(),
            proxy=_with_login(proxy),
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=_KEEP_ALIVE,
            local_address=local_address,
            network_backend=Backend(),
        )

    async def ask(
        self, method: str, target: httpcore.URL, headers: Headers, content: bytes, longest: int
    ) -> tuple[int, Sequence[Header], bytes | None]:
        import httpcore

        request = httpcore.Request(
            method, target, headers=list(headers), content=content, extensions=self._timeouts
        )
        response = await self._pool.handle_async_request(request)
        try:
            body = await _whole(response.aiter_stream(), longest)
        finally:
            await response.aclose()
        return response.status, response.headers, body

    async def aclose(self) -> None:
        await self._pool.aclose()


@lru_cache(maxsize=256)
def _target(url: str, query: tuple[tuple[str, str | int], ...]) -> tuple[httpcore.URL, str]:
    """Where to, and its Host header; read as httpx reads it, since a URL may come from a vendor."""
    import httpcore
    import httpx

    try:
        whole = httpx.URL(url, params=dict(query)) if query else httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError("no URL") from error
    target = httpcore.URL(
        scheme=whole.raw_scheme, host=whole.raw_host, port=whole.port, target=whole.raw_path
    )
    return target, whole.netloc.decode("ascii")


def _proxy(scheme: str, host: str) -> str | None:
    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    return None if not found or proxy_bypass(host) else found


def _with_login(proxy: str) -> httpcore.Proxy:
    """The name and password of its URL belong into a header."""
    import httpcore
    import httpx

    url = httpx.URL(proxy if "://" in proxy else f"http://{proxy}")
    login = (url.username, url.password) if url.username else None
    bare = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target="/")
    return httpcore.Proxy(bare, auth=login, ssl_context=_trust() if url.scheme == "https" else None)


@cache
def _trust() -> ssl.SSLContext:
    """Whom TLS trusts. Reading the certificates takes longer than a call, so all lanes share them."""
    import httpx

    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])  # the only one that we speak
    return context


async def _whole(chunks: AsyncIterable[bytes], longest: int = LONGEST_ANSWER) -> bytes | None:
    raw = bytearray()
    async for chunk in chunks:
        raw += chunk
        if len(raw) > longest:
            return None
    return bytes(raw)
