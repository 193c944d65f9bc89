"""`provision init`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from provisioner.cli import options
from provisioner.cli.output import say, show

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?")
"""What a project may be called (schemas/project.json)."""


@click.command()
@click.argument("directory", default=".", metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", help="The project's name; by default that of the folder.")
@click.option(
    "--from",
    "example",
    default="quickstart",
    show_default=True,
    metavar="EXAMPLE",
    help="The example to begin with: quickstart, two-environments, or all-vendors.",
)
def init(directory: Path, name: str | None, example: str) -> None:
    """Make a project that plans and applies at once on the sandbox.

    Writes an example's manifests to DIR, with an age identity of its own that git ignores. Nothing that is
    there is replaced.
    """
    from provisioner.cli.starting import start

    start(directory, _name(name, directory, example), example)
    where = "" if directory.resolve() == Path.cwd() else f" -C {directory}"
    show(f"{directory / 'provision.yaml'} and its credentials are written, with an identity of their own.")
    say(
        f"Keep {directory / options.DEFAULT_IDENTITY} safe: without it no sealed secret can be read.\n"
        f"Next:\n  provision{where} plan\n  provision{where} apply"
    )


def _name(given: str | None, directory: Path, example: str) -> str:
    if given is not None:
        if not NAME.fullmatch(given):
            raise click.BadParameter(
                "at most 24 small letters, digits and hyphens, with a letter or digit at both ends",
                param_hint="--name",
            )
        return given
    guess = re.sub(r"[^a-z0-9]+", "-", directory.resolve().name.lower())[:24].strip("-")
    return guess or example
