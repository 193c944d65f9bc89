"""Which process this is, and whether another one of this machine is provably dead.

A pid alone proves nothing: pids are used again, and another container or another machine of the same
name has pids of its own. So a process is told by boot, pid namespace and start time.
"""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from pathlib import Path

from provisioner.state.values import Place

PROC = Path("/proc")
START_TIME = 19  # field 22 of /proc/PID/stat, counted after the command's closing parenthesis (proc(5))
GONE = frozenset({"Z", "X"})  # a zombie runs no more; it only waits to be counted


def here() -> Place:
    """The place of this process."""
    return Place(socket.gethostname(), os.getpid(), birth(os.getpid()) or "")


def whoami() -> str:
    """The words for this run: `user@host pid 4711`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        user = f"uid-{os.getuid()}"
    # A name may hold bytes of no character, and stands in rows, which are UTF-8.
    return f"{os.fsencode(user).decode(errors='replace')}@{socket.gethostname()} pid {os.getpid()}"


def is_dead(place: Place) -> bool:
    """Whether the process is certainly gone; False where it runs, or cannot be known from here."""
    if place.host != socket.gethostname() or not place.birth:
        return False
    if place.birth.rpartition(" ")[0] != _realm():
        return False
    return birth(place.pid) != place.birth


def birth(pid: int) -> str | None:
    """`BOOT NAMESPACE START` of a running process, or None when there is none."""
    started = _started_linux(pid) if (PROC / "self/stat").exists() else _started_elsewhere(pid)
    return None if started is None else f"{_realm()} {started}"


def _realm() -> str:
    """Within what a pid means one process: this boot of this machine, this pid namespace."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(PROC / 'self/ns/pid').readlink()}"
    except OSError:  # not Linux: the host's name, compared before, is all there is
        return "-"


def _started_linux(pid: int) -> str | None:
    try:
        stat = (PROC / str(pid) / "stat").read_text(errors="replace")  # a program may be called anything
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in GONE else fields[START_TIME - 1]


def _started_elsewhere(pid: int) -> str | None:
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words and a number
    return "_".join(found.stdout.split()) or None
