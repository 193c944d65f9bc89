"""Where text goes: results to stdout, everything else to stderr, colour as asked for."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from provisioner.cli.settings import Settings
from provisioner.cli.values import Paint, unpainted
from provisioner.errors import ProvisionError

if TYPE_CHECKING:
    from provisioner.core.model import JsonValue


def show(text: str, *, to_stderr: bool = False, end: str = "\n") -> None:
    """A result, for stdout; with `--json`, where stdout holds one document alone, for stderr.

    Raises BrokenPipeError once nobody reads it, and ProvisionError where it cannot be written.
    """
    if to_stderr:
        say(text)
        return
    try:
        click.echo(f"{text}{end}", nl=False, color=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ProvisionError(
            f"the result cannot be written to stdout: {error.strerror}",
            remedy="what was done stays done: see `provision status`",
        ) from None


def say(text: str) -> None:
    """A word to the person, on stderr. Where nobody can read it, the work goes on without."""
    with suppress(OSError):
        click.echo(text, err=True, color=True)


def show_json(document: JsonValue) -> None:
    """One JSON document on stdout, in ASCII: nothing in it moves a cursor."""
    show(json.dumps(document, indent=2))


def painter(settings: Settings, *, to_stderr: bool = False) -> Paint:
    """What colours text for stdout, or for stderr."""
    stream = sys.stderr if to_stderr else sys.stdout
    auto = stream.isatty() and not os.environ.get("NO_COLOR")
    wanted = settings.color == "always" or (settings.color == "auto" and auto)
    return _painted if wanted else unpainted


def _painted(text: str, color: str) -> str:
    return click.style(text, fg=color)
