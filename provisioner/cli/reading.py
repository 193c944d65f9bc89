"""One line from the person at the terminal, beside everything else that a run does.

Where it is read without echo, input that waits is thrown away before and after: neither what was typed ahead
nor the rest of a paste is taken for the answer to another question.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

LONGEST = 1 << 16
"""Bytes; a terminal hands out less at once."""


async def read_line(prompt: str, *, hidden: bool, stopping: asyncio.Event) -> str:
    """What was typed, without blanks around it; empty after Ctrl-D, or once a run is stopping."""
    keyboard = sys.stdin.fileno()
    loop = asyncio.get_running_loop()
    line: asyncio.Future[bytes] = loop.create_future()

    def ready() -> None:
        if not line.done():
            line.set_result(_typed(keyboard))

    stopped = asyncio.ensure_future(stopping.wait())
    ends: list[asyncio.Future[Any]] = [line, stopped]
    with _without_echo(keyboard) if hidden else nullcontext():
        _show(prompt)  # not before nothing is echoed any more: whoever sees it may paste at once
        loop.add_reader(keyboard, ready)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_reader(keyboard)
            stopped.cancel()
    return line.result().decode(errors="replace").strip() if line.done() else ""


def _typed(keyboard: int) -> bytes:
    try:
        return os.read(keyboard, LONGEST)
    except OSError:  # the terminal is gone: nobody answers any more
        return b""


@contextmanager
def _without_echo(keyboard: int) -> Iterator[None]:
    import termios

    before = termios.tcgetattr(keyboard)
    silent = [*before]
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(keyboard, termios.TCSAFLUSH, silent)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)
        _show("\n")  # the Enter was not shown either


def _show(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
