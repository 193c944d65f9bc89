"""Sealing with age: secrets are encrypted to the environment's recipients, and only an identity opens them.

age hides a text but proves no sender: whoever may write to the store could put one row's sealed secret into
another row, or seal one of their own. So the payload also says whose it is, and `unseal` refuses a text that
stands in the wrong row. Recipients are parsed when the sealer is made: a bad one must be found
before a vendor is asked for a secret that nobody could then seal.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pyrage

from provisioner.core.canonical import encoded
from provisioner.core.model import Address
from provisioner.core.secret import Secret
from provisioner.errors import IdentityMissing, SecretError
from provisioner.secrets.identities import Identity, load_identities

FORMAT = 1
"""The version of the sealed payload."""
HEAD, TAIL = "-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----"
MAGIC = b"age-encryption.org/v1\n"

Recipient: TypeAlias = pyrage.x25519.Recipient | pyrage.ssh.Recipient


class AgeSealer:
    """Seals to each environment's recipients, opens with identity files.

    Recipients are `age1…`, `ssh-ed25519 …` or `ssh-rsa …`. Raises SecretError for one that age does not take,
    and for an environment without any. Identity files are read when the first secret is opened: a runner that
    only seals needs none.
    """

    def __init__(
        self, recipients_by_environment: Mapping[str, tuple[str, ...]], identities: Sequence[Path] = ()
    ) -> None:
        self._recipients = {
            name: _parse_all(name, texts) for name, texts in recipients_by_environment.items()
        }
        self._files = tuple(identities)
        self._identities: list[Identity] | None = None

    def seal(self, secret: Secret, address: Address, generation: int) -> str:
        """An armored age text that also says whose it is. Raises SecretError for an unknown environment."""
        recipients = self._recipients.get(address.environment)
        if recipients is None:
            raise SecretError(
                f"{address} cannot be sealed: environment {address.environment} has no recipients",
                remedy=f"add `recipients` to environment {address.environment} in provision.yaml",
            )
        return pyrage.encrypt(_payload(secret, address, generation), recipients, armored=True).decode("ascii")

    def unseal(self, sealed: str, address: Address, generation: int) -> Secret:
        """The secret of this row.

        Raises IdentityMissing where no identity opens it, SecretError where the text is damaged or belongs to
        another row.
        """
        row = f"{address} generation {generation}"
        if not _is_age(sealed):
            raise SecretError(
                f"the sealed secret of {row} is damaged: it is no age text",
                remedy=f"renew {address}, or restore the store from a backup",
            )
        return _opened(self._decrypt(sealed, row), address, generation)

    def _decrypt(self, sealed: str, row: str) -> bytes:
        if not self._files:
            raise IdentityMissing(
                f"the secret of {row} is sealed, and no identity was given",
                remedy="give one with `--identity FILE`, or name the file in PROVISION_IDENTITY",
            )
        if self._identities is None:
            self._identities = load_identities(self._files)
        try:
            return pyrage.decrypt(sealed.encode("ascii"), self._identities)
        except pyrage.DecryptError:
            names = ", ".join(str(path) for path in self._files)
            raise IdentityMissing(
                f"no identity in {names} opens the secret of {row}, or it is damaged",
                remedy="give the identity of one of the environment's recipients with `--identity FILE`",
            ) from None


def check_recipient(text: str) -> Recipient:
    """Read one recipient. Raises ValueError, in words, for what age does not take."""
    kind = pyrage.ssh.Recipient if text.startswith("ssh-") else pyrage.x25519.Recipient
    try:
        return kind.from_str(text)
    except pyrage.RecipientError:
        known = "age1…, ssh-ed25519 … or ssh-rsa …"
    # A person may have pasted the identity instead: then not even a part of it may be repeated.
    shown = f"`{text[:24]}…`" if text.startswith(("age1", "ssh-")) else "one of them"
    raise ValueError(f"{shown} is not a recipient: write {known}")


def _parse_all(environment: str, texts: Sequence[str]) -> list[Recipient]:
    if not texts:
        raise SecretError(
            f"environment {environment} has no recipients, so no secret could be kept",
            remedy="add at least one age recipient to it in provision.yaml",
        )
    try:
        return [check_recipient(text) for text in texts]
    except ValueError as error:
        raise SecretError(
            f"environment {environment}: recipient {error}", remedy="correct it in provision.yaml"
        ) from None


def _payload(secret: Secret, address: Address, generation: int) -> bytes:
    parts = {part: secret.reveal(part) for part in secret}
    value = {"format": FORMAT, "address": str(address), "generation": generation, "parts": parts}
    return encoded(value)


def _opened(payload: bytes, address: Address, generation: int) -> Secret:
    owner = _read(payload)
    if owner is None:
        raise SecretError(
            f"what is sealed for {address} generation {generation} was not sealed by provision",
            remedy=f"run `provision audit verify`, then renew {address}",
        )
    if owner[:2] != (str(address), generation):
        raise SecretError(
            f"the sealed secret stored for {address} generation {generation} belongs to "
            f"{owner[0]} generation {owner[1]}",
            remedy="the store was edited or mixed up: run `provision audit verify`, then renew it",
        )
    return Secret(owner[2])


def _read(payload: bytes) -> tuple[str, int, dict[str, str]] | None:
    """The payload's owner and parts; None for anything of another shape. Says nothing of the content."""
    try:
        value = json.loads(payload)
    except ValueError:
        return None
    match value:
        case {"format": 1, "address": str(address), "generation": int(number), "parts": dict(parts)}:
            return address, number, parts
    return None


def _is_age(sealed: str) -> bool:
    body = sealed.strip()
    if not (body.startswith(HEAD) and body.endswith(TAIL)):
        return False
    try:
        return base64.b64decode(body[len(HEAD) : -len(TAIL)]).startswith(MAGIC)
    except (binascii.Error, ValueError):
        return False
