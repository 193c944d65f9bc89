"""Terraform beside us: built-in `terraform_data`, written in both ways, its state made by a real apply.

One resource with `for_each` over a map, or a block for each. Applying thousands takes it minutes, so what was
applied is kept in the cache. Plans run with `-refresh=false`, as ours with `--no-refresh`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks import tools
from benchmarks.processes import Contestant

ENVIRONMENT = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}
"""No call home, and nobody's own settings."""


def contestants(addresses: int) -> Iterator[Contestant]:
    """A plan without a change, in each way that ends in time; none where there is no `terraform`."""
    found = shutil.which("terraform")
    for way, text in WAYS.items() if found else ():
        if addresses > MOST.get(way, addresses):
            continue
        folder = tools.cache() / f"terraform-{way}-{addresses}"
        if not (folder / "applied").exists():
            _apply(str(found), folder, text(addresses))
        command = (str(found), "plan", "-input=false", "-no-color", "-lock=false", "-refresh=false")
        yield Contestant(f"Terraform {way}, no change", command, folder, ENVIRONMENT)


def appliers(folder: Path, addresses: int) -> Iterator[Contestant]:
    """An apply of all of them, in each way; none where there is no `terraform`."""
    found = shutil.which("terraform")
    for way, text in WAYS.items() if found else ():
        place = folder / f"terraform-{way}"
        place.mkdir(parents=True)
        (place / "main.tf").write_text(text(addresses))
        settings = {**os.environ, **ENVIRONMENT}
        subprocess.run([str(found), "init"], cwd=place, env=settings, check=True, capture_output=True)
        command = (str(found), "apply", "-input=false", "-auto-approve", "-no-color")
        yield Contestant(f"Terraform {way}, apply", command, place, ENVIRONMENT)


def _apply(terraform: str, folder: Path, text: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(text)
    for words in (["init", "-input=false"], ["apply", "-input=false", "-auto-approve", "-parallelism=50"]):
        subprocess.run(
            [terraform, *words],
            cwd=folder,
            env={**os.environ, **ENVIRONMENT},
            check=True,
            capture_output=True,
        )
    (folder / "applied").touch()


def _values(number: int) -> Mapping[str, object]:
    """About what one of our entries says."""
    return {
        "provider": "payspace",
        "owner": f"team-{number % 50}",
        "description": f"what unit {number} calls payspace for, every night",
        "scopes": ["full-access"],
        "user": f"user-{number % 20}",
        "labels": {"cost-centre": str(4000 + number % 100)},
    }


def _each(addresses: int) -> str:
    entries = {f"key-{number:06}": _values(number) for number in range(addresses)}
    return (
        f"locals {{\n  credentials = {json.dumps(entries, indent=2)}\n}}\n"
        'resource "terraform_data" "credential" {\n  for_each = local.credentials\n  input = each.value\n}\n'
    )


def _blocks(addresses: int) -> str:
    return "".join(
        f'resource "terraform_data" "key-{number:06}" {{\n  input = {json.dumps(_values(number))}\n}}\n'
        for number in range(addresses)
    )


def _count(addresses: int) -> str:
    return (
        f'resource "terraform_data" "credential" {{\n  count = {addresses}\n'
        '  input = { name = "key-${count.index}", scopes = ["read-only"] }\n}\n'
    )


WAYS: Mapping[str, Callable[[int], str]] = {"for_each": _each, "blocks": _blocks, "count": _count}

MOST: Mapping[str, int] = {"for_each": 500}
"""Up to how many: with `for_each` its time grows with the square, and 2,000 take it many minutes."""
