"""Our own commands as contestants, on projects of which all is applied, a part is edited, or nothing is."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks import filling, floor, projects, tools
from benchmarks.processes import Contestant

PROVISION = (str(Path(sys.executable).parent / "provision"),)
PLAN = (*PROVISION, "plan", "--no-refresh")

EDITED = 100
"""Every so many entries one is edited: 1 %."""


def contestants(folder: Path, addresses: int) -> Iterator[Contestant]:
    """Every command on a project of that size, each from cold unless it says warm."""
    same, edited, new = (folder / name for name in ("same", "edited", "new"))
    projects.write(same, addresses)
    filling.fill(same)
    projects.write(edited, addresses, edit_every=EDITED)
    shutil.copytree(same / ".provision", edited / ".provision")
    projects.write(new, addresses)
    yield _cold("validate, cold", (*PROVISION, "validate"), same)
    yield Contestant("validate, warm", (*PROVISION, "validate"), same)
    yield _cold("plan, no change, cold", PLAN, same)
    yield Contestant("plan, no change, warm", PLAN, same)
    yield _cold("plan, 1 % changed, cold", PLAN, edited)
    yield Contestant("plan, 1 % changed, warm", PLAN, edited)
    yield _cold("plan, all new, cold", PLAN, new)
    yield Contestant("status, warm", (*PROVISION, "status"), same)


def floors(folder: Path, *, alone: bool) -> Iterator[Contestant]:
    """Reading and parsing the same bytes, and reading the same rows; `alone` with what is installed here."""
    python = {"libyaml": sys.executable} if alone else dict.fromkeys(floor.PARSERS, str(tools.python()))
    for parser, interpreter in python.items():
        same = folder / "same"
        yield Contestant(f"floor, {parser}", (interpreter, floor.__file__, parser, str(same)), same)


def start() -> Sequence[Contestant]:
    """What starting takes, beside an interpreter that does nothing."""
    here = Path.cwd()
    return (
        Contestant("python -c pass", (sys.executable, "-c", "pass"), here),
        Contestant("provision --version", (*PROVISION, "--version"), here),
        Contestant("provision --help", (*PROVISION, "--help"), here),
        Contestant(
            "completion of a command",
            PROVISION,
            here,
            {"_PROVISION_COMPLETE": "bash_complete", "COMP_WORDS": "provision pl", "COMP_CWORD": "1"},
        ),
    )


def _cold(name: str, command: Sequence[str], folder: Path) -> Contestant:
    """What was parsed before is forgotten; the kernel's own cache of files is not."""
    forget = partial(shutil.rmtree, folder / ".provision" / "cache", ignore_errors=True)
    return Contestant(name, command, folder, before=forget)
