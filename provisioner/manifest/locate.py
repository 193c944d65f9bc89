"""Where something of a resolved credential was written, for what is only found out after reading."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path as Folder
from typing import Final

from provisioner.core.capabilities import Declaration
from provisioner.core.model import Address
from provisioner.core.policy import Path
from provisioner.manifest.load import load
from provisioner.manifest.problems import Place

_WRITTEN_AS: Final[Mapping[str, Path]] = {"rotate_days": ("rotate", "every")}
"""What policies see under another name than manifests have it."""

_DEPTHS: Final = {"rotate": 2, "settings": 2, "labels": 2, "deliver": 2}
"""How deep a path of a resolved credential leads in a manifest; the rest has one place, or was resolved."""

_RESOLVED: Final = frozenset({"name", "environment", "kind", "via", "vendor_fields", "age_days"})
"""What stands nowhere: its place is the credential's."""


def locate(
    root: Folder, declarations: Mapping[str, Declaration], wanted: Mapping[Address, Collection[Path]]
) -> dict[tuple[Address, Path], Place]:
    """The place of each path of a resolved credential (core.policy). Reads the manifests once more."""
    found: dict[tuple[Address, Path], Place] = {}

    def trace(address: Address, place: Callable[[Path], Place]) -> None:
        for path in wanted.get(address, ()):
            found[address, path] = place(_written(path))

    load(root, declarations, trace)
    return found


def _written(path: Path) -> Path:
    if not path or path[0] in _RESOLVED:
        return ()
    name = str(path[0])
    return _WRITTEN_AS.get(name, path[: _DEPTHS.get(name, 1)])
