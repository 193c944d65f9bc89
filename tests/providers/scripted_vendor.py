"""A vendor on a real socket that answers from a script: what a wire can do, a test can say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from provisioner.core.project import ProviderConfig
from provisioner.core.secret import Secret
from provisioner.providers.http import Http, Timing

NOW = datetime(2026, 11, 2, 14, 0, 0, tzinfo=UTC)
CUT = b""
HANG = None
DRIP = b"HTTP/1.1 200 x\r\nContent-Length: 1000000\r\n\r\n"
"""An answer that never stops coming, one byte at a time."""
Script = Sequence[bytes | None]


def answer(status: int, body: object = None, *, raw: bytes | None = None, **headers: str) -> bytes:
    """One whole HTTP answer; `raw` instead of JSON."""
    content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def truncated(body: object) -> bytes:
    """An answer that ends in the middle, and says so by its length."""
    return answer(200, body)[:-3]


@dataclass
class Vendor:
    """What the script's vendor saw, and how long its client slept."""

    script: list[bytes | None]
    requests: list[bytes] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    port: int = 0
    talks: list[asyncio.Task[None]] = field(default_factory=list)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.append(asyncio.create_task(self._talk(reader, writer)))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(v) for n, _, v in _headers(head) if n == b"content-length"), 0)
        self.requests.append(head + await reader.readexactly(length))
        reply = self.script.pop(0)
        if reply is HANG:
            await reader.read()  # until the client gives up
        else:
            writer.write(reply)
        while reply is DRIP and not reader.at_eof():
            writer.write(b" ")
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(), 0.05)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def http(self, *, timeout: float = 5.0, token: str = "canary-management", **changes: object) -> Http:
        """A client of this vendor that never really sleeps, and whose jitter is the whole."""
        config = ProviderConfig("acme", "test", f"http://127.0.0.1:{self.port}/base", timeout=timeout)
        timing = Timing(sleep=self.sleep, now=lambda: NOW, jitter=lambda: 1.0)
        return Http(config, Secret({"token": token}), timing=timing, **changes)  # type: ignore[arg-type]  # tests pass what fits


@asynccontextmanager
async def vendor(script: Script) -> AsyncIterator[Vendor]:
    """A vendor that answers each request with the next line of the script."""
    it = Vendor(list(script))
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        await asyncio.gather(*it.talks)
        server.close()
        await server.wait_closed()


def _headers(head: bytes) -> list[tuple[bytes, bytes, bytes]]:
    return [(n.lower(), c, v) for n, c, v in (line.partition(b": ") for line in head.split(b"\r\n")[1:])]
