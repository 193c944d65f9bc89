"""One connection on asyncio's own transport: what arrives is kept until it is read.

How long a whole call may take is watched by who makes it (`http.py`), so only connecting has a limit here.
"""

from __future__ import annotations

import asyncio
import ssl

MOST = 1 << 20
"""Bytes that arrive ahead of being read, before the other side has to wait."""


class NotConnected(Exception):
    """There is no connection, so nothing was sent."""


async def connect(host: str, port: int, *, within: float | None, local_address: str | None) -> Stream:
    """A connection, from `local_address` if given; `within` in seconds. Raises NotConnected."""
    local = (local_address, 0) if local_address else None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within):
            _, stream = await loop.create_connection(
                Stream, host, port, local_addr=local, happy_eyeballs_delay=0.25
            )
    except OSError as error:  # a TimeoutError is one as well
        raise NotConnected(str(error)) from None
    return stream


class Stream(asyncio.Protocol):
    """Both ways of one connection."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._arrived = bytearray()
        self._over = False
        self._failed = False
        self._waiting: asyncio.Future[None] | None = None

    async def encrypt(self, trust: ssl.SSLContext, host: str, *, within: float | None) -> None:
        """Speak TLS from now on, with somebody who proves to be `host`. Raises NotConnected."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within):
                encrypted = await loop.start_tls(self.transport, self, trust, server_hostname=host)
        except OSError as error:  # what TLS finds wrong is one as well
            self.transport.abort()
            raise NotConnected(str(error)) from None
        assert encrypted is not None  # noqa: S101 - it is None only where the transport was closed by us
        self.transport = encrypted

    @property
    def spoke_up(self) -> bool:
        """Whether the other side of an idle connection ended it, or said what nobody asked for."""
        return bool(self._arrived) or self._over or self.transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send. Our bodies are small, so nobody waits for them to leave. Raises BrokenPipeError."""
        if self.transport.is_closing():
            raise BrokenPipeError("the connection is closed")
        self.transport.write(data)

    async def read(self) -> bytes:
        """What arrived, at least a byte; nothing once the other side ended. Raises ConnectionResetError."""
        while not self._arrived and not self._over:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        if self._failed and not self._arrived:
            raise ConnectionResetError("the connection broke")
        data = bytes(self._arrived)
        self._arrived.clear()
        if not self._over and not self.transport.is_reading():
            self.transport.resume_reading()
        return data

    def close(self) -> None:
        """End it, without waiting for the other side."""
        self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is one for every TCP connection
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        self._arrived += data
        if len(self._arrived) > MOST:
            self.transport.pause_reading()
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

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
