"""What policies require, as JSON Schema: sound itself, and the same here as for jsonschema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from declared import DECLARATIONS, Write
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from provisioner import resources
from provisioner.cli.policing import fields_of
from provisioner.core.model import Address
from provisioner.core.policy import Level, resolved, violations
from provisioner.core.renewal import duration
from provisioner.manifest import load, locate, schema
from provisioner.manifest.built_in import BUILT_IN
from provisioner.manifest.quick import known_keywords
from provisioner.manifest.requirement import misfit, oldest
from provisioner.providers import registry

POLICY = {**schema("project")["$defs"]["policy"], "$defs": schema("project")["$defs"]}
EXAMPLES = Path(__file__).parent.parent.parent / "examples"

VALUES: Mapping[str, Any] = {
    "owner": st.sampled_from(["team-a", "b", ""]),
    "scopes": st.lists(st.sampled_from(["full-access", "read-only", "x"]), max_size=3),
    "settings": st.dictionaries(
        st.sampled_from(["a", "b"]), st.sampled_from([1, True, "a", None, 2.5]), max_size=2
    ),
    "rotate_days": st.sampled_from([1, 1.0, 90, 365, 366.5]),
    "protect": st.booleans(),
}
CREDENTIALS = st.fixed_dictionaries({}, optional=VALUES)


def _schemas(inner: Any) -> Any:
    some = st.lists(inner, min_size=1, max_size=2)
    names = st.sampled_from([*VALUES, "a", "b"])
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(names, inner, max_size=3),
            "required": st.lists(names, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "items": inner,
            "contains": inner,
            "if": inner,
            "then": inner,
            "else": inner,
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "not": inner,
        },
    )


LEAVES = st.one_of(
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", "string", "boolean", "number", ["integer", "null"]]),
            "enum": st.just(["team-a", 1, True]),
            "const": st.sampled_from([1, True, "b"]),
            "pattern": st.sampled_from(["^team-", "a$", "x"]),
            "minLength": st.integers(0, 3),
            "maxItems": st.integers(0, 2),
            "minProperties": st.integers(0, 3),
            "uniqueItems": st.booleans(),
            "maximum": st.sampled_from([90, 365]),
            "exclusiveMinimum": st.sampled_from([1, 90]),
            "exclusiveMaximum": st.sampled_from([1, 90]),
        },
    ),
)
REQUIREMENTS = st.recursive(LEAVES, _schemas, max_leaves=8)


@settings(max_examples=400, deadline=None)
@given(REQUIREMENTS, CREDENTIALS)
def test_policies_agree_with_jsonschema(require: Any, credential: dict[str, Any]) -> None:
    """Whatever a policy requires of whatever credential, it says what JSON Schema says, and where it may."""
    validator = Draft202012Validator(require)
    path = misfit(require)(credential)
    assert validator.is_valid(credential) is (path is None)
    if path is not None:
        errors = [tuple(error.absolute_path) for error in validator.iter_errors(credential)]
        assert any(error[: len(path)] == path[: len(error)] for error in errors)


def test_the_schema_of_requirements_is_what_is_known() -> None:
    """A requirement may hold exactly the keywords that the quick check knows."""
    said = set(POLICY["$defs"]["requirement"]["properties"])
    assert known_keywords() | {"then", "else", "title", "description"} == said | {"$ref"}


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_policies_are_policies(name: str) -> None:
    """Each built-in policy could stand in a provision.yaml, and only warns until a project says more."""
    assert [] == list(Draft202012Validator(POLICY).iter_errors(dict(BUILT_IN[name])))
    assert Level.WARN == BUILT_IN[name]["level"]


SEEN = {"vendor_fields": ["allow_ips"], "owner": "team", "protect": True, "rotate_days": 90}


@pytest.mark.parametrize(
    ("name", "change", "path"),
    [
        ("production-ip-list", {}, ()),
        ("production-ip-list", {"allow_ips": ["203.0.113.7/32"]}, None),
        ("production-ip-list", {"vendor_fields": ["scopes"]}, None),
        ("year-old-secret", {}, None),
        ("year-old-secret", {"rotate_days": 365}, None),
        ("year-old-secret", {"rotate_days": 366}, ("rotate_days",)),
        ("year-old-secret", {"rotate_days": None}, ()),
        ("year-old-secret", {"age_days": 365.0}, None),
        ("year-old-secret", {"age_days": 365.1}, ("age_days",)),
        ("guarded-full-access", {}, None),
        ("guarded-full-access", {"protect": False}, ("protect",)),
        ("guarded-full-access", {"owner": ""}, ("owner",)),
    ],
)
def test_built_in_policies(name: str, change: dict[str, Any], path: Any) -> None:
    """Each built-in policy lets pass what fits, and says of the rest what does not."""
    credential = {key: value for key, value in {**SEEN, **change}.items() if value is not None}
    assert path == misfit(BUILT_IN[name]["require"])(credential)


def test_the_age_that_is_said_outright() -> None:
    """Only a maximum of the age itself is one that can be told without looking at the rest."""
    assert 365.0 == oldest(BUILT_IN["year-old-secret"]["require"])
    assert oldest({"anyOf": [{"properties": {"age_days": {"maximum": 5}}}]}) is None
    assert oldest({"properties": {"age_days": True}}) is None
    assert oldest(False) is None


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("^a$", "a", "a\n"),
        (r"^costs \$5$", "costs $5", r"costs \Z5"),
        (r"^\\$", "\\", "\\\n"),
        ("^[$]$", "$", "$\n"),
        (r"^[^]\]$]$", "a", "$"),
    ],
)
def test_where_a_pattern_ends(pattern: str, fitting: str, other: str) -> None:
    """An end is the very end, even before a last newline; a dollar sign that is meant stays one."""
    fits = misfit({"properties": {"owner": {"pattern": pattern}}})
    assert fits({"owner": fitting}) is None
    assert ("owner",) == fits({"owner": other})


@pytest.mark.parametrize("example", ["quickstart", "two-environments", "all-vendors"])
def test_what_is_seen_is_as_documented(example: str) -> None:
    """Credentials are seen as `provision schema resolved` says, and the examples keep all policies."""
    declarations = registry.load().declarations
    validator = Draft202012Validator(resources.schema("resolved"))
    project = load(EXAMPLES / example, declarations)
    for one in project.desired:
        seen = resolved(one, fields_of(declarations[one.provider]), duration("5d"))
        assert [] == [error.message for error in validator.iter_errors(json.loads(json.dumps(seen)))]
    fields = {name: fields_of(one) for name, one in declarations.items()}
    found = violations(project.policies, project.desired, fields, datetime(2027, 1, 1, tzinfo=UTC))
    assert [] == [f"{one.address}: {one.text}" for one in found]


PLACES = """\
credentials:
  a:
    provider: listed
    owner: team
    allow_ips: [203.0.113.9, 203.0.113.0/29]
    settings: {colours: [red]}
    labels:
      region: eu
    deliver: [shared, app-env]
    environments:
      test:
      production: {owner: other, rotate: {every: 5d}}
  b:
    for_each: {eu: {who: bot}}
    provider: payspace
    owner: "{value.who}"
    scopes: [read-only]
    environments: [test]
"""


@pytest.mark.parametrize(
    ("address", "path", "place"),
    [
        ("test/a", (), (2, 3)),
        ("test/a", ("owner",), (4, 12)),
        ("production/a", ("owner",), (12, 27)),
        ("production/a", ("rotate_days",), (12, 50)),
        ("test/a", ("allow_ips", 0), (5, 5)),
        ("test/a", ("settings", "colours", 0), (6, 16)),
        ("test/a", ("labels", "region"), (8, 15)),
        ("test/a", ("labels", "team"), (2, 3)),
        ("test/a", ("deliver", 1, "target"), (9, 23)),
        ("test/a", ("protect",), (2, 3)),
        ("test/a", ("environment",), (2, 3)),
        ("test/a", ("age_days",), (2, 3)),
        ("test/b-eu", ("owner",), (14, 26)),
        ("test/b-eu", ("scopes",), (17, 5)),
    ],
)
def test_places(write: Write, address: str, path: tuple[Any, ...], place: tuple[int, int]) -> None:
    """What does not fit has the place where its nearest layer says it, or its credential's."""
    where = Address.parse(address)
    found = locate(write({"credentials/a.yaml": PLACES}), DECLARATIONS, {where: [path]})[where, path]
    assert ("credentials/a.yaml", *place) == (found.file, found.line, found.column)
