"""`provision providers`."""

from __future__ import annotations

import click

from provisioner.cli import options
from provisioner.cli.output import say, show, show_json
from provisioner.cli.values import plain


@click.command()
@click.argument("name", required=False)
@options.as_json
def providers(name: str | None, as_json: bool) -> None:
    """Show vendors, what they can do, and their rules.

    With NAME all of one vendor: its capabilities, how each field may change, and each rule with its source:
    the vendor's document, or ours where that is silent.
    """
    from provisioner.cli.rendering import providers as render_providers
    from provisioner.providers import registry

    found = registry.load()
    for broken in found.broken.values():
        say(f"Note: {plain(broken)}")
    if name is not None:
        declaration = found.adapter(name).declaration
        document = render_providers.one_json(declaration)
        text = render_providers.one_text(declaration)
    else:
        declarations = [found.declarations[each] for each in sorted(found.declarations)]
        document = {"providers": [render_providers.one_json(each) for each in declarations]}
        text = render_providers.all_text(declarations)
    if as_json:
        show_json(document)
    else:
        show(text)
