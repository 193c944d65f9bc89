"""Finds the manifests of a project and reads them, refusing what no manifest can be.

`provision.yaml`, and every `.yaml` or `.yml` under `credentials/` at any depth, sorted by name. Names that
begin with a dot are nobody's manifests (editors, and mounted volumes, keep theirs there). Links are
followed; a loop of links is a problem, since what lies behind it would silently be missing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from provisioner.manifest.problems import Place, Problems

PROJECT: Final = "provision.yaml"
CREDENTIALS: Final = "credentials"
SUFFIXES: Final = frozenset({".yaml", ".yml"})

MAX_BYTES: Final = 8 * 1024 * 1024
"""The largest manifest, about 30,000 credentials: more in one file cannot be reviewed by anybody."""


def find(root: Path, problems: Problems) -> list[Path]:
    """The manifests of the project in `root`, the project file first."""
    if not (root / PROJECT).exists() and not (root / PROJECT).is_symlink():
        hint = (
            "rename provision.yml, which is not read"
            if (root / "provision.yml").exists()
            else "run `provision init`, or name the project's folder"
        )
        problems.add(Place(PROJECT), f"there is no provision.yaml in this folder: {hint}")
        return []
    return [root / PROJECT, *_walk(root, root / CREDENTIALS, (), problems)]


def read(path: Path, root: Path, problems: Problems) -> str | None:
    """The text of one manifest; None where there is a problem with it."""
    place = Place(shown(path, root))
    try:
        status = path.stat()
        refusal = _refusal(status)
        if refusal:
            problems.add(place, refusal)
            return None
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, RuntimeError) as error:
        problems.add(place, _unreadable(error))
        return None
    return _decode(data, place, problems)


def shown(path: Path, root: Path) -> str:
    """The path as problems and plans name it: relative to the project, with nothing that breaks a line."""
    name = path.relative_to(root).as_posix()
    return name.encode("utf-8", "backslashreplace").decode().replace("\n", "\\n").replace("\r", "\\r")


def _walk(root: Path, folder: Path, above: tuple[str, ...], problems: Problems) -> Iterator[Path]:
    try:
        here = os.path.realpath(folder, strict=True)
        names = sorted(os.listdir(folder))  # noqa: PTH208  (sorted names are all that is needed)
    except FileNotFoundError:
        return  # credentials may all stand in provision.yaml
    except OSError as error:
        problems.add(Place(shown(folder, root)), _unreadable(error))
        return
    if here in above:
        problems.add(Place(shown(folder, root)), "this link leads back to a folder above it: remove the link")
        return
    for name in names:
        path = folder / name
        if name.startswith("."):
            continue
        if path.suffix.lower() in SUFFIXES:
            yield path
        elif path.is_dir():
            yield from _walk(root, path, (*above, here), problems)


def _refusal(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "this is not a file that can be read as a manifest: rename or remove it"
    if status.st_size > MAX_BYTES:
        return (
            f"the file has {status.st_size:,} bytes and a manifest at most {MAX_BYTES:,} (8 MiB): "
            "split it into several under credentials/"
        )
    return ""


def _unreadable(error: Exception) -> str:
    reason = getattr(error, "strerror", None) or "it cannot be reached"
    return f"this cannot be read ({reason}): mend its permissions or the link, or remove it"


def _decode(data: bytes, place: Place, problems: Problems) -> str | None:
    if len(data) > MAX_BYTES:
        problems.add(place, "the file grew past 8 MiB while it was read: run again when it is complete")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        problems.add(Place(place.file, line, column), "this is not UTF-8 text: save the file as UTF-8")
        return None
