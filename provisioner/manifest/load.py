"""Reads a project: the quick way where all of it is sound, else the full way, which tells every problem."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner.core.capabilities import Declaration
from provisioner.core.project import Project
from provisioner.manifest import sound

if TYPE_CHECKING:
    from provisioner.manifest.resolve import Trace


def load(
    root: Path, declarations: Mapping[str, Declaration], trace: Trace | None = None, *, empty: bool = False
) -> Project:
    """The project in the folder `root`, with one `Desired` for each credential and environment, by address.

    `trace` is told of each one how to find the places of its fields; `empty` takes a project that declares
    nothing yet, for what plans nothing. Raises ManifestInvalid with all problems at once, in the order of
    file, line and column. Needs no network and no secret.
    """
    root = root.absolute()
    found = sound.load(root, declarations) if trace is None else None
    if found is not None:
        return found
    from provisioner.manifest import whole

    return whole.load(root, declarations, trace, empty=empty)
