"""The schedules of examples/ can be read by what they are for, and run commands that there are."""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from provisioner.cli.program import program

FOLDER = Path(__file__).parent.parent.parent / "examples" / "schedules"
FILES = sorted(path for path in FOLDER.glob("*/*") if path.is_file())
COMMAND = re.compile(r"(?:^|[\s/])provision ((?:[a-z]+)(?: [^;|&>#\n]*)?)", re.MULTILINE)


def commands(path: Path) -> list[list[str]]:
    """Every `provision …` that a file runs, as words; what stands in comments is not run."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    return [shlex.split(found) for found in COMMAND.findall("\n".join(lines))]


def _texts(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for part in value.values():
                yield from _texts(part)
        case list():
            for part in value:
                yield from _texts(part)
        case str():
            yield value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_its_commands_are_ours(path: Path) -> None:
    """Each command, and each of its options, is one that the program takes."""
    context = click.Context(program)
    if path.suffix in (".service", ".yaml", ".yml"):
        assert commands(path)
    for name, *args in commands(path):
        command = program.get_command(context, name)
        assert command is not None, name
        command.make_parser(click.Context(command)).parse_args(list(args))


@pytest.mark.parametrize(
    "path", [one for one in FILES if one.suffix in (".yaml", ".yml")], ids=lambda p: p.name
)
def test_yaml(path: Path) -> None:
    """It is YAML, and no command is lost in its quoting."""
    texts = "\n".join(_texts(yaml.safe_load(path.read_text())))
    assert len(commands(path)) == len(COMMAND.findall(texts))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("systemd/*")), ids=lambda path: path.name)
def test_systemd(path: Path) -> None:
    """Each unit has its sections, and a service stops as `provision run` wants to be stopped."""
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd minds upper and lower case
    unit.read(path)
    assert unit["Unit"]["Description"]
    if path.suffix == ".timer":
        assert {"OnCalendar", "Persistent"} <= set(unit["Timer"])
    else:
        assert ("SIGTERM", "0077") == (unit["Service"]["KillSignal"], unit["Service"]["UMask"])


def test_the_cronjob_is_one() -> None:
    """Its parts are where Kubernetes looks for them: one round at a time, not as root, never retried."""
    job = yaml.safe_load((FOLDER / "kubernetes" / "cronjob.yaml").read_text())
    assert ("batch/v1", "CronJob", "Forbid") == (
        job["apiVersion"],
        job["kind"],
        job["spec"]["concurrencyPolicy"],
    )
    run = job["spec"]["jobTemplate"]["spec"]
    pod = run["template"]["spec"]
    assert (0, "Never", True) == (
        run["backoffLimit"],
        pod["restartPolicy"],
        pod["securityContext"]["runAsNonRoot"],
    )


def test_every_schedule_is_told_of() -> None:
    """The page names each file, and no other."""
    named = set(re.findall(r"\]\(([^.)][^)]+)\)", (FOLDER / "README.md").read_text()))
    assert {str(path.relative_to(FOLDER)) for path in FILES} == named
