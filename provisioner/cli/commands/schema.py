"""`provision schema`."""

from __future__ import annotations

import click

from provisioner.cli.output import show_json


@click.command()
@click.argument("name", default="project")
def schema(name: str) -> None:
    """Print a JSON Schema, for editors.

    NAME is project (by default), credentials, plan, resolved (what policies see of a credential), or that of
    a vendor's fields, such as providers/payspace.
    """
    from provisioner import manifest
    from provisioner.providers import registry

    if name == "credentials":
        show_json(manifest.editor_schema(registry.load().declarations))
    else:
        show_json(manifest.schema(name))
