"""`provision discover`."""

from __future__ import annotations

from pathlib import Path

import click

from provisioner.cli import options
from provisioner.cli.output import say, show, show_json
from provisioner.cli.values import plain
from provisioner.errors import UsageError


@click.command()
@click.option("--provider", "providers", multiple=True, metavar="NAME", help="Ask this vendor; repeatable.")
@click.option("--env", "environments", multiple=True, metavar="NAME", help="Ask there; repeatable.")
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Draft manifests in this folder, such as credentials; a file for each vendor, none overwritten. "
    "Needs --owner.",
)
@click.option("--owner", metavar="TEAM", help="Who answers for what is drafted.")
@options.as_json
def discover(
    providers: tuple[str, ...],
    environments: tuple[str, ...],
    folder: Path | None,
    owner: str | None,
    as_json: bool,
) -> int:
    """List what exists at the vendors and is not ours.

    Of what carries a tag of ours, that is what another project or another environment has. Drafts leave that
    out; they hold `import` entries, so that a plan on them imports, and changes nothing.
    """
    from provisioner.cli import discovering
    from provisioner.cli.session import open_session

    if (folder is None) != (owner is None) or not (owner is None or owner.strip()):
        raise UsageError("--write and --owner go together", remedy="write --write DIR --owner TEAM")
    session = open_session(empty=True)
    found = discovering.discover(session, providers, environments)
    for line in found.silent:
        say(f"Not observed: {plain(line)}")
    drafted = discovering.write(session, found, folder, owner) if folder and owner else None
    if as_json:
        show_json(discovering.to_json(found, drafted))
    else:
        show(discovering.text(found))
    if drafted is not None:
        for line in drafted.told:
            say(plain(line))
    return 1 if found.failed else 0
