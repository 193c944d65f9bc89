"""Files without secrets, written whole or not at all: for others to read, or for ourselves alone."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex

from provisioner.errors import ProvisionError, UsageError

FOR_ALL = 0o644
"""Whoever reads what is published, such as a node exporter or a web server, is another user than we are."""

FOR_US = 0o600


def publish(path: Path, text: str) -> None:
    """Put this text in the place of the file, readable by everybody. Raises what `write_whole` raises."""
    write_whole(path, text, FOR_ALL)


def write_whole(path: Path, text: str, mode: int) -> None:
    """Put this text in the place of the file, in UTF-8 and with its line ends as they are, durably.

    Raises ProvisionError, and then the file is what it was. A reader sees the one or the other, never a part.
    What is no plain file, such as `/dev/stdout` or a pipe, stays and is written to.
    """
    if not path.name:
        raise UsageError("an empty name, as an unset variable makes it, names no file", remedy="name a FILE")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(text.encode("utf-8"))
        else:
            _in_the_place_of(Path(os.path.realpath(path)), text, mode)  # of a link, what it leads to
    except OSError as error:
        raise ProvisionError(
            f"{path} cannot be written: {error.strerror}", remedy="choose a file in a folder that is there"
        ) from None


def _in_the_place_of(path: Path, text: str, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{token_hex(6)}")  # no collector of *.prom reads such a name
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FOR_US), "wb") as file:
            file.write(text.encode("utf-8"))
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
