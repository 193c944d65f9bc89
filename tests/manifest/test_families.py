"""Families: `for_each` means what its members mean when they are written out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from declared import DECLARATIONS, Write
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from provisioner.core.model import Desired, Source
from provisioner.errors import ManifestInvalid
from provisioner.manifest import editor_schema, load, schema

BASE = (Path(__file__).parent.parent / "problems" / "base.provision.yaml").read_text()
KEYS = st.sampled_from(["eu", "us", "apac", "emea", "eu-west"])
ELEMENT = st.fixed_dictionaries(
    {
        "text": st.text(st.characters(codec="ascii", categories=["L", "N", "Zs"]), max_size=8),
        "scopes": st.sampled_from([["read-only"], ["full-access"]]),
        "where": st.sampled_from([["test"], ["test", "production"], {"production": {"protect": False}}]),
        "protect": st.booleans(),
    }
)


def _loaded(credentials: dict[str, Any], more: dict[str, Any] | None = None) -> Sequence[Desired]:
    files = {"credentials/a.yaml": {"credentials": credentials}, **(more or {})}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "credentials").mkdir()
        (root / "provision.yaml").write_text(BASE)
        for name, content in files.items():
            (root / name).write_text(yaml.safe_dump(content, sort_keys=False))
        return load(root, DECLARATIONS).desired


def _family(for_each: Any) -> dict[str, Any]:
    return {
        "for_each": for_each,
        "provider": "payspace",
        "owner": "team-{key}",
        "description": "{{{key}}} {value.text}",
        "user": "payroll-bot",
        "scopes": "{value.scopes}",
        "labels": {"region": "{key}"},
        "protect": "{value.protect}",
        "environments": "{value.where}",
        "deliver": [{"to": "app-env", "as": {"ID": "client_id"}}],
    }


def _written_out(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "provider": "payspace",
        "owner": f"team-{key}",
        "description": f"{{{key}}} {value['text']}",
        "user": "payroll-bot",
        "scopes": value["scopes"],
        "labels": {"region": key},
        "protect": value["protect"],
        "environments": value["where"],
        "deliver": [{"to": "app-env", "as": {"ID": "client_id"}}],
    }


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(KEYS, ELEMENT, min_size=1, max_size=4), st.sampled_from(["map", "list", "file of a list"])
)
def test_a_family_is_its_members(elements: dict[str, Any], how: str) -> None:
    """A family, as a map, as a list or from a file, is what its members are when they are written out."""
    listed = [{"key": key, **value} for key, value in elements.items()]
    for_each = {"map": elements, "list": listed, "file of a list": {"file": "regions.yaml"}}[how]
    family = _loaded({"payroll": _family(for_each)}, {"regions.yaml": listed})
    plainly = _loaded({f"payroll-{key}": _written_out(key, value) for key, value in elements.items()})
    assert [replace(one, source=Source("", 0)) for one in plainly] == [
        replace(one, source=Source("", 0), family="") for one in family
    ]
    assert {"payroll-{key}"} == {one.family for one in family}


FAMILY = """\
credentials:
  payroll:
    for_each: {for_each}
    name: "pay-{key}"
    provider: payspace
    owner: team
    scopes: [read-only]
    environments: [test]
"""


def _write(write: Write, for_each: str, more: str = "") -> list[tuple[str, str | None, int]]:
    text = FAMILY.replace("{for_each}", for_each) + more
    return [
        (d.address.name, d.previously, d.source.line)
        for d in load(write({"credentials/a.yaml": text}), DECLARATIONS).desired
    ]


@pytest.mark.parametrize(
    "for_each",
    [
        "[us, {key: emea, previously: eu}]",
        "{us: , emea: {previously: eu}}",
        "\n      us:\n      emea: {previously: eu}",
    ],
)
def test_a_renamed_key(write: Write, for_each: str) -> None:
    """`previously` beside an element is the name that its key had made, and each begins at its own line."""
    lines = (5, 4) if "\n" in for_each else (3, 3)
    assert [("pay-emea", "pay-eu", lines[0]), ("pay-us", None, lines[1])] == _write(write, for_each)


def test_the_last_of_many(write: Write) -> None:
    """Also the last of a hundred elements has the place where it stands."""
    elements = "".join(f"\n      k{number}:" for number in range(100))
    assert ("pay-k99", None, 103) in _write(write, elements)


def test_a_short_text_stands_for_no_end_of_values(write: Write) -> None:
    """A family that would stand for more values than can be looked at is refused before they are made."""
    keys, scopes = (", ".join(f"k{number}" for number in range(1000)) for _ in range(2))
    text = FAMILY.replace("{for_each}", f"[{keys}]").replace("read-only", scopes)
    with pytest.raises(ManifestInvalid) as caught:
        load(write({"credentials/a.yaml": text}), DECLARATIONS)
    said = "this family stands for 1,008,000 values, and at most for 1,000,000: split it up"
    assert [f"credentials/a.yaml:2:3: {said}"] == list(caught.value.problems)


def test_a_renamed_family(write: Write) -> None:
    """`previously` of a family renames all of it; beside a renamed key both count."""
    found = _write(write, "[us, {key: emea, previously: eu}]", '    previously: "payroll-{key}"\n')
    assert [("pay-emea", "payroll-eu", 3), ("pay-us", "payroll-us", 3)] == found


def test_a_family_says_what_a_credential_says() -> None:
    """Whatever a credential says, a family can say."""
    parts = schema("credentials")["$defs"]
    assert set(parts["credential"]["properties"]) <= set(parts["family"]["properties"])


@pytest.mark.parametrize(
    ("change", "fine"),
    [
        ({}, True),
        ({"for_each": []}, False),
        ({"name": "payroll"}, False),
        ({"scops": []}, False),
        ({"for_each": {"file": "a.yaml"}}, True),
    ],
)
def test_editors_know_families(change: dict[str, Any], fine: bool) -> None:
    """The schema for editors takes a family as reading does."""
    family = {**_family(["eu"]), **change}
    validator = Draft202012Validator(editor_schema(DECLARATIONS))
    assert fine is validator.is_valid({"credentials": {"payroll": family}})
