"""What the README says that an edit takes is what planning and validating make of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from readme_tables import REFUSED
from readme_text import generated, text

from provisioner import manifest
from provisioner.cli.program import program
from provisioner.core.capabilities import Declaration
from provisioner.core.journal import Action
from provisioner.core.model import Desired, Generation, GenerationState, Kind, Record
from provisioner.core.planner import plan
from provisioner.core.situation import Situation
from provisioner.errors import ManifestInvalid
from provisioner.manifest.words import VENDOR_FIELDS
from provisioner.providers import registry
from provisioner.sandbox.world import Sandbox

DECLARATIONS = registry.load().declarations
NOW = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)

SOME = (True, False, 17, 18, "203.0.113.7", "203.0.113.8", "ledger:read", "ledger:write")
MORE = ("client_credentials", "refresh_token", "https://one.example.com/a", "https://two.example.com/b")
"""Values to try on a field: two that its schema takes are an edit."""

LACKED: Mapping[str, Any] = {
    "description": "one",
    "user": "one",
    "scopes": ["one"],
    "allow_ips": ["203.0.113.7"],
    "settings": {"one": 1},
}


def _cells() -> Iterator[tuple[str, str, str]]:
    """Each provider, field and cell of the README's table."""
    titles, _, *rows = (
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in generated("fields", text()).splitlines()
    )
    for name, *cells in rows:
        for field, cell in zip(titles[1:], cells, strict=True):
            yield name.strip("`"), field.strip("`"), cell


def _told() -> Iterator[tuple[str, str, str]]:
    """Each provider, field or setting that it has, and what the README says that an edit takes."""
    for provider, field, cell in _cells():
        for part in cell.split("<br>"):
            takes, _, settings = part.partition(": ")
            for path in re.findall(r"`(\w+)`", settings) or [""]:
                if takes != REFUSED:
                    yield provider, f"{field}.{path}".strip("."), takes.removesuffix(", required")


REFUSALS = [(provider, field) for provider, field, cell in _cells() if cell == REFUSED]


def _values(schema: Mapping[str, Any]) -> tuple[Any, Any]:
    """Two values that a field takes."""
    items = schema.get("items", {})
    singles = (*schema.get("enum", ()), *items.get("enum", ()), *items.get("examples", ()), *SOME, *MORE)
    candidates = (value for one in singles for value in (one, [one]))
    fit = list(islice(filter(Draft202012Validator(schema).is_valid, candidates), 2))
    assert len(fit) == 2, f"no two values fit {schema}: add some to SOME"
    return fit[0], fit[1]


def _fields(declaration: Declaration, edited: str) -> dict[str, Any]:
    """Every field of a provider, with its first value, or with its second where it is the edited one."""

    def filled(schema: Mapping[str, Any], path: str) -> Any:
        if schema.get("type") == "object" and "properties" in schema:
            return {
                name: filled(one, f"{path}.{name}".strip(".")) for name, one in schema["properties"].items()
            }
        return _values(schema)[path == edited]

    found = filled(declaration.schema, "")
    assert isinstance(found, dict)
    return found


def _load(root: Path, declaration: Declaration, via: str, fields: Mapping[str, Any]) -> Desired:
    """A credential with these fields, read from a manifest as anybody's is."""
    user = fields.get("user")
    users = {"someone": {declaration.name: user}} if user is not None else {}
    project = {
        "project": "payments",
        "environments": {"test": {"kind": "test", "recipients": ["age1testtesttest"]}},
        "providers": {declaration.name: {"test": {"endpoint": "sandbox", "via": via}}},
        "users": users,
        "credentials": {
            "one": {
                "provider": declaration.name,
                "owner": "team",
                "environments": ["test"],
                **fields,
                **({"user": "someone"} if users else {}),
            }
        },
    }
    (root / "provision.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
    (desired,) = manifest.load(root, DECLARATIONS).desired
    return desired


def _recorded(desired: Desired) -> Record:
    """What the state knows once it was applied."""
    active = Generation(1, GenerationState.ACTIVE, "remote-1", "", NOW)
    return Record(
        desired.address,
        desired.provider,
        desired.via,
        desired.fields,
        desired.local,
        (active,),
        version=1,
        user=desired.user,
    )


def _planned(record: Record, desired: Desired) -> list[Action]:
    situation = Situation(
        project="payments",
        state="sqlite:///state.db",
        environments={"test": Kind.TEST},
        desired=[desired],
        records={record.address: record},
        operations=[],
        declarations=DECLARATIONS,
        now=NOW,
    )
    return [change.action for change in plan(situation).changes]


@pytest.mark.parametrize(("provider", "field", "takes"), list(_told()))
def test_an_edit_is_planned_as_told(provider: str, field: str, takes: str, tmp_path: Path) -> None:
    """An edit of a field takes what the README says, whichever way its vendor is reached."""
    declaration = DECLARATIONS[provider]
    for via in declaration.capabilities:
        before = _load(tmp_path, declaration, via.value, _fields(declaration, edited=""))
        assert [] == _planned(_recorded(before), before)
        after = _load(tmp_path, declaration, via.value, _fields(declaration, edited=field))
        assert [takes] == _planned(_recorded(before), after)


@pytest.mark.parametrize(("provider", "field"), REFUSALS)
def test_a_field_that_a_vendor_lacks_is_refused(provider: str, field: str, tmp_path: Path) -> None:
    """A field that the README says a vendor lacks is a problem at its own line."""
    declaration = DECLARATIONS[provider]
    fields = _fields(declaration, edited="") | {field: LACKED[field]}
    with pytest.raises(ManifestInvalid) as raised:
        _load(tmp_path, declaration, "api", fields)
    lines = (tmp_path / "provision.yaml").read_text().splitlines()
    (line,) = (number for number, one in enumerate(lines, 1) if one.startswith(f"    {field}:"))
    assert any(
        problem.startswith(f"provision.yaml:{line}:5: {provider} has no {VENDOR_FIELDS[field]}")
        for problem in raised.value.problems
    ), raised.value.problems


@pytest.mark.parametrize("provider", DECLARATIONS)
def test_what_is_called_required(provider: str, tmp_path: Path) -> None:
    """A manifest without any field is refused for those that the README calls required, and no other."""
    told = {field for name, field, cell in _cells() if name == provider and cell.endswith(", required")}
    problems: tuple[str, ...] = ()
    try:
        _load(tmp_path, DECLARATIONS[provider], "api", {})
    except ManifestInvalid as error:
        problems = error.problems
    assert sorted(told) == sorted(re.findall(r"needs `(\w+)`", "\n".join(problems)))


@pytest.fixture
def applied(tmp_path: Path) -> Path:
    """The quickstart, applied."""
    root = tmp_path / "quickstart"
    for args in (("init", str(root)), ("-C", str(root), "apply", "--auto-approve")):
        assert 0 == CliRunner().invoke(program, list(args)).exit_code
    return root


def _edit(root: Path, before: str, after: str) -> None:
    path = root / "credentials" / "example.yaml"
    manifest = path.read_text()
    assert manifest.count(before) == 1, before
    path.write_text(manifest.replace(before, after))


def _changes(root: Path) -> list[tuple[str, str]]:
    ran = CliRunner().invoke(program, ["-C", str(root), "plan", "--json"])
    assert 0 == ran.exit_code, ran.output
    return [(change["action"], change["address"]) for change in json.loads(ran.stdout)["changes"]]


def _writes(root: Path) -> int:
    with Sandbox(root / ".provision" / "sandbox") as twins:
        return twins.writes()


REPORT = "  payroll-report:\n    provider: payspace\n    owner: team-payroll\n"
"""How the credential of the quickstart begins that the tests edit."""


@pytest.mark.parametrize(
    "after",
    [
        REPORT.replace("team-payroll", "team-reports"),
        f"{REPORT}    labels: {{cost-centre: '4711'}}\n",
        f"{REPORT}    rotate: {{every: 60d}}\n",
        f"{REPORT}    protect: true\n",
        REPORT.replace("report:", "summary:\n    previously: payroll-report"),
    ],
    ids=["owner", "labels", "rotate", "protect", "previously"],
)
def test_what_only_we_keep(applied: Path, after: str) -> None:
    """An edit of what only provision keeps is an update, and no vendor is written to."""
    before = _writes(applied)
    _edit(applied, REPORT, after)
    ((action, _),) = _changes(applied)
    assert "update" == action
    assert 0 == CliRunner().invoke(program, ["-C", str(applied), "apply", "--auto-approve"]).exit_code
    assert (before, []) == (_writes(applied), _changes(applied))


def test_another_sink_needs_an_identity(applied: Path) -> None:
    """A delivery of what was sealed earlier is an update, which waits for an identity with 5."""
    project = applied / "provision.yaml"
    sink = 'sinks:\n  other: {type: dotenv, path: "secrets/other/{environment}/{name}.env"}'
    project.write_text(project.read_text().replace("sinks:", sink))
    _edit(applied, "deliver: [app-env]\n\n  # In", "deliver: [app-env, other]\n\n  # In")
    assert [("update", "test/payroll-report")] == _changes(applied)
    identity = (applied / ".provision" / "identity.txt").rename(applied.parent / "identity.txt")
    apply = ["-C", str(applied), "apply", "--auto-approve"]
    assert 5 == CliRunner().invoke(program, apply).exit_code
    assert 0 == CliRunner().invoke(program, [*apply, "--identity", str(identity)]).exit_code
    assert (applied / "secrets" / "other" / "test" / "payroll-report.env").is_file()


def test_provider_and_environments(applied: Path) -> None:
    """Another provider is a replace, another environment a create, and one less a revoke."""
    paynet = f"{REPORT.replace('payspace', 'paynet')}    rotate: {{allow_downtime: true}}\n"
    _edit(applied, REPORT, paynet)
    _edit(
        applied,
        "scopes: [read-only]\n    environments: [test]",
        "scopes: [rpp:merchant]\n    environments: [test, production]",
    )
    assert {("replace", "test/payroll-report"), ("create", "production/payroll-report")} == set(
        _changes(applied)
    )
    _edit(applied, "      production: {}\n", "")
    assert ("revoke", "production/payroll-export") in _changes(applied)
    assert 3 == CliRunner().invoke(program, ["-C", str(applied), "apply", "--auto-approve"]).exit_code
