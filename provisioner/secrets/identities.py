"""Identity files: the private half that opens sealed secrets. age's own format, or an SSH private key."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import pyrage

from provisioner.errors import SecretError
from provisioner.secrets import files

LIMIT = 65536
"""Bytes. No identity file is larger."""

Identity: TypeAlias = pyrage.x25519.Identity | pyrage.ssh.Identity


def generate_identity(path: Path) -> str:
    """Make a new identity file, mode 0600, and return its recipient. Never replaces a file: SecretError."""
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    content = f"# public key: {recipient}\n{identity}\n".encode("ascii")
    try:
        path.parent.mkdir(mode=files.FOLDER_MODE, parents=True, exist_ok=True)
        with files.open_folder(path.parent, trusted=path.parent) as folder:
            files.create(folder, path.name, content)
    except FileExistsError:
        raise SecretError(
            f"{path} already exists and is kept: it may be the only key to what was sealed",
            remedy="choose another file name",
        ) from None
    except OSError as error:
        raise SecretError(f"the identity file {path} cannot be written: {error.strerror}") from None
    return recipient


def load_identities(paths: Sequence[Path]) -> list[Identity]:
    """Every identity in these files. Raises SecretError naming the file, and never a word of its content."""
    return [identity for path in paths for identity in _parse(path, _text(path))]


def _text(path: Path) -> str:
    """Like ssh: a key that is ours and that others may read is refused."""
    try:
        found = files.read_any(path, limit=LIMIT)
    except OSError as error:
        raise SecretError(
            f"the identity file {path} cannot be read: {error.strerror}",
            remedy="give another one with `--identity FILE`, or name the file in PROVISION_IDENTITY",
        ) from None
    if found.owner[0] == os.geteuid() and found.mode & 0o077:
        raise SecretError(f"the identity file {path} can be read by others", remedy=f"run `chmod 600 {path}`")
    # What is no UTF-8 is no identity either, and then the parser says so.
    return found.content.decode("utf-8", "replace")


def _parse(path: Path, text: str) -> list[Identity]:
    if text.startswith("-----BEGIN AGE ENCRYPTED"):
        raise SecretError(
            f"the identity file {path} is itself encrypted with a passphrase",
            remedy="decrypt it with `age --decrypt` to a file that only you can read",
        )
    if text.startswith("-----BEGIN"):
        return [_ssh(path, text)]
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1)]
    found = [_age(path, n, line) for n, line in lines if line and not line.startswith("#")]
    if not found:
        raise SecretError(f"{path} holds no identity", remedy="an identity is a line AGE-SECRET-KEY-1…")
    return found


def _age(path: Path, line: int, text: str) -> Identity:
    try:
        return pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise SecretError(
            f"{path}:{line} is not an age identity", remedy="an identity is a line AGE-SECRET-KEY-1…"
        ) from None


def _ssh(path: Path, text: str) -> Identity:
    try:
        return pyrage.ssh.Identity.from_buffer(text.encode())
    except pyrage.IdentityError:
        raise SecretError(
            f"the SSH key {path} cannot be used: it is encrypted, damaged, or neither ed25519 nor RSA",
            remedy="use an age identity, or an SSH key without a passphrase",
        ) from None
