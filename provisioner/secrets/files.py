"""Files that hold secrets: read by their owner alone, written whole or not at all, never through a symlink.

Everything goes by descriptors of folders, so that nobody can swap a folder for a symbolic link between the
check and the use. All functions raise OSError, whose `strerror` is fit to be shown.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

FILE_MODE = 0o600
FOLDER_MODE = 0o700
LOCK_PATIENCE = 30.0
"""Seconds to wait for another delivery into the same folder."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a fifo must not hang us
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Existing(Struct, frozen=True):
    """A file that was there: its bytes, and who owns it."""

    content: bytes
    mode: int
    owner: tuple[int, int]
    """User and group id."""


@contextmanager
def open_folder(path: Path, *, trusted: Path) -> Iterator[int]:
    """A descriptor of `path`, which lies below `trusted`; what is missing is made with mode 0700.

    `trusted` may itself be reached through symbolic links; anything below it may not.
    """
    folder = os.open(trusted, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in path.relative_to(trusted).parts:
            inner = _enter(folder, part)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


@contextmanager
def locked(folder: int) -> Iterator[None]:
    """Only one holder at a time, over threads and processes. The folder itself is the lock: no litter."""
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise OSError(
                    errno.EAGAIN, "another process has kept the folder locked for too long"
                ) from None
            time.sleep(0.01)
    try:
        yield
    finally:
        fcntl.flock(folder, fcntl.LOCK_UN)


def read_any(path: Path, *, limit: int) -> Existing:
    """A plain file wherever it is, also behind symbolic links: for what we are told to read."""
    return _read(os.open(path, _READ & ~os.O_NOFOLLOW), path.name, limit)


def read_plain(folder: int, name: str, *, limit: int) -> Existing | None:
    """The file of that name, or None. Refuses symbolic links, what is no plain file, what is over `limit`."""
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _named(error, folder, name) from None
    return _read(descriptor, name, limit)


def create(folder: int, name: str, content: bytes, owner: tuple[int, int] | None = None) -> None:
    """Make a new file, mode 0600, durable when this returns. Raises FileExistsError where there is one."""
    _write_new(folder, name, content, owner)
    os.fsync(folder)


def replace(folder: int, name: str, content: bytes, owner: tuple[int, int] | None = None) -> None:
    """Put a whole new file in the place of `name`, durable when this returns.

    The temporary name is fixed, so that the next run removes what a killed one left behind: hold the folder's
    lock where another could replace the same file.
    """
    temporary = f".{name}.provision"
    with suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)
    _write_new(folder, temporary, content, owner)
    try:
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)


def remove(folder: int, name: str) -> None:
    """Remove a file, durably. One that is gone is fine."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    os.fsync(folder)


def _write_new(folder: int, name: str, content: bytes, owner: tuple[int, int] | None) -> None:
    descriptor = os.open(name, _CREATE, FILE_MODE, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        # Half a secret is worse than none: it would look like one.
        os.unlink(name, dir_fd=folder)
        raise


def _read(descriptor: int, name: str, limit: int) -> Existing:
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, f"{name} is in the way and is no plain file")
        if found.st_size > limit:
            raise OSError(errno.EFBIG, f"{name} is larger than {limit} bytes")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return Existing(file.read(), stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid))
    finally:
        os.close(descriptor)


def _enter(folder: int, part: str) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _named(error, folder, part) from None
    with suppress(FileExistsError):
        os.mkdir(part, FOLDER_MODE, dir_fd=folder)
        os.fsync(folder)
    return os.open(part, _FOLDER, dir_fd=folder)


def _named(error: OSError, folder: int, name: str) -> OSError:
    """The same trouble in words: systems disagree on how O_NOFOLLOW says that there is a link."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return error
    if stat.S_ISLNK(found):
        return OSError(errno.ELOOP, f"{name} is a symbolic link; write the path that it leads to")
    if error.errno == errno.ENOTDIR:
        return OSError(errno.ENOTDIR, f"{name} is in the way and is no folder")
    return error
