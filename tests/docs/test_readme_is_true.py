"""The README says what is so: its generated parts, its commands, its manifests, its tables and its links."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import readme_tables
from click.testing import CliRunner
from readme_text import TOP, blocks, commands, generated, shell_lines, text

from provisioner import errors
from provisioner.cli import program as cli
from provisioner.core.rails import RAILS
from provisioner.providers import registry
from provisioner.secrets.sinks import SINKS

EXITS = re.compile(r"#.*\bexits with (?P<codes>\d+(?:(?:, | or )\d+)*)")
"""What stands behind a line of shell that may end otherwise than with 0."""

OUR_OWN_CODES = {0, 2, 5, 130}
"""The exit codes that are no error's: fine, pending, waiting, stopped."""


@pytest.mark.parametrize("name", readme_tables.PARTS)
def test_generated_parts(name: str) -> None:
    """What is generated in the README is what `make docs` would write now."""
    assert generated(name, text()) == readme_tables.PARTS[name]()


def _checked(line: str) -> str:
    """A line that stops the script where it ends otherwise than documented; the shell keeps its folder."""
    documented = EXITS.search(line)
    codes = re.findall(r"\d+", documented["codes"]) if documented else ["0"]
    return (
        f"{line}\ncode=$?\ncase $code in {'|'.join(codes)}) ;; "
        f'*) echo {line.split("#")[0].strip()!r} "ended with $code" >&2; exit 99 ;; esac'
    )


def test_the_shell_blocks_run(tmp_path: Path) -> None:
    """The README's shell blocks do, in their order and from an empty folder, what they are said to do."""
    script = "\n".join(_checked(line) for block in blocks() if block.runs for line in shell_lines(block.text))
    environment = {name: value for name, value in os.environ.items() if name != "PROVISION_IDENTITY"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Plan: 4 to create, 0 unchanged." in done.stdout
    assert "### provision plan" in (tmp_path / "payments" / "plan.md").read_text()


def _manifests() -> Iterator[tuple[str, str]]:
    for block in blocks():
        if block.language == "yaml":
            yield block.text.splitlines()[0].removeprefix("# "), block.text


def test_the_manifests_are_a_project(tmp_path: Path) -> None:
    """The README's manifests are one project without problems, with a credential of every vendor it has."""
    for path, content in _manifests():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(content)
    run = CliRunner()
    validated = run.invoke(cli.program, ["-C", str(tmp_path), "validate"])
    assert 0 == validated.exit_code, validated.output
    planned = run.invoke(cli.program, ["-C", str(tmp_path), "plan"])
    assert "Plan: 8 to create, 1 waiting, 0 unchanged." in planned.stdout  # its import is of nothing
    declared = set(re.findall(r"provider: (\w+)", "".join(content for _, content in _manifests())))
    assert registry.load().declarations.keys() - declared <= {"oauth2"}  # it needs a server of one's own


def _listed(title: str) -> list[str]:
    """The first cells of the table whose first title is this."""
    _, _, table = text().partition(f"\n| {title} |")
    rows = table.split("\n\n")[0].splitlines()[2:]
    return [row.split("|")[1].strip().strip("`") for row in rows]


def _error_codes(kind: type[errors.ProvisionError]) -> Iterator[int]:
    yield kind.exit_code
    for child in kind.__subclasses__():
        yield from _error_codes(child)


def test_exit_codes() -> None:
    """The README lists every exit code that the program can end with, and no other."""
    from_errors = set(_error_codes(errors.ProvisionError))
    listed = [int(code) for code in _listed("code")]
    assert sorted(from_errors | OUR_OWN_CODES) == listed
    assert listed == [int(code) for code in re.findall(r"^\| (\d+) \|", cli.__doc__ or "", re.MULTILINE)]


def test_rails_and_sinks() -> None:
    """The README lists the rails and the sinks that there are."""
    assert list(RAILS) == _listed("rail")
    assert sorted(SINKS) == _listed("sink")


def _resolved(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that these words name, and the words that are left for it."""
    command: click.Command = cli.program
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"there is no command {words[0]}"
        command, words = found, words[1:]
    return command, words


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_exist(words: list[str]) -> None:
    """Every command that the README names exists, with every option that it gives."""
    command, rest = _resolved(words)
    known = {name for one in command.params for name in one.opts} | {"--help"}
    assert {word for word in rest if word.startswith("-")} <= known
    assert not isinstance(command, click.Group) or "--help" in rest or command is cli.program


def _anchors(markdown: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md"])
def test_links(page: str) -> None:
    """Every link to a file or a heading leads somewhere."""
    markdown = (TOP / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", markdown):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        assert not path or ((TOP / page).parent / path).exists(), target
        assert not anchor or anchor in _anchors(markdown), target
