"""Families: which key a name has in one, and the rail against keys that were renamed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from plan_cases import DECLARATIONS, situation

from provisioner.core.family import coming, key_of
from provisioner.core.model import Via
from provisioner.core.planner import plan
from provisioner.core.project import Limits
from provisioner.core.rails import Track, judge


@pytest.mark.parametrize(
    ("template", "name", "key"),
    [
        ("payroll-{key}", "payroll-eu", "eu"),
        ("payroll-{key}", "payroll-eu-west", "eu-west"),
        ("payroll-{key}", "payroll-", None),
        ("payroll-{key}", "payroll", None),
        ("{key}", "anything", "anything"),
        ("{key}-of-{value.team}", "eu-of-blue", "eu"),
        ("{key}-{key}", "eu-eu", "eu"),
        ("{key}-{key}", "eu-us", None),
        ("a.{key}", "ab-eu", None),
    ],
)
def test_key_of_a_name(template: str, name: str, key: str | None) -> None:
    """A name belongs to a family where a key makes the template into it, all signs but the key's literal."""
    assert key == key_of(template, name)


def _verdicts(case: dict[str, Any], template: str = "payroll-{key}") -> list[tuple[str, str]]:
    what_is = situation(case)
    made = plan(what_is)
    declared = [replace(one, family=template) for one in what_is.desired]
    track = Track(
        what_is.records,
        {one.address: DECLARATIONS[one.provider].capabilities[Via.API] for one in made.changes},
        Limits(),
        families=coming(declared, what_is.records),
    )
    return [(str(one.address), one.remedy) for one in judge(made, track) if one.rail == "renamed"]


MOVED: dict[str, Any] = {"declared": {"test/payroll-emea": {}}, "records": {"test/payroll-eu": {}}}


def test_a_renamed_key_is_asked_about() -> None:
    """To revoke one of a family and create another is refused, with what to write in either case."""
    ((address, remedy),) = _verdicts(MOVED)
    assert "test/payroll-eu" == address
    assert "`previously: eu` at emea under for_each" in remedy
    assert "{name: payroll-eu, reason: …}" in remedy


@pytest.mark.parametrize("selection", [["test/payroll-eu"], ["test/payroll-e?"]])
def test_applying_in_parts_is_asked_about_too(selection: list[str]) -> None:
    """A renamed key is caught where the plan is about the one that ends alone."""
    ((address, _),) = _verdicts({**MOVED, "target": selection})
    assert "test/payroll-eu" == address


@pytest.mark.parametrize("key", ["7", "true", "01"])
def test_a_key_is_written_as_text(key: str) -> None:
    """What YAML would take for a number or a boolean stands in quotes in the words to write."""
    ((_, remedy),) = _verdicts({**MOVED, "records": {f"test/payroll-{key}": {}}})
    assert f'`previously: "{key}"`' in remedy


@pytest.mark.parametrize(
    "case",
    [
        {**MOVED, "removed": [{"name": "payroll-eu", "reason": "the office closed"}]},
        {"declared": {"test/payroll-emea": {}}, "records": {"production/payroll-eu": {"protect": False}}},
        {"declared": {"test/payroll-emea": {}}, "records": {"test/report-eu": {}}},
        {"declared": {"test/payroll-emea": {"previously": "payroll-eu"}}, "records": {"test/payroll-eu": {}}},
        {"declared": {"test/payroll-emea": {}}, "records": {"test/payroll-eu": {}, "test/payroll-emea": {}}},
    ],
)
def test_what_is_no_renamed_key(case: dict[str, Any]) -> None:
    """What is meant, elsewhere, of another name, said to be renamed, or beside no create, passes."""
    assert [] == _verdicts(case)


def test_only_families_are_asked_about() -> None:
    """Credentials that stand alone may be revoked and created in one plan."""
    assert [] == _verdicts({**MOVED}, template="")
