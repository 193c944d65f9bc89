"""Sink `dotenv`: values in a file of `NAME=value` lines that shells, python-dotenv and docker read.

Options: `path`, with `{environment}`, `{name}` and `{provider}` in it; relative to the project's folder, or
absolute. Several credentials may share a file: other lines are kept, deliveries into one folder take turns.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from provisioner.core.delivery import Parcel
from provisioner.core.project import SinkConfig
from provisioner.errors import SinkError
from provisioner.secrets import files
from provisioner.secrets.dotenv_format import is_name, quote, set_values
from provisioner.secrets.git import require_ignored
from provisioner.secrets.parcels import PathTemplate, text_option, values_of

LIMIT = 1 << 20
"""Bytes. A larger file is no dotenv file."""


class DotenvSink:
    """Writes a dotenv file: mode 0600, whole or not at all, durable at the ack.

    Refuses a symbolic link anywhere below the project's folder (or below `/` for an absolute path), anything
    that is no plain file, and a file that git would take. Delivering the same again writes nothing.
    """

    def __init__(self, config: SinkConfig, root: Path) -> None:
        self._name = config.name
        self._template = PathTemplate(config.name, text_option(config, "path"))
        self._root = root.resolve()

    async def deliver(self, parcel: Parcel) -> None:
        """Returns once the values are durable in the file. Raises SinkError; the file is then as it was."""
        await asyncio.to_thread(self._deliver, parcel)

    def _deliver(self, parcel: Parcel) -> None:
        written = self._written(parcel)
        path = self._root / self._template.fill(parcel)
        trusted = self._root if path.is_relative_to(self._root) else Path(path.anchor)
        require_ignored(path)
        try:
            with files.open_folder(path.parent, trusted=trusted) as folder, files.locked(folder):
                self._set(folder, path, written)
        except OSError as error:
            raise SinkError(f"sink {self._name} cannot write {path}: {error.strerror}") from None

    def _written(self, parcel: Parcel) -> dict[str, str]:
        written = {}
        for name, value in values_of(parcel).items():
            if not is_name(name):
                raise SinkError(
                    f"sink {self._name}: {name!r} is no name for a variable",
                    remedy="use letters, digits and _ in `as`, and no digit first",
                )
            if (text := quote(value)) is None:
                raise SinkError(
                    f"sink {self._name}: the value for {name} of {parcel.address} has characters that shells "
                    "and dotenv readers read differently",
                    remedy="deliver it through a sink of type exec or vault",
                )
            written[name] = text
        return written

    def _set(self, folder: int, path: Path, written: dict[str, str]) -> None:
        found = files.read_plain(folder, path.name, limit=LIMIT)
        before = found.content if found else b""
        if b"\0" in before:
            raise SinkError(f"sink {self._name}: {path} is no text file")
        # Bytes that are not UTF-8 pass through unharmed.
        text = set_values(before.decode("utf-8", "surrogateescape"), written)
        if set_values(text, written) != text:
            raise SinkError(
                f"sink {self._name}: a quote in {path} is never closed, and would swallow what is delivered",
                remedy="close the quote",
            )
        after = text.encode("utf-8", "surrogateescape")
        if found and after == before and found.mode == files.FILE_MODE:
            os.fsync(folder)  # a run that was killed after its rename may have left this undone
            return
        files.replace(folder, path.name, after, owner=_keep(found))


def _keep(found: files.Existing | None) -> tuple[int, int] | None:
    """Whom the new file must belong to: its reader may be another user than the one who runs provision."""
    if found is None or found.owner[0] == os.geteuid():
        return None
    return found.owner
