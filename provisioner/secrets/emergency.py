"""The last place for a secret: when the store cannot be written at capture, the sealed text becomes a file.

A vendor that shows a secret once has then shown it. The file is sealed like the store's row, lies in
`.provision/emergency/` with mode 0600, is durable when `save` returns, and the next run takes it in.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from provisioner.core.journal import Stranded
from provisioner.core.model import Address, JsonObject
from provisioner.errors import SecretError
from provisioner.secrets import files

FORMAT = 1
FOLDER = Path(".provision", "emergency")
LIMIT = 1 << 20
"""Bytes. A larger file there is not ours."""


class EmergencyFolder(Struct, frozen=True):
    """The folder of one project, as the engine asks for it (engine.ports.Emergency)."""

    root: Path

    def save(self, rescued: Stranded) -> None:
        """Make it durable. Raises SecretError where even that fails."""
        save(self.root, rescued)

    def held(self, operation: str) -> list[Stranded]:
        """What was saved for this operation, oldest first."""
        return [rescued for rescued in stranded(self.root).values() if rescued.operation == operation]

    def forget(self, operation: str) -> None:
        """Remove what was saved for this operation."""
        for path, rescued in stranded(self.root).items():
            if rescued.operation == operation:
                remove(self.root, path)


def save(root: Path, rescued: Stranded) -> Path:
    """Keep it under the project's folder `root`; returns the file. Raises SecretError where even that fails.

    Never replaces a file: an operation may strand more than one secret.
    """
    readable = re.sub(r"[^A-Za-z0-9-]", "_", rescued.operation)[:64]
    path = root / FOLDER / f"{readable}.{secrets.token_hex(8)}.json"
    try:
        with files.open_folder(path.parent, trusted=root) as folder:
            files.replace(folder, path.name, _encode(rescued))
    except OSError as error:
        raise SecretError(
            f"neither the store nor {path} could take the new secret of {rescued.address}: {error.strerror}",
            remedy=f"make {path.parent} writable; the credential {rescued.remote_id} exists at its vendor",
        ) from None
    return path


def stranded(root: Path) -> dict[Path, Stranded]:
    """Everything that waits to be taken in, by file, oldest first. Raises SecretError for a damaged file."""
    found = {path: _load(root, path) for path in sorted((root / FOLDER).glob("*.json"))}
    return dict(sorted(found.items(), key=lambda item: (item[1].created_at, item[0])))


def remove(root: Path, path: Path) -> None:
    """Forget a file once the store has its secret. One that is gone is fine. Raises SecretError."""
    try:
        with files.open_folder(root / FOLDER, trusted=root) as folder:
            files.remove(folder, path.name)
    except OSError as error:
        raise SecretError(f"{path} cannot be removed: {error.strerror}") from None


def _encode(rescued: Stranded) -> bytes:
    value = asdict(rescued) | {
        "format": FORMAT,
        "address": str(rescued.address),
        "created_at": rescued.created_at.isoformat(),
        "expires_at": rescued.expires_at and rescued.expires_at.isoformat(),
        "issued_at": rescued.issued_at and rescued.issued_at.isoformat(),
    }
    return json.dumps(value, indent=2, sort_keys=True).encode()


def _load(root: Path, path: Path) -> Stranded:
    try:
        with files.open_folder(path.parent, trusted=root) as folder:
            found = files.read_plain(folder, path.name, limit=LIMIT)
        return _decode(json.loads(found.content if found else b""))
    except OSError as error:
        trouble = error.strerror or "cannot be read"
    except (ValueError, KeyError, TypeError):
        trouble = "it is damaged"
    raise SecretError(
        f"the rescued secret in {path} cannot be taken in: {trouble}",
        remedy="restore the file; move it away only once its credential is renewed or revoked",
    )


def _decode(value: JsonObject) -> Stranded:
    if value["format"] != FORMAT:
        raise ValueError(value["format"])
    return Stranded(
        operation=_text(value, "operation"),
        address=Address.parse(_text(value, "address")),
        generation=int(value["generation"]),
        remote_id=_text(value, "remote_id"),
        sealed=_text(value, "sealed"),
        created_at=datetime.fromisoformat(value["created_at"]),
        expires_at=_moment(value["expires_at"]),
        issued_at=_moment(value.get("issued_at")),  # older files have none
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(value: Mapping[str, object], key: str) -> str:
    found = value[key]
    if not isinstance(found, str):
        raise TypeError(key)
    return found
