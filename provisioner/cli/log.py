"""provision's own log, on stderr. Only our own loggers are heard: those of libraries know whole requests."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from provisioner.cli.values import plain


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


class _Log(logging.Handler):
    """Writes to whatever stderr is now, with nothing in it that a terminal would obey."""

    def emit(self, record: logging.LogRecord) -> None:
        line = plain(f"{record.levelname.lower()} {record.name}: {record.getMessage()}")
        with suppress(OSError):  # a log that nobody can read must not stop what it tells of
            sys.stderr.write(f"{line}\n")
