"""The wire to a vendor: one client for each lane, over the network or, for a twin, in this process.

This is the only file that knows httpx, which speaks to a twin in this process and by a proxy. Straight over
the network it is `line.py`: what httpx adds (a pool, cookies, redirects, its own authentication) is nothing
that a vendor should decide here, and takes longer than the call. Proxies are those of the environment.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Protocol
from urllib.request import getproxies, proxy_bypass

from msgspec import Struct

from provisioner.core.project import ProviderConfig
from provisioner.providers.url import HERE, Url, url_of

if TYPE_CHECKING:
    import ssl

    import httpx

    from provisioner.providers.line import Line

LONGEST_ANSWER = 32 * 1024 * 1024
"""Bytes. A page of 500 credentials takes about one."""
_CONNECT = 10.0
"""Seconds to connect at most; less than the whole, so that "nothing was sent" is known as such."""
_KEEP_ALIVE = 3.0
"""Seconds; shorter than common servers keep an idle connection, so that a create is not cut by its end."""
_LOUD = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy")
"""Loggers that write whole URLs and headers at the most verbose level."""

_OURS = {"accept-encoding": "identity", "user-agent": "provision"}
"""Headers. No coding: a body is read as it comes."""
_UNUSABLE = "its URL, the proxy of the environment, or SSL_CERT_FILE or SSL_CERT_DIR cannot be used"

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""What says how long its body is, even where it has none."""

Query = Mapping[str, str | int] | None


class Answer(Struct, frozen=True):
    """What came back; its body is None where it is longer than any answer of ours."""

    status: int
    retry_after: str | None
    body: bytes | None


class NotSent(Exception):
    """No connection, so nothing was asked; its text says why, and holds no secret.

    Every other failure may have come after the vendor acted.
    """


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
    if app is not None:
        return _in_process(app)
    return _Network(config.timeout, local_address)


class _Network:
    """Straight, or by a proxy where the environment names one."""

    def __init__(self, timeout: float, local_address: str | None) -> None:
        self._connect = min(_CONNECT, timeout / 2)
        self._local_address = local_address
        self._proxies = getproxies()
        self._lines: dict[tuple[str, str, int], Line] = {}
        self._proxied: dict[str, _Httpx] = {}

    async def ask(
        self, method: str, url: str, query: Query, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        from provisioner.providers.stream import NotConnected

        try:
            whole = url_of(url, tuple(query.items()) if query else ())
            way = self._way(whole)
        except Exception:  # noqa: BLE001 - and its text may repeat the login of a proxy
            raise NotSent(_UNUSABLE) from None
        if isinstance(way, _Httpx):
            return await way.ask(method, str(whole), None, {**_OURS, **headers}, content)
        length = [("content-length", str(len(content or b"")))] if content or method in _WITH_BODY else []
        sent = [("host", whole.authority), *_OURS.items(), *length, *headers.items()]
        try:
            status, told, body = await way.ask(method, whole, sent, content or b"", LONGEST_ANSWER)
        except NotConnected as error:
            raise NotSent(str(error)) from None
        later = next((value for name, value in told if name == b"retry-after"), None)
        return Answer(status, None if later is None else later.decode("latin-1"), body)

    def _way(self, url: Url) -> Line | _Httpx:
        if proxy := self._proxy(url):
            if proxy not in self._proxied:
                self._proxied[proxy] = _by_proxy(proxy, self._connect, self._local_address)
            return self._proxied[proxy]
        return self._lines.get((url.scheme, url.host, url.port)) or self._another(url)

    def _another(self, url: Url) -> Line:
        from provisioner.providers.line import Line

        trust = _trust() if url.scheme == "https" else None
        line = Line(trust, within=self._connect, idle=_KEEP_ALIVE, local_address=self._local_address)
        return self._lines.setdefault((url.scheme, url.host, url.port), line)

    def _proxy(self, url: Url) -> str | None:
        found = self._proxies.get(url.scheme) or self._proxies.get("all")
        # What stays on this machine may go in clear, so it is shown to nobody elsewhere.
        if not found or url.host in HERE or proxy_bypass(url.host) or proxy_bypass(f"{url.host}:{url.port}"):
            return None
        return found if "://" in found else f"http://{found}"

    async def close(self) -> None:
        for line in self._lines.values():
            line.close()
        for proxied in self._proxied.values():
            await proxied.close()


class _Httpx:
    """What httpx carries, by its transport alone: its client would keep cookies and send logins of URLs."""

    def __init__(self, transport: httpx.AsyncBaseTransport, connect: float | None = None) -> None:
        for name in _LOUD:
            logging.getLogger(name).disabled = True
        self._transport = transport
        self._extensions = {"timeout": {"connect": connect}}

    async def ask(
        self, method: str, url: str, query: Query, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        import httpx

        request = httpx.Request(
            method, url, params=query, headers=headers, content=content, extensions=self._extensions
        )
        try:
            response = await self._transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError):
            raise NotSent("no connection by the proxy of the environment") from None
        try:
            body = await _whole(response)
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers.get("retry-after"), body)

    async def close(self) -> None:
        await self._transport.aclose()


def _in_process(app: Callable[..., Awaitable[None]]) -> _Httpx:
    import httpx

    # A twin that breaks in the middle is a vendor that breaks: an answer of 500, or a cut one.
    return _Httpx(httpx.ASGITransport(app, raise_app_exceptions=False))


def _by_proxy(proxy: str, connect: float, local_address: str | None) -> _Httpx:
    import httpx

    transport = httpx.AsyncHTTPTransport(
        verify=_trust(),
        proxy=proxy,
        local_address=local_address,
        limits=httpx.Limits(max_connections=1, keepalive_expiry=_KEEP_ALIVE),
    )
    return _Httpx(transport, connect)


@cache
def _trust() -> ssl.SSLContext:
    """Whom TLS trusts: what SSL_CERT_FILE or SSL_CERT_DIR hold, or else certifi's list.

    Reading the certificates takes longer than a call, so all lanes share them.
    """
    import ssl

    import certifi

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    else:
        context = ssl.create_default_context(cafile=certifi.where())
    context.set_alpn_protocols(["http/1.1"])  # the only one that we speak
    return context


async def _whole(response: httpx.Response) -> bytes | None:
    raw = bytearray()
    async for chunk in response.aiter_bytes():
        raw += chunk
        if len(raw) > LONGEST_ANSWER:
            return None
    return bytes(raw)
