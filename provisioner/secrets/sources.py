"""Where provision gets the secrets that it needs itself: from a variable, a file, or a command."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from provisioner.core.model import JsonValue
from provisioner.core.project import SecretSource
from provisioner.core.secret import Secret
from provisioner.errors import SecretError
from provisioner.secrets import files

LIMIT = 1 << 20
"""Bytes. No secret is larger."""
COMMAND_TIMEOUT = 60.0
"""Seconds. A command may have to ask another service."""


def resolve_auth(auth: Mapping[str, SecretSource], root: Path, *, owner: str) -> Secret:
    """One Secret with a part for each source, under the names that `auth` gives them.

    `root` is the project's folder: files and commands start there. `owner` says in errors whose auth it is,
    such as `provider payspace in test`. One newline at the end of a value is dropped.
    Raises SecretError naming the variable, file or command; never what it held.
    """
    return Secret({part: _value(source, root, f"{owner}, {part}") for part, source in auth.items()})


def parse_source(value: JsonValue) -> SecretSource:
    """Read `{env: …}`, `{file: …}` or `{exec: […]}`. Raises ValueError in words."""
    match value:
        case {"env": str(name), **rest} if not rest:
            return SecretSource("env", name)
        case {"file": str(path), **rest} if not rest:
            return SecretSource("file", path)
        case {"exec": [*words], **rest} if words and not rest:
            return SecretSource("exec", tuple(str(word) for word in words))
    raise ValueError("write where to get it: {env: NAME}, {file: PATH} or {exec: [COMMAND, …]}")


def _value(source: SecretSource, root: Path, what: str) -> str:
    match source.how, source.argument:
        case "env", str(name):
            text = _environment(name, what)
        case "file", str(path):
            text = _decoded(_file(root / path, what), f"file {path}", what)
        case "exec", (first, *_) as words:
            text = _decoded(_output(words, root, what), f"the output of `{first}`", what)
        case _:
            raise SecretError(f"{what}: provision knows no way `{source.how}` to get a secret")
    return text


def _environment(name: str, what: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SecretError(
            f"{what}: the environment variable {name} is {'empty' if name in os.environ else 'not set'}",
            remedy=f"set {name} before you run provision",
        )
    return _without_newline(value)


def _file(path: Path, what: str) -> bytes:
    try:
        return files.read_any(path, limit=LIMIT).content
    except OSError as error:
        raise SecretError(f"{what}: file {path} cannot be read: {error.strerror}") from None


def _output(words: tuple[str, ...], root: Path, what: str) -> bytes:
    try:
        # The words come from the manifest, which decides what is run; no shell ever sees them.
        done = subprocess.run(  # noqa: S603
            words,
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_TIMEOUT,
            check=False,
        )
    except OSError as error:
        raise SecretError(f"{what}: `{words[0]}` cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        done = None
    if done is None:
        raise SecretError(f"{what}: `{words[0]}` gave no answer within {COMMAND_TIMEOUT:.0f} s and was ended")
    if done.returncode != 0:
        raise SecretError(
            f"{what}: `{words[0]}` ended with exit code {done.returncode}",
            remedy="run it by hand to see why: its output could hold a secret, so it is not shown here",
        )
    return done.stdout


def _decoded(raw: bytes, place: str, what: str) -> str:
    text = _utf8(raw)
    if text is None:
        raise SecretError(f"{what}: {place} is not UTF-8 text")
    if not (value := _without_newline(text)):
        raise SecretError(f"{what}: {place} is empty")
    return value


def _utf8(raw: bytes) -> str | None:
    # The decoder's own error quotes the bytes, so it must not become anybody's context.
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _without_newline(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
