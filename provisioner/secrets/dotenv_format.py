"""The text of a dotenv file: how a value is written, and how a few are set while the rest stays as it is.

There is no standard. What is written here is read alike by a POSIX shell (`set -a; . file`) and by
python-dotenv, checked against both; bare values also by `docker run --env-file`, which knows no quotes.

| value                                        | written            |
|----------------------------------------------|--------------------|
| letters, digits and `_./:@%+=,-` only        | bare               |
| no `$` and no backtick                       | in double quotes   |
| no `'`, no `${`, no backslash pair or end    | in single quotes   |
| anything else, a NUL or a carriage return    | not at all: no text is read alike by both |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BARE = re.compile(r"[A-Za-z0-9_./:@%+=,-]*")
_NEVER = re.compile(r"[\0\r\ud800-\udfff]")
_DOLLAR = re.compile(r"[$`]")
_NOT_SINGLE = re.compile(r"'|\$\{|\\\\|\\\Z")

_END = r"[^\S\n]*(?:\#[^\n]*)?(?:\n|\Z)"
_ASSIGNMENT = re.compile(
    rf"""(?P<head>\ufeff?[^\S\n]*(?:export[^\S\n]+)?)
         (?P<name>{_NAME.pattern})[^\S\n]*=[^\S\n]*
         (?: '[^']*'{_END}                # as a shell reads it
         |   '(?:\\.|[^'\\])*'{_END}      # as python-dotenv does
         |   "(?:\\.|[^"\\])*"{_END}
         |   [^\n]*(?:\n|\Z) )""",
    re.VERBOSE | re.DOTALL,
)
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")


def is_name(name: str) -> bool:
    """Whether a shell takes this as the name of a variable."""
    return _NAME.fullmatch(name) is not None


def quote(value: str) -> str | None:
    """How to write the value; None where no text is read alike by a shell and by python-dotenv."""
    if _NEVER.search(value):
        return None
    if _BARE.fullmatch(value):
        return value
    if not _DOLLAR.search(value):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return None if _NOT_SINGLE.search(value) else f"'{value}'"


def set_values(text: str, written: Mapping[str, str]) -> str:
    """The text with these names set to these values (already as `quote` writes them).

    A name that is there keeps its place and its `export`; should it be there twice, the later one goes, since
    it would win. New names come last. Our lines end in a line feed even among lines that end
    in CRLF: to a shell the carriage return would be part of the secret.
    """
    missing = dict(written)
    kept = []
    for statement in _statements(text):
        name = statement.groupdict().get("name")
        if name not in written:
            kept.append(statement.group())
        elif name in missing:
            kept.append(f"{statement['head']}{name}={missing.pop(name)}\n")
    body = "".join(kept)
    if missing and body and not body.endswith("\n"):
        body += "\n"
    return body + "".join(f"{name}={value}\n" for name, value in missing.items())


def _statements(text: str) -> Iterator[re.Match[str]]:
    position = 0
    while position < len(text):
        match = _ASSIGNMENT.match(text, position) or _LINE.match(text, position)
        assert match is not None  # noqa: S101  # _LINE takes whatever there is
        yield match
        position = match.end()
