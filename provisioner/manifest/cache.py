"""What was found out of manifests before, under `.provision/cache`: never needed, never believed unproved.

An entry is named by a digest of all that it follows from, so another text, schema, provider or version of
ours finds another entry, or none. What it says is taken only with a MAC over its name and its content, made
with a key that lies in the user's own cache folder (`$XDG_CACHE_HOME/provision/key`, mode 0600), not in the
project: an entry that came with a checkout, from another machine or out of another's hand, that is cut off,
swapped or damaged, counts as none. Whoever can read that key can do whatever this user can. Entries hold JSON
and text, nothing that executes, and no secret, because manifests hold none.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Final

FOLDER: Final = Path(".provision") / "cache"

_KEY_BYTES: Final = 32
_MAC_BYTES: Final = 32
_LARGEST: Final = 1 << 28
"""Bytes; a larger entry is none of ours."""

_NAME: Final = re.compile(r"[0-9a-f]{64}\Z")
"""What an entry is called; whatever else lies there is somebody's own."""

_SPARE: Final = 64
"""How many entries beyond those in use may stay, for the next branch that is looked at."""


class Cache:
    """The entries of one project. Nothing that goes wrong with it is an error: it then holds nothing."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER
        self._key = _key()
        self._used: set[str] = set()

    def get(self, name: str) -> str | None:
        """What was kept under a name; None where nothing was, or nothing that can be proved."""
        self._used.add(name)
        data = _read(self._folder / name, _LARGEST) if self._key else None
        if data is None or data[:_MAC_BYTES] != self._mac(name, data[_MAC_BYTES:]):
            return None
        return data[_MAC_BYTES:].decode()

    def put(self, name: str, content: str) -> None:
        """Keep it under a name, whole or not at all."""
        self._used.add(name)
        if not self._key:
            return
        data = content.encode()
        with suppress(OSError):  # a project that cannot be written to is read without a cache
            self._folder.parent.mkdir(mode=0o700, exist_ok=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if self._ours():
                _write(self._folder / name, self._mac(name, data) + data)

    def tidy(self) -> None:
        """Drop the oldest entries that this run did not ask for, beyond a few."""
        if not self._ours():
            return
        with suppress(OSError):
            found = (one for one in self._folder.iterdir() if _NAME.match(one.name))
            others = [one for one in found if one.name not in self._used]
            for one in sorted(others, key=lambda path: path.stat().st_mtime)[: max(0, len(others) - _SPARE)]:
                one.unlink()

    def _ours(self) -> bool:
        """Whether the folder is where it seems to be: a link may come with a checkout, and lead anywhere."""
        return all(_is_folder(one) for one in (self._folder.parent, self._folder))

    def _mac(self, name: str, data: bytes) -> bytes:
        mac = hashlib.blake2b(name.encode(), key=self._key, digest_size=_MAC_BYTES)
        mac.update(b"\0")
        mac.update(data)
        return mac.digest()


def _is_folder(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def digest(parts: Iterable[bytes]) -> str:
    """A name for what follows from these parts, in this order."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.hexdigest()


def _key() -> bytes:
    """This user's key, made where there is none; empty where none can be kept."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111  (raises for no home)
    path = Path(base) / "provision" / "key"
    found = _own(path)
    if found is not None:
        return found
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, token_bytes(_KEY_BYTES))
    return _own(path) or b""


def _own(path: Path) -> bytes | None:
    """The key in a file that nobody else may read or write."""
    data = _read(path, _KEY_BYTES, private=True)
    return data if data is not None and len(data) == _KEY_BYTES else None


def _read(path: Path, most: int, *, private: bool = False) -> bytes | None:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            others = status.st_uid != os.getuid() or status.st_mode & 0o077
            if not stat.S_ISREG(status.st_mode) or status.st_size > most or (private and others):
                return None
            return file.read(most)
    except OSError:
        return None


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{token_hex(6)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
