"""The plan that the README shows: a real one, of the quickstart after a month and some edits."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from click.testing import CliRunner

from provisioner.cli.program import program

EDITS = (
    ("nightly export to the general ledger", "nightly export to the ledger"),
    ("rotate: {allow_downtime: true}", "rotate: {every: 30d, before: 2d, allow_downtime: true}"),
)
"""Texts of the quickstart's manifest, and what they become."""

DELETED = re.compile(r"  payroll-report:\n(?:    .*\n)+")

ADDED = """
  ledger-feed:
    provider: payspace
    owner: team-ledger
    scopes: [read-only]
    environments: [production]
    deliver: [app-env]
"""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d(?= UTC)")
"""What is another one with each run."""


def shown_plan() -> str:
    """The text of the plan, from a project of its own that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "payments"
        _provision("init", str(root))
        _provision("-C", str(root), "apply", "--auto-approve")
        _provision("-C", str(root), "sandbox", "clock", "--advance", "29d")
        manifest = root / "credentials" / "example.yaml"
        manifest.write_text(_edited(manifest.read_text(encoding="utf-8")), encoding="utf-8")
        return _provision("-C", str(root), "plan")


def same(one: str, other: str) -> bool:
    """Whether two plans differ in their moments at most."""
    return _MOMENT.sub("", one) == _MOMENT.sub("", other)


def _edited(manifest: str) -> str:
    for before, after in EDITS:
        assert manifest.count(before) == 1, before
        manifest = manifest.replace(before, after)
    assert DELETED.search(manifest)
    return DELETED.sub("", manifest) + ADDED


def _provision(*args: str) -> str:
    ran = CliRunner().invoke(program, list(args))
    assert ran.exit_code == 0, ran.output
    return ran.stdout
