"""Connections for httpcore, straight on asyncio's transports.

httpcore's own go by anyio, whose cancel scopes and checkpoints at each read and write take as long as the
rest of a call. How long a whole call may take is watched by who makes it (`http.py`), so only connecting has
a limit here. Imports httpcore: import it where it is needed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore


class Backend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Stream:
        """A connection, from `local_address` if given. Raises ConnectTimeout or ConnectError."""
        local = (local_address, 0) if local_address else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, stream = await loop.create_connection(
                    Stream, host, port, local_addr=local, happy_eyeballs_delay=0.25
                )
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from None
        return stream


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection: what arrives is kept until it is read."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._leaving = bytearray()
        self._arrived = bytearray()
        self._over = False
        self._failed = False
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is one for every TCP connection
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        self._arrived += data
        if len(self._arrived) > MOST:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Called by the loop; the transport then closes itself."""
        self._over = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the loop."""
        self._over = True
        self._failed = error is not None
        self._wake()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as above
        """What arrived, at least a byte; nothing once the other side ended. Raises ReadError."""
        self._send()
        while not self._arrived and not self._over:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        if self._failed and not self._arrived:
            raise httpcore.ReadError("the connection broke")
        data = bytes(self._arrived[:max_bytes])
        del self._arrived[:max_bytes]
        if not self._over and not self._transport.is_reading():
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        """Send, once an answer is waited for or much is to be sent: a head and its body leave as one.

        Our bodies are small, so that nobody waits for them to leave. Raises WriteError.
        """
        if self._transport.is_closing():
            raise httpcore.WriteError("the connection is closed")
        self._leaving += buffer
        if len(self._leaving) > TOGETHER:
            self._send()

    def _send(self) -> None:
        if self._leaving:
            self._transport.write(bytes(self._leaving))
            self._leaving.clear()

    async def aclose(self) -> None:
        """Close, without waiting for the other side."""
        self._transport.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> Stream:
        """The same connection, encrypted. Raises ConnectTimeout or ConnectError."""
        self._send()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                encrypted = await loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError:
            self._transport.abort()
            raise httpcore.ConnectTimeout from None
        except OSError as error:  # what TLS finds wrong is one as well
            self._transport.abort()
            raise httpcore.ConnectError(str(error)) from None
        assert encrypted is not None  # noqa: S101 - it is None only where the transport was closed by us
        self._transport = encrypted
        return self

    def get_extra_info(self, info: str) -> Any:
        """`is_readable` tells an idle connection that the other side ended, or spoke on unasked."""
        if info == "is_readable":
            return bool(self._arrived) or self._over or self._transport.is_closing()
        return self._transport.get_extra_info(info)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


MOST = 1 << 20
"""Bytes that arrive ahead of being read, before the other side has to wait."""

TOGETHER = 1 << 16
"""Bytes that are kept back at most."""
