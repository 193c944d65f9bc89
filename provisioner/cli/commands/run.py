"""`provision run`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from provisioner.cli import options
from provisioner.errors import UsageError

LEAST = timedelta(seconds=1)


@click.command()
@click.option(
    "--every",
    default="10m",
    show_default=True,
    metavar="TIME",
    help="How often to look for what is due, like 10m or 6h.",
)
@click.option(
    "--once", is_flag=True, help="Do one round, and end as an apply would: for timers and CronJobs."
)
@options.parallelism
@options.identity
def run(every: str, once: bool, parallelism: int, identities: tuple[Path, ...]) -> int:
    """Renew, retire and recover what is due, again and again, until stopped.

    Nothing is created, updated or revoked because of the manifests: that takes a plan that somebody looks
    at. What is renewed is renewed as it was last applied. The manifests are read anew for each round; while
    they have problems nothing is done, and the log says so. What fails is left alone for a minute, then for
    twice as long each time, up to an hour; the others do not wait for it.

    Writes JSON, one object a line, on stdout. The first Ctrl-C or SIGTERM finishes what is in flight; the
    second stops at once, and the next run recovers.
    """
    from provisioner.cli.json_lines import write_line
    from provisioner.cli.keeping import Keeper, real_time, signals
    from provisioner.cli.moments import length
    from provisioner.cli.rounds import Rounds

    pause = length(every, "--every")
    if pause < LEAST:
        raise UsageError(f"--every {every!r} leaves no time between the rounds", remedy="write 1s or more")
    with signals(write_line) as stop:
        files = options.identity_files(identities)
        rounds = Rounds(Path.cwd(), files, parallelism, write_line, stop.is_set)
        keeper = Keeper(rounds, pause, real_time(stop), write_line)
        if once:
            return keeper.once()
        write_line("started", every=every)
        keeper.until_stopped(stop.is_set)
        write_line("stopped")
    return 0
