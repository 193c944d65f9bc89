"""`provision validate`."""

from __future__ import annotations

import click

from provisioner.cli import options
from provisioner.cli.output import show, show_json
from provisioner.cli.values import count_of
from provisioner.errors import ManifestInvalid


@click.command()
@options.as_json
def validate(as_json: bool) -> int:
    """Check the manifests, without network or secrets.

    Every problem is shown at once, as file:line:column: what, and what to do.
    """
    from provisioner.cli.session import open_session

    try:
        project = open_session().project
    except ManifestInvalid as error:
        if not as_json:
            raise
        show_json({"valid": False, "problems": list(error.problems)})
        return error.exit_code
    if as_json:
        show_json({"valid": True, "problems": []})
        return 0
    entries = count_of(len(project.desired), "credential")
    show(f"{entries} in {count_of(len(project.environments), 'environment')}: no problems.")
    return 0
