"""What holds for a whole run of the program: how it shows things, and its log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from provisioner.cli.values import plain


@dataclass(slots=True)
class Settings:
    """The global options, as one object that every command gets."""

    debug: bool = False
    color: str = "auto"
    """`auto`, `always` or `never`."""


class _Log(logging.Handler):
    """Writes to whatever stderr is now, with nothing in it that a terminal would obey."""

    def emit(self, record: logging.LogRecord) -> None:
        line = plain(f"{record.levelname.lower()} {record.name}: {record.getMessage()}")
        with suppress(OSError):  # a log that nobody can read must not stop what it tells of
            sys.stderr.write(f"{line}\n")


@contextmanager
def logging_to_stderr(*, verbose: bool) -> Iterator[None]:
    """Write provision's own log to stderr: warnings, or with `verbose` everything.

    Only our own loggers are heard. Those of libraries know whole requests, and so secrets.
    """
    log, handler = logging.getLogger("provisioner"), _Log()
    before = log.level
    log.setLevel(logging.DEBUG if verbose else logging.WARNING)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
