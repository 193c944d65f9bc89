"""How far an apply is, on stderr: a bar on a terminal, a line for each finished change elsewhere."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from msgspec import Struct

from provisioner.cli.output import say
from provisioner.core.journal import CLOSED
from provisioner.core.plan import Plan

if TYPE_CHECKING:
    from provisioner.engine.context import Step


class Shown(Struct, frozen=True):
    """How far it is, as somebody sees it."""

    watch: Callable[[Step], None]
    """What to tell each step to."""
    paused: Callable[[], AbstractContextManager[None]] = nullcontext
    """Takes the bar away while a person is asked something."""


@contextmanager
def progress(plan: Plan) -> Iterator[Shown]:
    """Show how far it is, until the end."""
    if not sys.stderr.isatty():
        lines = _Lines()
        try:
            yield Shown(lines.watch)
        finally:
            lines.tell()
        return
    with _bar(len(plan.changes)) as shown:
        yield shown


class _Lines:
    """A line for each finished change. What is finished in one turn of the event loop is told as one."""

    def __init__(self) -> None:
        self._finished: list[str] = []

    def watch(self, step: Step) -> None:
        if step.phase not in CLOSED:
            return
        if not self._finished:
            asyncio.get_running_loop().call_soon(self.tell)
        self._finished.append(f"{step.address}: {step.action} {step.phase}")

    def tell(self) -> None:
        finished, self._finished = self._finished, []
        if finished:
            say("\n".join(finished))


@contextmanager
def _bar(total: int) -> Iterator[Shown]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def watch(step: Step) -> None:
            advance = 1 if step.phase in CLOSED else 0
            bar.update(task, advance=advance, description=f"{step.address} {step.action}: {step.phase}")

        @contextmanager
        def paused() -> Iterator[None]:
            bar.stop()
            try:
                yield
            finally:
                bar.start()

        yield Shown(watch, paused)
