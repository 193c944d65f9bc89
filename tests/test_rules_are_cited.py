"""No rule of a vendor is forgotten: each is declared by its provider, and cited by a test."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from provisioner.providers.registry import load

TESTS = Path(__file__).parent

RULES = {
    "payspace": ("PS1", "PS2", "PS3", "PS4", "PS5", "PS6", "PS7", "PS8"),
    "paytia": ("PY1", "PY2", "PY3", "PY4", "PY5", "PY6", "PY7", "PY8", "PY9"),
    "paynet": ("PN1", "PN2", "PN3", "PN4", "PN5", "PN6", "PN7"),
    "timeclock": ("TC1", "TC2", "TC3", "TC4", "TC5", "TC6", "TC7", "TC8"),
    "fpay": ("FP1", "FP2", "FP3", "FP4", "FP5", "FP6", "FP7", "FP8", "FP9", "FP10", "FP11"),
}
"""What the vendors' documents say, as rules with an id each."""

OURS = {"PS8", "PY8", "PY9", "PN7", "TC8", "FP11"}
"""The rules that fill a gap of a document; every other one is stated there."""


@cache
def _cited() -> frozenset[str]:
    """Every word of the docstring of a test."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.update((ast.get_docstring(node) or "").replace(",", " ").replace(":", " ").split())
    return frozenset(found)


@pytest.mark.parametrize("rule", [rule for rules in RULES.values() for rule in rules])
def test_every_rule_is_cited(rule: str) -> None:
    """A rule is held by at least one test, whose docstring names it."""
    assert rule in _cited()


@pytest.mark.parametrize("vendor", RULES)
def test_every_rule_is_declared(vendor: str) -> None:
    """A provider tells each rule of its vendor, in order, and which of them are ours."""
    told = load().declarations[vendor].rules
    assert RULES[vendor] == tuple(rule.id for rule in told)
    assert OURS & set(RULES[vendor]) == {rule.id for rule in told if rule.source == "ours"}
    assert {"document", "ours"} >= {rule.source for rule in told}
