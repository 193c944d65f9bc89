"""The schemas themselves: sound, whole, and of use to an editor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from declared import DECLARATIONS, Write
from jsonschema import Draft202012Validator

from provisioner import resources
from provisioner.core.capabilities import field_rules
from provisioner.errors import UsageError
from provisioner.manifest import editor_schema, schema

PROVIDERS = [name for name in resources.schema_names() if name.startswith("providers/")]


@pytest.mark.parametrize("name", resources.schema_names())
def test_schemas_are_sound(name: str) -> None:
    """Each schema is a valid one of draft 2020-12."""
    Draft202012Validator.check_schema(resources.schema(name))


@pytest.mark.parametrize("name", PROVIDERS)
def test_provider_schemas_say_what_changes_take(name: str) -> None:
    """Each field of a provider says what its change takes, and no unknown field passes."""
    found = resources.schema(name)
    assert field_rules(found).on_change
    assert found["additionalProperties"] is False


@pytest.mark.parametrize("name", [None, "project", "credentials"])
def test_schemas_are_whole(name: str | None) -> None:
    """What `provision schema` prints refers to no other file, and to nothing that is not there."""
    found = schema(name)
    references = set(_references(found))
    assert references
    assert set() == {one for one in references if one.removeprefix("#/$defs/") not in found["$defs"]}


def test_unknown_schema() -> None:
    """A schema that does not exist is refused, with those that do."""
    with pytest.raises(UsageError) as refused:
        schema("../pyproject")
    assert "project" in refused.value.remedy


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [one for value in node.values() for one in _references(value)]
    return [one for value in node for one in _references(value)] if isinstance(node, list) else []


@pytest.mark.parametrize(
    ("fields", "fine"),
    [
        ({"provider": "payspace", "scopes": ["read-only"], "user": "payroll-bot"}, True),
        ({"provider": "payspace", "scopes": ["rpp:merchant"]}, False),
        ({"provider": "payspace", "settings": {"development": True}}, False),
        ({"provider": "paynet", "scopes": ["rpp:merchant"]}, True),
        ({"provider": "paynet", "user": "payroll-bot"}, False),
        ({"provider": "listed", "allow_ips": ["203.0.113.7"]}, True),
        ({"provider": "nobody"}, False),
    ],
)
def test_editors_know_each_vendor(fields: dict[str, Any], fine: bool) -> None:
    """The schema for editors knows the fields of each provider, and those that it lacks."""
    credential = {"owner": "o", "environments": ["test"], **fields}
    validator = Draft202012Validator(editor_schema(DECLARATIONS))
    assert fine is validator.is_valid({"credentials": {"a": credential}})


def test_sound_manifests_need_no_jsonschema(write: Write) -> None:
    """Manifests without problems are read without the third of a second that jsonschema takes to import."""
    root = write({"credentials/a.yaml": _GOOD})
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "from declared import DECLARATIONS; from provisioner.manifest import load\n"
        "assert load(pathlib.Path(sys.argv[2]), DECLARATIONS).desired\n"
        "print('jsonschema' in sys.modules)"
    )
    words = [sys.executable, "-c", code, str(Path(__file__).parent), str(root)]
    assert "False\n" == subprocess.run(words, capture_output=True, text=True, check=True).stdout


_GOOD = """
credentials:
  a: {provider: payspace, owner: o, scopes: [read-only], environments: [test]}
"""
