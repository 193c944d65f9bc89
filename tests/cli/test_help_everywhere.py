"""The tree of commands: everything has help, and what lists it says the same."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from provisioner.cli.program import program


def _tree(command: click.Command, path: str = "provision") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _tree(found, f"{path} {name}")


TREE = list(_tree(program))


@pytest.mark.parametrize("command", [one for _, one in TREE], ids=[path for path, _ in TREE])
def test_help(command: click.Command) -> None:
    """Every command and every option has help, in sentences."""
    assert (command.help or "").strip().split("\n")[0].endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert (parameter.help or "").endswith("."), parameter.name


def test_the_table_says_what_the_commands_say() -> None:
    """The table, which is read without importing commands, has each command's own first line."""
    context = click.Context(program)
    for name, (_, line) in program.table.items():
        command = program.get_command(context, name)
        assert line == (command.help or "").split("\n")[0], name
