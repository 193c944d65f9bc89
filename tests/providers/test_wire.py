"""The wire over a real connection: what counts as not sent, and connections that the other side ended."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from provisioner.core.model import Via
from provisioner.core.project import ProviderConfig
from provisioner.providers.lanes import Lanes
from provisioner.providers.line import Broken
from provisioner.providers.wire import Answer, NotSent, Wire, open_wire

BODY = b'{"a": 1}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 3\r\n\r\n{}"


class Vendor:
    """Answers each connection so many times, and then says the last words and ends it."""

    def __init__(self, times: int, last_words: bytes = b"", answer: bytes = ANSWER) -> None:
        self.connections = 0
        self.asked: list[bytes] = []
        self._times = times
        self._last_words = last_words
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for _ in range(self._times):
            try:
                self.asked.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(len(BODY)))
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            writer.write(self._answer)
        writer.write(self._last_words)
        writer.close()


@asynccontextmanager
async def served(vendor: Vendor) -> AsyncIterator[tuple[Wire, str]]:
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    wire = open_wire(ProviderConfig("acme", "test", "", via=Via.API, timeout=5.0), None, None)
    try:
        yield wire, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
    finally:
        await wire.close()
        await asyncio.sleep(0.02)  # the vendor hears that nobody is there any more
        server.close()
        await server.wait_closed()


async def ask(wire: Wire, url: str) -> Answer:
    answer = await wire.ask("POST", url, {"page": 1}, {"authorization": "Bearer t"}, BODY)
    await asyncio.sleep(0.01)  # whatever the vendor does after its answer has happened
    return answer


@pytest.mark.parametrize(("times", "last_words", "connections"), [(9, b"", 1), (2, b"", 3), (1, ANSWER, 5)])
def test_a_connection_is_used_until_the_vendor_ends_it(
    times: int, last_words: bytes, connections: int
) -> None:
    """Calls share a connection, notice one that ended, and never take what nobody asked for as an answer."""

    async def five() -> list[Answer]:
        async with served(vendor) as (wire, url):
            return [await ask(wire, url) for _ in range(5)]

    vendor = Vendor(times, last_words)
    assert [Answer(200, "3", b"{}")] * 5 == asyncio.run(five())
    assert (connections, 5) == (vendor.connections, len(vendor.asked))
    assert vendor.asked[0].startswith(b"POST /keys?page=1 HTTP/1.1\r\nhost: 127.0.0.1:")


def test_what_comes_with_an_answer_is_no_answer_to_the_next_call() -> None:
    """A vendor that answers twice at once is asked again by another connection."""

    async def two() -> list[Answer]:
        async with served(vendor) as (wire, url):
            return [await ask(wire, url) for _ in range(2)]

    vendor = Vendor(9, answer=ANSWER + ANSWER.replace(b"200", b"500"))
    assert [Answer(200, "3", b"{}")] * 2 == asyncio.run(two())
    assert (2, 2) == (vendor.connections, len(vendor.asked))


def test_no_connection_means_that_nothing_was_sent() -> None:
    """A port that nobody listens at is NotSent; a connection that breaks before the answer is not."""

    async def both() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        async with served(Vendor(0)) as (wire, url):
            with pytest.raises(NotSent):
                await ask(wire, nobody)
            with pytest.raises(Broken):
                await ask(wire, url)

    asyncio.run(both())


def test_the_lane_that_was_free_last_is_taken_first() -> None:
    """No more lanes are made than are taken at once, and never more than allowed."""

    async def go() -> list[int]:
        lanes = Lanes(2, iter(range(9)).__next__)
        used = []

        async def one(pause: float) -> None:
            async with lanes.taken() as lane:
                used.append(lane)
                await asyncio.sleep(pause)

        await one(0)
        await one(0)
        await asyncio.gather(one(0.01), one(0), one(0))
        return used + lanes.made

    assert [0, 0, 0, 1, 1, 0, 1] == asyncio.run(go())


def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names a proxy, that is asked; where none answers, nothing was sent."""

    async def both() -> list[Answer]:
        async with served(proxy) as (_, url):
            monkeypatch.setenv("http_proxy", url.removesuffix("/keys"))
            found = await twice()
        with pytest.raises(NotSent):
            await twice()
        return found

    async def twice() -> list[Answer]:
        by_proxy = open_wire(ProviderConfig("acme", "test", "", via=Via.API, timeout=5.0), None, None)
        try:
            return [await ask(by_proxy, "http://acme.example/keys") for _ in range(2)]
        finally:
            await by_proxy.close()

    proxy = Vendor(9)
    assert [Answer(200, "3", b"{}")] * 2 == asyncio.run(both())
    assert (1, 2) == (proxy.connections, len(proxy.asked))
    assert proxy.asked[0].startswith(b"POST http://acme.example/keys?page=1 HTTP/1.1\r\n")
