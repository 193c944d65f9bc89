"""OpenSSH's own signatures (PROTOCOL.sshsig), by `ssh-keygen`: provision handles no key itself."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from provisioner.errors import ProvisionError

NAMESPACE = "provision"
"""Keeps a signature for us from being one for anything else, such as a git commit, and the reverse."""

PROGRAM = "ssh-keygen"


def sign(text: str, key: Path) -> str:
    """The armoured signature of this text. Raises ProvisionError where the key does not sign.

    `key` is a private key, or the public one of a key that the agent or a security key holds. The terminal
    stays ssh-keygen's: it asks for the passphrase, or for a touch.
    """
    with TemporaryDirectory(prefix="provision-") as folder:
        message = Path(folder, "statement")
        message.write_text(text, encoding="utf-8")
        ran = _run(["sign", "-q", "-f", str(key), "-n", NAMESPACE, str(message)], quiet=False)
        signature = message.with_name("statement.sig")
        if ran.returncode != 0 or not signature.is_file():
            raise ProvisionError(
                f"{PROGRAM} did not sign with {key}",
                remedy="give --key a private key, or the .pub file of one that ssh-agent holds",
            )
        return signature.read_text(encoding="ascii")


def signers(text: str, signature: str, allowed: Path) -> frozenset[str]:
    """Every name that the allowed-signers file gives to who signed exactly this text; empty for nobody.

    Raises ProvisionError for a file that cannot be read.
    """
    if not allowed.is_file():
        raise ProvisionError(
            f"there is no allowed-signers file {allowed}",
            remedy="write a line for each approver: NAME ssh-ed25519 AAAA… (man ssh-keygen, ALLOWED SIGNERS)",
        )
    with TemporaryDirectory(prefix="provision-") as folder:
        file = Path(folder, "signature")
        file.write_text(signature, encoding="utf-8")
        whose = _run(["find-principals", "-s", str(file), "-f", str(allowed)])
        names = [name for name in whose.stdout.decode(errors="replace").splitlines() if name]
        if whose.returncode != 0 or not names:
            return frozenset()
        proof = ["verify", "-f", str(allowed), "-I", names[0], "-n", NAMESPACE, "-s", str(file)]
        return frozenset(names) if _run(proof, text).returncode == 0 else frozenset()


def _run(
    arguments: Sequence[str], text: str = "", *, quiet: bool = True
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - a fixed program, and no shell
            [PROGRAM, "-Y", *arguments],
            input=text.encode() if quiet else None,
            stdout=subprocess.PIPE if quiet else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if quiet else None,
            check=False,
        )
    except FileNotFoundError:
        raise ProvisionError(
            f"approvals need OpenSSH's {PROGRAM}, which is not installed",
            remedy="install OpenSSH's client, such as Debian's package openssh-client",
        ) from None
