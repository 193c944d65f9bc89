"""Where text goes: results to stdout, everything else to stderr, colour as asked for."""

from __future__ import annotations

import json
import os
import sys

import click

from provisioner.cli.settings import Settings
from provisioner.cli.values import Paint, unpainted
from provisioner.core.model import JsonValue


def show(text: str, *, to_stderr: bool = False) -> None:
    """A result, for stdout; with `--json`, where stdout holds one document alone, for stderr."""
    click.echo(text, err=to_stderr, color=True)


def say(text: str) -> None:
    """A word to the person, on stderr."""
    click.echo(text, err=True, color=True)


def show_json(document: JsonValue) -> None:
    """One JSON document on stdout, in ASCII: nothing in it moves a cursor."""
    click.echo(json.dumps(document, indent=2))


def painter(settings: Settings, *, to_stderr: bool = False) -> Paint:
    """What colours text for stdout, or for stderr."""
    stream = sys.stderr if to_stderr else sys.stdout
    auto = stream.isatty() and not os.environ.get("NO_COLOR")
    wanted = settings.color == "always" or (settings.color == "auto" and auto)
    return _painted if wanted else unpainted


def _painted(text: str, color: str) -> str:
    return click.style(text, fg=color)
