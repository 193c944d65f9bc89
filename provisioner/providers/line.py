"""One connection to a vendor, for one call at a time, kept for the calls that follow.

What the bytes of an answer mean, httptools says: the parser of Node, in C. Import it where it is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import httptools

from provisioner.providers.stream import Stream, connect

if TYPE_CHECKING:
    import ssl

    from provisioner.providers.url import Url

LONGEST_HEAD = 100 * 1024
"""Bytes of an answer without any of its body: its head, and what may stand between chunks and after them."""

Header = tuple[bytes, bytes]


class Broken(Exception):
    """What came is no answer, or ended before it was one."""


class Line:
    """The way to one place, by TLS if there is `trust`.

    It has `within` seconds to connect, and is kept unused for `idle` seconds.
    """

    def __init__(
        self, trust: ssl.SSLContext | None, *, within: float, idle: float, local_address: str | None
    ) -> None:
        self._trust = trust
        self._within = within
        self._idle = idle
        self._local_address = local_address
        self._stream: Stream | None = None
        self._free_since = 0.0

    async def ask(
        self, method: str, url: Url, headers: Sequence[tuple[str, str]], content: bytes, longest: int
    ) -> tuple[int, Sequence[Header], bytes | None]:
        """Status, headers and body of the answer; the body is None where it is longer than `longest`.

        Raises NotConnected where nothing was sent. Whatever else is raised ends the connection, and the
        vendor may have been reached.
        """
        request = _head(method, url.target, headers) + content
        stream = self._kept() or await self._open(url)
        self._stream = None  # nobody's, unless the answer is read to its end
        answer = Reading(longest)
        try:
            stream.write(request)
            while not answer.over:
                answer.take(await stream.read())
        except BaseException:
            stream.abort()
            raise
        self._keep(stream, answer)
        return answer.status, answer.headers, answer.body

    def close(self) -> None:
        """Let go of the connection."""
        if self._stream is not None:
            self._stream.close()

    def _kept(self) -> Stream | None:
        stream = self._stream
        if stream is None:
            return None
        idle = asyncio.get_running_loop().time() - self._free_since
        if idle < self._idle and not stream.spoke_up:
            return stream
        stream.close()
        return None

    async def _open(self, url: Url) -> Stream:
        return await connect(
            url.host, url.port, self._trust, within=self._within, local_address=self._local_address
        )

    def _keep(self, stream: Stream, answer: Reading) -> None:
        if not answer.reusable:
            stream.close()
            return
        self._stream = stream
        self._free_since = asyncio.get_running_loop().time()


class Reading:
    """One answer while it arrives; httptools calls what begins with `on_`."""

    def __init__(self, longest: int) -> None:
        self.status = 0
        self.headers: list[Header] = []
        self.over = False
        self.reusable = False
        """Whether another request may follow by the same connection."""
        self._longest = longest
        self._beside = 0
        self._body: bytearray | None = bytearray()
        self._until_the_end = False
        self._parser = httptools.HttpResponseParser(self)

    @property
    def body(self) -> bytes | None:
        """None where it is longer than anybody wants to read."""
        return None if self._body is None else bytes(self._body)

    def take(self, data: bytes) -> None:
        """What arrived; nothing for the end of the connection. Raises Broken."""
        if not data:
            self._ended()
            return
        self._beside += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.reusable = False
            if not self.over:  # else something came after the answer, which nobody asked for
                raise Broken("what came is no answer") from error
        if self._beside > LONGEST_HEAD and not self.over:
            raise Broken("the answer goes on without its body")

    def on_message_begin(self) -> None:
        """Once more than one answer came, no next one could be trusted to answer the next request."""
        self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; what comes after the body is none of the answer's."""
        if not self.status:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The status is known, and how long the body is."""
        if self.over:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self.headers.clear()  # news on the way, not the answer
            return
        self.status = status
        names = {name for name, _ in self.headers}
        self._until_the_end = not names & {b"content-length", b"transfer-encoding"}

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        if self._body is None or self.over:
            return
        self._beside = 0
        self._body += data
        if len(self._body) > self._longest:
            self._body = None
            self.over = True

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self.status and not self.over:
            self.over = True
            self.reusable = self._parser.should_keep_alive()

    def _ended(self) -> None:
        if not (self.status and self._until_the_end):
            raise Broken("the connection ended before the answer did")
        self.over = True


def _head(method: str, target: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """The request's head. Raises ValueError for a header that would not stay one."""
    head = "\r\n".join([f"{method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in headers]])
    if "\0" in head or not head.count("\r") == head.count("\n") == len(headers):
        raise ValueError("a header holds the end of a line")
    return f"{head}\r\n\r\n".encode("ascii")
