"""`provision completion`."""

from __future__ import annotations

import click

from provisioner.cli.output import show


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands.

    For bash: eval "$(provision completion bash)" in ~/.bashrc; for zsh the same in ~/.zshrc; for fish:
    provision completion fish > ~/.config/fish/completions/provision.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    show(kind(ctx.find_root().command, {}, "provision", "_PROVISION_COMPLETE").source())
