"""`provision validate`."""

from __future__ import annotations

import click

from provisioner.cli import options
from provisioner.cli.output import say, show, show_json
from provisioner.cli.values import count_of
from provisioner.errors import ManifestInvalid

MANY = 20
"""How many warnings are told one by one."""


@click.command()
@options.as_json
def validate(as_json: bool) -> int:
    """Check the manifests, without network or secrets.

    Every problem is shown at once, as file:line:column: what, and what to do. What a policy denies is a
    problem; what it only warns of is told on stderr.
    """
    from provisioner.cli.policing import findings
    from provisioner.cli.session import open_session

    warnings: tuple[str, ...] = ()
    try:
        session = open_session()
        found = findings(session)
        warnings = found.warnings
        if found.problems:
            raise ManifestInvalid(found.problems)
    except ManifestInvalid as error:
        if as_json:
            show_json({"valid": False, "problems": list(error.problems), "warnings": list(warnings)})
            return error.exit_code
        _warn(warnings)
        raise
    if as_json:
        show_json({"valid": True, "problems": [], "warnings": list(warnings)})
        return 0
    _warn(warnings)
    entries = count_of(len(session.project.desired), "credential")
    show(f"{entries} in {count_of(len(session.project.environments), 'environment')}: no problems.")
    return 0


def _warn(warnings: tuple[str, ...]) -> None:
    for line in warnings[:MANY]:
        say(f"Warning: {line}")
    if len(warnings) > MANY:
        say(f"Warning: {len(warnings) - MANY:,} more; --json has all, `provision policies list` counts them")
