"""One connection on asyncio's own transport: what arrives is kept until it is read.

How long a whole call may take is watched by who makes it (`http.py`), so only connecting has a limit here.
"""

from __future__ import annotations

import asyncio
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

MOST = 1 << 20
"""Bytes that arrive ahead of being read, before the other side has to wait."""


class NotConnected(Exception):
    """There is no connection, so nothing was sent."""


async def connect(
    host: str, port: int, trust: ssl.SSLContext | None, *, within: float, local_address: str | None
) -> Stream:
    """A connection, by TLS with somebody who proves to be `host` if there is `trust`.

    From `local_address` if given; `within` in seconds. Raises NotConnected.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within):
            _, stream = await loop.create_connection(
                Stream,
                host,
                port,
                ssl=trust,
                server_hostname=host if trust else None,
                local_addr=(local_address, 0) if local_address else None,
                happy_eyeballs_delay=0.25,
            )
    except (OSError, ValueError) as error:
        # A TimeoutError and what TLS finds wrong are OSErrors; no resolver takes some names: ValueErrors.
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

    @property
    def spoke_up(self) -> bool:
        """Whether the other side of an idle connection ended it, or said what nobody asked for."""
        return bool(self._arrived) or self._over or self.transport.is_closing() or self._at_the_door()

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

    def abort(self) -> None:
        """End it at once: what was not sent yet never is."""
        self.transport.abort()

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

    def _at_the_door(self) -> bool:
        """Whether something came that the loop has not taken in yet, such as the end with the last answer."""
        look = select.poll()
        look.register(self.transport.get_extra_info("socket"), select.POLLIN)
        return bool(look.poll(0))

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
