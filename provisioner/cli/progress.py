"""How far an apply is, on stderr: a bar on a terminal, a line for each finished change elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from provisioner.cli.output import say
from provisioner.core.journal import CLOSED
from provisioner.core.plan import Plan

if TYPE_CHECKING:
    from provisioner.engine.context import Step

Watch = Callable[["Step"], None]


@contextmanager
def progress(plan: Plan) -> Iterator[Watch]:
    """What to tell each step to."""
    if not sys.stderr.isatty():
        yield _line
        return
    with _bar(len(plan.changes)) as watch:
        yield watch


def _line(step: Step) -> None:
    if step.phase in CLOSED:
        say(f"{step.address}: {step.action} {step.phase}")


@contextmanager
def _bar(total: int) -> Iterator[Watch]:
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

        yield watch
