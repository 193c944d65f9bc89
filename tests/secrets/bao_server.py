"""A real OpenBao server for the tests, and a relay in front of it that misbehaves."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

CANARY = "canary-9b1e"
ROOT = "root-token-of-the-test"


@dataclass
class Server:
    """An OpenBao in development mode, on a free port of this machine."""

    endpoint: str

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask it as root."""
        return _http(method, f"{self.endpoint}/v1/{path}", body, ROOT)

    def secret(self, path: str = "test/payroll") -> tuple[int, dict[str, Any]]:
        """What it holds: version and data."""
        _, reply = self.ask("GET", f"secret/data/{path}")
        return reply["data"]["metadata"]["version"], reply["data"]["data"]


def _http(method: str, url: str, body: object, token: str) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data=data, method=method, headers={"X-Vault-Token": token})
    try:
        with urlopen(request, timeout=30) as answer:
            status, raw = answer.status, answer.read()
    except HTTPError as error:
        with error:
            status, raw = error.code, error.read()
    return status, json.loads(raw or b"null")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_start(server: Server) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if server.ask("GET", "sys/internal/ui/mounts/secret")[0] == 200:
                return
        except (URLError, ConnectionError):
            pass
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def start(folder: Path) -> Iterator[Server]:
    """Run one; it ends with the generator."""
    address = f"127.0.0.1:{free_port()}"
    bao = Path(sys.executable).parent / "bao"
    words = [str(bao), "server", "-dev", "-dev-no-store-token"]
    words += [f"-dev-listen-address={address}", f"-dev-root-token-id={ROOT}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=os.environ | {"HOME": str(folder)})
    try:
        server = Server(f"http://{address}")
        _await_start(server)
        yield server
    finally:
        process.terminate()
        process.wait()


@dataclass
class Relay:
    """Stands between us and the server, and does what a bad day does."""

    target: str
    before: Callable[[str, str], None] = lambda method, path: None
    drop: str = ""
    """The method whose answers are lost after the server acted on them."""
    answer: int = 0
    """A status to answer instead of asking the server."""
    only: str = ""
    """The one method that is answered so; empty for all."""
    location: str = ""
    endpoint: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)


def handler(relay: Relay) -> type[BaseHTTPRequestHandler]:
    """What an HTTP server needs to be this relay."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            relay.seen.append((self.command, self.path))
            relay.before(self.command, self.path)
            if relay.answer and relay.only in ("", self.command):
                return self._reply(relay.answer, {"errors": [CANARY]})
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(raw) if raw else None
            token = self.headers.get("X-Vault-Token", "")
            status, reply = _http(self.command, relay.target + self.path, body, token)
            if relay.drop == self.command:
                self.close_connection = True
                return None
            return self._reply(status, reply)

        do_POST = do_GET  # noqa: N815  # the base class looks for this name

        def _reply(self, status: int, reply: object) -> None:
            raw = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            if relay.location:
                self.send_header("Location", relay.location)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
