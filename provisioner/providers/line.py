"""One connection to a vendor, for one call at a time, kept for the calls that follow.

What the bytes mean, h11 says, which httpcore speaks HTTP/1.1 by as well. httpcore's pool, connection and
streams around it are made for many callers and take as long as the rest of a call; they serve where a proxy
stands between (see `wire.py`). Imports httpcore and h11: import it where it is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import h11

from provisioner.providers.stream import Backend, Stream

if TYPE_CHECKING:
    import ssl

    import httpcore

LONGEST_HEAD = 100 * 1024
"""Bytes, as httpcore takes them."""
AT_ONCE = 64 * 1024
"""Bytes that are read at once."""

Header = tuple[bytes, bytes]
Headers = Sequence[tuple[str, str]]


class Line:
    """The way to one place. It has `connect` seconds to connect, and is kept unused for `idle` seconds."""

    def __init__(
        self, trust: ssl.SSLContext, *, connect: float, idle: float, local_address: str | None
    ) -> None:
        self._trust = trust
        self._connect = connect
        self._idle = idle
        self._local_address = local_address
        self._stream: Stream | None = None
        self._speech = h11.Connection(h11.CLIENT)
        self._free_since = 0.0

    async def ask(
        self, method: str, target: httpcore.URL, headers: Headers, content: bytes, longest: int
    ) -> tuple[int, Sequence[Header], bytes | None]:
        """Status, headers and body of the answer; the body is None where it is longer than `longest`.

        Raises ConnectError or ConnectTimeout where nothing was sent. Whatever else is raised ends the
        connection, and the vendor may have been reached.
        """
        stream = await self._kept() or await self._open(target)
        self._stream = None  # nobody's, unless the answer is read to its end
        try:
            request = h11.Request(method=method, target=target.target, headers=list(headers))
            said = [self._speech.send(event) for event in (request, h11.Data(content), h11.EndOfMessage())]
            await stream.write(b"".join(part for part in said if part))
            answer = await self._answer(stream, longest)
        except BaseException:
            await stream.aclose()
            raise
        await self._keep(stream)
        return answer

    async def aclose(self) -> None:
        """Let go of the connection."""
        if self._stream is not None:
            await self._stream.aclose()

    async def _kept(self) -> Stream | None:
        stream = self._stream
        if stream is None:
            return None
        idle = asyncio.get_running_loop().time() - self._free_since
        if idle < self._idle and not stream.get_extra_info("is_readable"):
            return stream
        await stream.aclose()
        return None

    async def _open(self, target: httpcore.URL) -> Stream:
        secure = target.scheme == b"https"
        host = target.host.decode("ascii")
        port = target.port or (443 if secure else 80)
        stream = await Backend().connect_tcp(host, port, self._connect, self._local_address)
        self._speech = h11.Connection(h11.CLIENT, LONGEST_HEAD)
        return await stream.start_tls(self._trust, host, self._connect) if secure else stream

    async def _answer(self, stream: Stream, longest: int) -> tuple[int, Sequence[Header], bytes | None]:
        head: h11.Response | None = None
        body = bytearray()
        while True:
            event = self._speech.next_event()
            if event is h11.NEED_DATA:
                self._speech.receive_data(await stream.read(AT_ONCE))
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if head is not None and len(body) > longest:
                    return head.status_code, list(head.headers), None
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return head.status_code, list(head.headers), bytes(body)
            elif not isinstance(event, h11.InformationalResponse):
                raise h11.RemoteProtocolError("the connection ended before the answer did")

    async def _keep(self, stream: Stream) -> None:
        over = (self._speech.our_state, self._speech.their_state) != (h11.DONE, h11.DONE)
        if over or self._speech.trailing_data[0]:
            # It was said to be the last, or was too long; or more came, which nobody asked for.
            await stream.aclose()
            return
        self._speech.start_next_cycle()
        self._stream = stream
        self._free_since = asyncio.get_running_loop().time()
