"""What arrives by a connection, however it is cut, held against h11; and what a request may not hold."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.providers.line import LONGEST_HEAD, Broken, Line, Reading
from provisioner.providers.url import Url, url_of

LONGEST = 1000

WHOLE = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 3\r\n\r\n{}",
    "chunks": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n",
    "nothing": b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    "empty": b"HTTP/1.1 401\r\nContent-Length: 0\r\n\r\n",
    "news first": b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "the last one": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
    "until the end": b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nas long as it takes",
    "an older server": b"HTTP/1.0 200 OK\r\n\r\nbody",
}

BROKEN = {
    "no answer": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "short": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
    "no end of chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nab",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "another protocol": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "nothing": b"",
}


def read(parts: list[bytes]) -> Reading:
    """The answer that these make, and the end of the connection if they leave it open."""
    answer = Reading(LONGEST)
    for part in (*filter(None, parts), b""):
        if answer.over:
            break
        answer.take(part)
    return answer


def h11s(data: bytes) -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection may be used again, as h11 has it."""
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(data)
    status, body, open_still = 0, b"", True
    while True:
        event = peer.next_event()
        if event is h11.NEED_DATA:
            peer.receive_data(b"")
            open_still = False
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return status, body, open_still and peer.our_state is peer.their_state is h11.DONE


@pytest.mark.parametrize("name", WHOLE)
@given(cuts=st.lists(st.integers(0, 120)))
@settings(max_examples=30)
def test_an_answer_reads_the_same_however_it_is_cut(name: str, cuts: list[int]) -> None:
    """Status, body and whether another request may follow are those that h11 reads from the whole."""
    data = WHOLE[name]
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    answer = read([data[a:b] for a, b in pairwise(places)])
    assert h11s(data) == (answer.status, answer.body, answer.reusable)


def test_headers_are_those_of_the_answer() -> None:
    """News on the way leave none behind, and what follows the body is none of them."""
    assert [(b"content-length", b"1")] == read([WHOLE["news first"]]).headers
    assert [(b"content-length", b"2"), (b"retry-after", b"3")] == read([WHOLE["length"]]).headers
    assert [(b"transfer-encoding", b"chunked")] == read([WHOLE["chunks"]]).headers


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_whole_answer_is_none(name: str) -> None:
    """Neither a part of an answer nor anything else is taken for one."""
    with pytest.raises(Broken):
        read([BROKEN[name]])


@pytest.mark.parametrize("more", [WHOLE["length"], b"\0garbage", b"HTTP/1.1 500"])
def test_what_follows_unasked_ends_the_connection(more: bytes) -> None:
    """The answer is read, and nobody asks again where more came than was asked for."""
    answer = read([WHOLE["length"] + more])
    assert (200, b"{}", False) == (answer.status, answer.body, answer.reusable)


def test_a_long_body_is_not_read() -> None:
    """Of more than anybody wants to read nothing is kept."""
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * (LONGEST + 1)
    answer = read([data])
    assert (200, None, False) == (answer.status, answer.body, answer.reusable)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-Header: " + b"y" * 1000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Header: ", b"y" * 1000),
        (b"", b"HTTP/1.1 103 Early\r\nLink: " + b"y" * 1000 + b"\r\n\r\n"),
        (CHUNKED + b"0\r\n", b"Trailer: " + b"y" * 1000 + b"\r\n"),
        (CHUNKED + b"2\r\n{}\r\n0\r\nTrailer: ", b"y" * 1000),
        (CHUNKED + b"1;", b"y" * 1000),
    ],
    ids=["head", "header", "news", "trailers", "trailer", "extension"],
)
def test_what_goes_on_without_a_body_is_given_up(start: bytes, more: bytes) -> None:
    """A vendor that goes on with anything but its answer's body does not fill our memory."""
    answer = Reading(LONGEST)
    answer.take(start or more)
    with pytest.raises(Broken):
        for _ in range(LONGEST_HEAD // 1000 + 1):
            answer.take(more)


def test_a_body_may_come_slowly_and_in_small_chunks() -> None:
    """What stands around a body counts for nothing as long as the body goes on."""
    answer = Reading(LONGEST_HEAD)
    answer.take(CHUNKED)
    for _ in range(LONGEST_HEAD // 2):
        answer.take(b"1;x=y\r\nb\r\n")
    answer.take(b"0\r\n\r\n")
    assert (200, b"b" * (LONGEST_HEAD // 2), True) == (answer.status, answer.body, answer.reusable)


@pytest.mark.parametrize("value", ["a\r\nB: c", "a\nB: c", "a\rb", "a\0b", "ä"])
def test_no_header_becomes_two(value: str) -> None:
    """What would end a header's line is never sent."""

    async def ask() -> None:
        line = Line(None, within=1.0, idle=1.0, local_address=None)
        await line.ask("GET", url_of("http://127.0.0.1:1/"), [("a", value)], b"", LONGEST)

    with pytest.raises(ValueError, match=r"header|ascii"):
        asyncio.run(ask())


@pytest.mark.parametrize(
    ("text", "expected", "authority"),
    [
        ("http://acme.example", Url("http", "acme.example", 80, "/"), "acme.example"),
        (
            "https://ACME.example:443/?b=c",
            Url("https", "acme.example", 443, "/?b=c&page=2"),
            "acme.example",
        ),
        ("http://[::1]:8080/a%2Fb", Url("http", "::1", 8080, "/a%2Fb"), "[::1]:8080"),
        ("https://bücher.example/ü x", Url("https", "xn--bcher-kva.example", 443, "/%C3%BC%20x"), ""),
        ("https://me:password@acme.example/", Url("https", "acme.example", 443, "/"), "acme.example"),
        ("http://a/\r\nb", Url("http", "a", 80, "/b"), "a"),
        ("http://a/b#c", Url("http", "a", 80, "/b"), "a"),
    ],
)
def test_a_url_is_taken_apart(text: str, expected: Url, authority: str) -> None:
    """Whatever a vendor's metadata hold, no line of a request ends before its end."""
    got = url_of(text, (("page", 2),) if "?" in text else ())
    assert expected == got
    assert got.authority == (authority or "xn--bcher-kva.example")


@pytest.mark.parametrize(
    "text", ["", "acme.example", "ftp://a/", "http:///a", "http://a:99999/", "http://a..b/"]
)
def test_what_is_no_url_is_refused(text: str) -> None:
    """Nothing is asked where nobody can be."""
    with pytest.raises(ValueError, match=r"."):
        url_of(text)
