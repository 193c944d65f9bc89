"""The wire over a real connection: what counts as not sent, and connections that the other side ended."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

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


def test_a_connection_that_ended_with_its_answer_is_not_used_again() -> None:
    """The end may have arrived before anything had time to look: a create sent after it would be lost."""

    async def two() -> list[Answer]:
        found = []
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setblocking(False)
            wire = open_wire(ProviderConfig("acme", "test", "", via=Via.API, timeout=5.0), None, None)
            url = f"http://127.0.0.1:{server.getsockname()[1]}/keys"
            for _ in range(2):
                answer, peer = await asyncio.gather(wire.ask("POST", url, None, {}, BODY), answered(server))
                found.append(answer)
                peer.close()
            await wire.close()
        return found

    async def answered(server: socket.socket) -> socket.socket:
        loop = asyncio.get_running_loop()
        peer, _ = await loop.sock_accept(server)
        await loop.sock_recv(peer, 65536)
        await loop.sock_sendall(peer, ANSWER)
        return peer

    assert [Answer(200, "3", b"{}")] * 2 == asyncio.run(two())


def test_what_was_given_up_is_not_sent_later() -> None:
    """Once a call is over, however it ended, no more of its request leaves."""
    content = b"x" * (1 << 24)

    async def given_up() -> int:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setblocking(False)
            wire = open_wire(ProviderConfig("acme", "test", "", via=Via.API, timeout=5.0), None, None)
            asking = asyncio.create_task(
                wire.ask("POST", f"http://127.0.0.1:{server.getsockname()[1]}/", None, {}, content)
            )
            peer, _ = await loop.sock_accept(server)
            with peer:
                arrived = len(await loop.sock_recv(peer, 1024))
                asking.cancel()
                await asyncio.wait([asking])
                with suppress(ConnectionError):
                    while more := await loop.sock_recv(peer, 1 << 20):
                        arrived += len(more)
        return arrived

    assert len(content) > asyncio.run(given_up())


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_body_says_how_long_it_is(method: str) -> None:
    """Whatever the method: a body without its length would be read as the next request."""

    async def once() -> None:
        async with served(vendor) as (wire, url):
            await wire.ask(method, url, None, {}, BODY)

    vendor = Vendor(1)
    asyncio.run(once())
    assert b"content-length: 8\r\n" in vendor.asked[0]


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
            with pytest.raises(NotSent, match="Connect call failed"):
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
            found = [*await asked("http://acme.example/keys"), *await asked("http://acme.example/keys")]
        with pytest.raises(NotSent, match="proxy"):
            await asked("http://acme.example/keys")
        return found

    proxy = Vendor(9)
    assert [Answer(200, "3", b"{}")] * 4 == asyncio.run(both())
    assert (2, 4) == (proxy.connections, len(proxy.asked))
    assert proxy.asked[0].startswith(b"POST http://acme.example/keys?page=1 HTTP/1.1\r\n")


def test_by_a_proxy_no_more_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL's login and a vendor's cookie go nowhere, by a proxy as on the straight way."""

    async def by_proxy() -> None:
        async with served(proxy) as (_, url):
            monkeypatch.setenv("http_proxy", url.removesuffix("/keys"))
            await asked("http://me:password@acme.example/keys")

    proxy = Vendor(9, answer=ANSWER.replace(b"Retry-After: 3", b"Set-Cookie: a=b"))
    asyncio.run(by_proxy())
    heads = [one.partition(b"\r\n\r\n")[0].splitlines()[1:] for one in proxy.asked]
    said = [dict(line.split(b": ") for line in head) for head in heads]
    names = {b"authorization", b"host", b"accept-encoding", b"user-agent", b"content-length"}
    assert [names] * 2 == [{name.lower() for name in one} for one in said]
    assert [b"Bearer t"] * 2 == [one[b"authorization"] for one in said]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_what_stays_here_goes_by_no_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Nor does what `no_proxy` names: this machine, and one with its port."""

    async def straight() -> None:
        with socket.create_server((host, 0)) as taken:
            port = taken.getsockname()[1]
        async with served(proxy) as (_, url):
            monkeypatch.setenv("http_proxy", url.removesuffix("/keys"))
            monkeypatch.setenv("no_proxy", f"127.0.0.2:{port}")
            with pytest.raises(NotSent):
                await asked(f"http://{host}:{port}/")

    proxy = Vendor(9)
    asyncio.run(straight())
    assert [] == proxy.asked


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1", "socks9://127.0.0.1:9", "http://[::1", "http://a:port"])
def test_by_an_unusable_proxy_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """A create then is none that may have happened."""
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(NotSent):
        asyncio.run(asked("http://acme.example/"))


async def asked(url: str) -> list[Answer]:
    """Two answers to a wire of its own."""
    wire = open_wire(ProviderConfig("acme", "test", "", via=Via.API, timeout=5.0), None, None)
    try:
        return [await ask(wire, url) for _ in range(2)]
    finally:
        await wire.close()
