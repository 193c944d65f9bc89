"""Files for others to read, without secrets: written whole or not at all, and readable by everybody."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex

from provisioner.errors import ProvisionError

MODE = 0o644
"""Whoever reads them, such as a node exporter or a web server, is another user than we are."""


def publish(path: Path, text: str) -> None:
    """Put this text in the place of the file, in UTF-8 and with its line ends as they are.

    Raises ProvisionError, and then the file is what it was. A reader sees the one or the other, never a part.
    """
    draft = path.with_name(f".{path.name}.{token_hex(6)}")  # no collector of *.prom reads such a name
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text.encode("utf-8"))
            os.fchmod(file.fileno(), MODE)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ProvisionError(
            f"{path} cannot be written: {error.strerror}", remedy="choose a file in a folder that is there"
        ) from None
