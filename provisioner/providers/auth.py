"""Getting a vendor's management token from where the manifest says that it is (design §4)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from provisioner.core.project import ProviderConfig, SecretSource
from provisioner.core.secret import Secret
from provisioner.errors import SecretError

_TIMEOUT = 30.0
"""Seconds for a command that prints a token: it may ask an agent, never a person."""

_ITS = "its management token"


def management_token(config: ProviderConfig, root: Path) -> Secret:
    """The token of this provider and environment, as a Secret with the part `token`.

    `root` is the folder of the project: relative files and commands start there. Surrounding white space is
    no part of a token. Raises SecretError naming where it was looked for, never a value.
    """
    source = config.auth.get("token")
    if source is None:
        raise SecretError(
            "it has no management token",
            where=config.where,
            remedy="add `auth: {token: {env: NAME}}` to it in provision.yaml",
        )
    value = _WAYS[source.how](source, config.where, root).strip()
    if not value:
        raise SecretError(f"{_ITS} is empty", where=config.where, remedy=f"look at {_name(source)}")
    return Secret({"token": value})


def _from_env(source: SecretSource, where: str, _root: Path) -> str:
    value = os.environ.get(str(source.argument))
    if value is None:
        raise SecretError(f"{_ITS} is missing", where=where, remedy=f"set {_name(source)}")
    return value


def _from_file(source: SecretSource, where: str, root: Path) -> str:
    try:
        return (root / str(source.argument)).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    raise SecretError(f"{_ITS} cannot be read: {reason}", where=where, remedy=f"look at {_name(source)}")


def _from_exec(source: SecretSource, where: str, root: Path) -> str:
    words = [source.argument] if isinstance(source.argument, str) else list(source.argument)
    printed, reason = _output(words, root)
    if printed is None:
        raise SecretError(
            f"{_ITS} was not printed: {reason}", where=where, remedy=f"run {_name(source)} by hand"
        )
    return printed


def _output(words: list[str], root: Path) -> tuple[str | None, str]:
    """What a command printed, or None and why not: its output, even then, may hold the secret."""
    try:
        # The manifest's owner chose this command; it runs without a shell.
        done = subprocess.run(  # noqa: S603 - see above
            words, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False
        )
        if done.returncode == 0:
            return done.stdout.decode("utf-8"), ""
        return None, f"it ended with {done.returncode}"
    except subprocess.TimeoutExpired:
        return None, f"it took longer than {_TIMEOUT:.0f} s"
    except (OSError, UnicodeDecodeError) as error:
        return None, type(error).__name__


def _name(source: SecretSource) -> str:
    argument = source.argument if isinstance(source.argument, str) else " ".join(source.argument[:1])
    return {"env": "the variable", "file": "the file", "exec": "the command"}[source.how] + f" {argument}"


_WAYS: Mapping[str, Callable[[SecretSource, str, Path], str]] = {
    "env": _from_env,
    "file": _from_file,
    "exec": _from_exec,
}
