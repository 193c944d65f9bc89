"""TLS on the wire: whom it trusts, and that what is not trusted is told nothing."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from provisioner.core.model import Via
from provisioner.core.project import ProviderConfig
from provisioner.providers import wire
from provisioner.providers.wire import Answer, NotSent, open_wire

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Vendor:
    """Serves HTTPS with a certificate, and counts what it is told."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        self.told = 0
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(self._context)

    async def asked_at(self, host: str) -> list[Answer]:
        """Two calls of one wire."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        port = server.sockets[0].getsockname()[1]
        line = open_wire(ProviderConfig("acme", "test", "", via=Via.API, timeout=5.0), None, None)
        try:
            return [await line.ask("GET", f"https://{host}:{port}/keys", None, {}, None) for _ in range(2)]
        finally:
            await line.close()
            await asyncio.sleep(0.02)  # the vendor hears that nobody is there any more
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline() not in (b"",):
            while await reader.readline() not in (b"\r\n", b""):
                pass
            self.told += 1
            writer.write(ANSWER)
        writer.close()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """The one authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    wire._trust.cache_clear()
    yield authority
    wire._trust.cache_clear()


def test_without_certificates_nobody_is_asked(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file of those to trust is not there, nothing is sent, and a create leaves no question."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    vendor = Vendor(authority.issue_cert("localhost"))
    with pytest.raises(NotSent):
        asyncio.run(vendor.asked_at("localhost"))


def test_a_trusted_vendor_is_asked(authority: trustme.CA) -> None:
    """A vendor with a certificate for its name is asked, by one connection."""
    vendor = Vendor(authority.issue_cert("localhost"))
    assert [Answer(200, None, b"{}")] * 2 == asyncio.run(vendor.asked_at("localhost"))
    assert 2 == vendor.told


@pytest.mark.parametrize("name", ["another.example", "localhost"])
def test_a_stranger_is_told_nothing(authority: trustme.CA, name: str) -> None:
    """A certificate for another name, or of an unknown authority, ends the call before it is sent."""
    issuer = authority if name == "another.example" else trustme.CA()
    vendor = Vendor(issuer.issue_cert(name))
    with pytest.raises(NotSent):
        asyncio.run(vendor.asked_at("localhost"))
    assert 0 == vendor.told
