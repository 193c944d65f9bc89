"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorated = Callable[..., Any]

DEFAULT_IDENTITY = Path(".provision", "identity.txt")
"""The identity that `provision init` makes; used where it lies and no other is given."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")

auto_approve = click.option("--auto-approve", is_flag=True, help="Do not ask before applying.")

allow_wider = click.option(
    "--allow-wider", is_flag=True, help="Let credentials in production get more access than they have."
)

identity = click.option(
    "--identity",
    "identities",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="PROVISION_IDENTITY",
    metavar="FILE",
    help="An age identity that opens sealed secrets; repeatable. By default PROVISION_IDENTITY, "
    f"else {DEFAULT_IDENTITY} where it exists.",
)

parallelism = click.option(
    "--parallelism",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="How many credentials to work on at the same time; vendors have limits of their own.",
)

hold_retire = click.option(
    "--hold-retire", is_flag=True, help="Keep older secrets beyond their overlap, as in an incident."
)


def selection(command: Decorated) -> Decorated:
    """What a plan is about."""
    for option in reversed(
        (
            click.option(
                "--env",
                "environments",
                multiple=True,
                metavar="NAME",
                help="Plan for this environment; repeatable. By default for all.",
            ),
            click.option(
                "--target",
                "targets",
                multiple=True,
                metavar="GLOB",
                help="Plan only for addresses like test/pay*; repeatable.",
            ),
            click.option(
                "--exclude",
                "excludes",
                multiple=True,
                metavar="GLOB",
                help="Leave addresses like test/pay* out; repeatable.",
            ),
            click.option(
                "--no-refresh",
                "refresh",
                flag_value=False,
                default=True,
                type=bool,
                help="Do not ask the vendors what is there now.",
            ),
            allow_wider,
        )
    ):
        command = option(command)
    return command


def identity_files(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """The identities given, or the project's own where it has one."""
    if given:
        return given
    return (DEFAULT_IDENTITY,) if DEFAULT_IDENTITY.is_file() else ()
