"""Every file of tests/problems is a case: manifests that are wrong, and the exact lines that say so.

law: what the case shows, in one sentence
files: {PATH: TEXT}, laid over base.provision.yaml as provision.yaml; null leaves one out
make: {PATH: …} for what no text can be:
    {repeat: TEXT, times: N}   a file of the text N times
    {hex: DIGITS}              a file of these bytes
    {link: TARGET}             a symbolic link
    {folder: true}             a folder
problems: [LINE], in order; empty where the manifests are fine
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from declared import DECLARATIONS, Write

from provisioner.errors import ManifestInvalid
from provisioner.manifest import load

CASES = sorted(
    path
    for path in (Path(__file__).parent.parent / "problems").glob("*.yaml")
    if path.name != "base.provision.yaml"
)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_problem_case(path: Path, write: Write) -> None:
    """The problems of a case are exactly the lines that it lists, in that order."""
    case = yaml.safe_load(path.read_text())
    root = write(case.get("files", {}))
    for name, recipe in case.get("make", {}).items():
        make(root / name, recipe)
    assert case["problems"] == _problems(root)


def _problems(root: Path) -> list[str]:
    try:
        load(root, DECLARATIONS)
    except ManifestInvalid as invalid:
        return list(invalid.problems)
    return []


def make(path: Path, recipe: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    match recipe:
        case {"repeat": text, "times": times}:
            path.write_text(text * times)
        case {"hex": digits}:
            path.write_bytes(bytes.fromhex(digits))
        case {"link": target}:
            path.symlink_to(target)
        case {"folder": True}:
            path.mkdir(exist_ok=True)
        case _:
            raise ValueError(f"no recipe of this runner: {recipe}")
