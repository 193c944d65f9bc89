"""A large project, planned by its cache and without what is unchanged, has the plan that it has in full."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli

from provisioner.manifest.cache import FOLDER
from provisioner.manifest.sound import SMALL

PADDING = "# as large as manifests are that are worth a cache\n" * (SMALL // 40)


@pytest.fixture
def large(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Three credentials that were applied, in a file that is large."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache-home"))
    monkeypatch.setenv("PROVISION_AUTHOR", "somebody")
    cli.write(PAYROLL + REPORT + KEY + PADDING)
    cli.applied()
    return cli


def _small(cli: Cli) -> None:
    path = cli.root / "credentials" / "all.yaml"
    path.write_text(path.read_text().replace(PADDING, ""))


def _plan(cli: Cli, *options: str) -> dict[str, Any]:
    ran = cli("plan", "--no-refresh", "--json", *options)
    assert 0 == ran.code, ran.err
    plan: dict[str, Any] = json.loads(ran.out)
    return {name: value for name, value in plan.items() if name not in {"planned_at", "checks"}} | {
        "said": ran.err
    }


def _nothing(cli: Cli) -> Iterator[tuple[str, ...]]:
    yield ()
    yield ("--target", "test/r*")
    yield ("--exclude", "test/rpp")
    yield ("--at", "+80d")


def _edited(cli: Cli) -> Iterator[tuple[str, ...]]:
    cli.edit("general ledger", "the general ledger")
    yield ()
    yield ("--exclude", "test/payroll")


def _gone(cli: Cli) -> Iterator[tuple[str, ...]]:
    path = cli.root / "credentials" / "all.yaml"
    path.write_text(path.read_text().replace(PAYROLL, "").replace(REPORT, ""))
    yield ()


def _renamed(cli: Cli) -> Iterator[tuple[str, ...]]:
    cli.edit("  report:", "  reports:\n    previously: report")
    yield ()


def _due(cli: Cli) -> Iterator[tuple[str, ...]]:
    cli.edit("    owner: team-payments\n", "    owner: team-payments\n    rotate: {every: 30d}\n")
    cli.applied()
    yield ()
    yield ("--at", "+29d")
    yield ("--at", "+31d")


def _moved_on(cli: Cli) -> Iterator[tuple[str, ...]]:
    assert 0 == cli("sandbox", "clock", "--advance", "400d").code
    yield ()  # older than a built-in policy lets a secret be: that is told


@pytest.mark.parametrize("edit", [_nothing, _edited, _gone, _renamed, _due, _moved_on])
def test_the_plan_is_the_same(large: Cli, edit: Any) -> None:
    """Text for text: from cold, from the cache, and read the full way."""
    asked = list(edit(large))
    shutil.rmtree(large.root / FOLDER, ignore_errors=True)
    cold = [_plan(large, *options) for options in asked]
    assert (large.root / FOLDER).is_dir()
    warm = [_plan(large, *options) for options in asked]
    _small(large)
    assert [_plan(large, *options) for options in asked] == cold == warm


def test_nothing_changed_is_said_alike(large: Cli) -> None:
    """The text for people is the same with and without a look by the planner."""
    quick = large("plan", "--no-refresh")
    _small(large)
    assert large("plan", "--no-refresh") == quick
    assert "No changes. 3 credentials" == quick.out[:25]
