"""Serve the sandbox over HTTP on this machine, for people and for other processes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from provisioner.sandbox.world import Sandbox


def serve(
    directory: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until interrupted; `ready` gets the URL once it accepts connections (port 0 takes a free one).

    Raises `ModuleNotFoundError` without the extra `serve`, `OSError` if the port is taken, and, once it has
    answered what was in flight, `KeyboardInterrupt` for Ctrl-C.
    """
    import uvicorn  # an extra, and slow to import

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with Sandbox(directory) as sandbox, socket.create_server((host, port), family=family) as listener:
        # Accepted connections inherit it. Without, the second part of an answer waits 40 ms for word that the
        # first arrived; asyncio sees to it only for sockets that it made itself.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ready(_url(listener))
        # A caller's address is its own: a header that claims another must not open a vendor's IP list (PY2).
        config = uvicorn.Config(
            sandbox.app, log_config=None, access_log=False, lifespan="off", proxy_headers=False
        )
        uvicorn.Server(config).run(sockets=[listener])


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
