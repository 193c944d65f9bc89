"""What sound manifests come to: defaults, overrides, identities, normal forms, targets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from declared import DECLARATIONS, Write

from provisioner.core.model import Address, Desired, Kind, Source, Via
from provisioner.core.project import (
    Environment,
    Limits,
    ProviderConfig,
    Removed,
    SecretSource,
    SinkConfig,
)
from provisioner.manifest import load

PROJECT = """
project: payments
environments:
  test: {kind: test, recipients: [age1testtesttest]}
  production:
    kind: production
    recipients: [age1productionproduction, age1anotheranother]
    approvals: {required: 2, signers: signers.txt}
providers:
  payspace:
    test: {endpoint: sandbox}
    production:
      endpoint: https://api.payspace.example
      auth: {token: {env: PAYSPACE_TOKEN}, key: {file: key.pem}, pin: {exec: [pass, show, pin]}}
      parallelism: 8
      timeout: 2m
      options: {company: 4}
sinks:
  app-env: {type: dotenv, path: "secrets/{environment}/{provider}/{name}.env"}
  store: {type: exec, command: [./deliver, --to, the store]}
  vault:
    {type: vault, endpoint: "https://vault.example/", path: "apps/{name}", auth: {token: {env: VAULT_TOKEN}}}
users:
  payroll-bot: {payspace: svc.payroll}
limits: {revocations: 3}
defaults:
  rotate: {every: 90d, before: 7d}
  labels: {from: project, project: "yes"}
  providers:
    payspace: {description: by provider, labels: {from: provider, provider: "yes"}}
"""

PAYROLL = """
credentials:
  payroll-export:
    provider: payspace
    owner: team-payroll
    user: payroll-bot
    scopes: [full-access]
    labels: {from: credential, credential: "yes"}
    rotate: {every: 60d}
    deliver: [app-env, {to: store, as: {KEY: client_secret}}, {to: vault, as: {key: client_id}}]
    previously: payroll-gl
    environments:
      test:
        settings: {development_mode: true}
        labels: {from: environment}
        rotate: null
        description: by environment
        deliver: []
      production:
removed:
  - {name: old-kiosk, reason: kiosk retired, environments: [test]}
"""


def test_a_credential_is_resolved_whole(write: Write) -> None:
    """A credential comes to one value for each environment, the nearest layer winning, mappings merged."""
    root = write({"provision.yaml": PROJECT, "credentials/payroll.yaml": PAYROLL})
    source = Source("credentials/payroll.yaml", 3, 3)
    production = Desired(
        address=Address("production", "payroll-export"),
        kind=Kind.PRODUCTION,
        provider="payspace",
        via=Via.API,
        fields={"description": "by provider", "user": "svc.payroll", "scopes": ["full-access"]},
        local={
            "owner": "team-payroll",
            "labels": {"from": "credential", "project": "yes", "provider": "yes", "credential": "yes"},
            "deliver": [
                {
                    "to": "app-env",
                    "as": {
                        "PAYROLL_EXPORT_CLIENT_ID": "client_id",
                        "PAYROLL_EXPORT_CLIENT_SECRET": "client_secret",
                    },
                    "target": "secrets/production/payspace/payroll-export.env",
                },
                {"to": "store", "as": {"KEY": "client_secret"}, "target": "./deliver --to 'the store'"},
                {
                    "to": "vault",
                    "as": {"key": "client_id"},
                    "target": "https://vault.example/secret/apps/payroll-export",
                },
            ],
            "rotate": {"every": "60d", "before": "7d"},
            "protect": True,
        },
        source=source,
        user="payroll-bot",
        previously="payroll-gl",
    )
    test = Desired(
        address=Address("test", "payroll-export"),
        kind=Kind.TEST,
        provider="payspace",
        via=Via.API,
        fields={
            "description": "by environment",
            "user": "svc.payroll",
            "scopes": ["full-access"],
            "settings": {"development_mode": True},
        },
        local={
            "owner": "team-payroll",
            "labels": {"from": "environment", "project": "yes", "provider": "yes", "credential": "yes"},
            "deliver": [],
            "rotate": None,
            "protect": False,
        },
        source=source,
        user="payroll-bot",
        previously="payroll-gl",
    )
    assert (production, test) == load(root, DECLARATIONS).desired


def test_the_rest_of_a_project(write: Write) -> None:
    """Environments, providers, sinks, limits and removals come with their defaults filled in."""
    root = write({"provision.yaml": PROJECT, "credentials/payroll.yaml": PAYROLL})
    project = load(root, DECLARATIONS)
    assert ("payments", root, "sqlite:///.provision/state.db") == (project.name, project.root, project.state)
    assert Limits(3) == project.limits
    assert project.environments == {
        "test": Environment("test", Kind.TEST, ("age1testtesttest",)),
        "production": Environment(
            "production",
            Kind.PRODUCTION,
            ("age1productionproduction", "age1anotheranother"),
            {"approvals": {"required": 2, "signers": "signers.txt"}},
        ),
    }
    assert project.providers == {
        ("payspace", "test"): ProviderConfig("payspace", "test", "sandbox"),
        ("payspace", "production"): ProviderConfig(
            "payspace",
            "production",
            "https://api.payspace.example",
            auth={
                "token": SecretSource("env", "PAYSPACE_TOKEN"),
                "key": SecretSource("file", "key.pem"),
                "pin": SecretSource("exec", ("pass", "show", "pin")),
            },
            parallelism=8,
            timeout=120.0,
            options={"company": 4},
        ),
    }
    assert project.sinks == {
        "app-env": SinkConfig("app-env", "dotenv", {"path": "secrets/{environment}/{provider}/{name}.env"}),
        "vault": SinkConfig(
            "vault",
            "vault",
            {
                "endpoint": "https://vault.example/",
                "mount": "secret",
                "path": "apps/{name}",
                "auth": {"token": {"env": "VAULT_TOKEN"}},
                "timeout": 15.0,
            },
        ),
        "store": SinkConfig(
            "store", "exec", {"command": ["./deliver", "--to", "the store"], "timeout": 30.0}
        ),
    }
    where = Source("credentials/payroll.yaml", 21, 5)
    assert (Removed("old-kiosk", "kiosk retired", where, ("test",)),) == project.removed


LISTED = """
credentials:
  a:
    provider: listed
    owner: o
    environments: [test]
    {}
"""


def _fields(write: Write, line: str) -> Any:
    root = write({"credentials/a.yaml": LISTED.replace("{}", line)})
    return load(root, DECLARATIONS).desired[0].fields


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {}),
        ("settings: {}", {}),
        ("user: payroll-bot", {"user": 17}),
        (
            'allow_ips: ["2001:DB8::/48", 203.0.113.0/28, "2001:db8:1::1", 198.51.100.7]',
            {"allow_ips": ["198.51.100.7/32", "203.0.113.0/28", "2001:db8::/48", "2001:db8:1::1/128"]},
        ),
        ("settings: {colours: [red, blue, red]}", {"settings": {"colours": ["blue", "red"]}}),
        ("settings: {limits: {b: [2, 1]}}", {"settings": {"limits": {"b": [2, 1]}}}),
    ],
)
def test_fields_have_one_form(write: Write, line: str, expected: Any) -> None:
    """Fields come in one form: only what is declared, sets sorted without repetition, networks canonical."""
    assert expected == _fields(write, line)


def test_fields_are_plain_json(write: Write) -> None:
    """What leaves the manifests is plain dicts and lists, whose types compare and serialise as JSON does."""
    fields = _fields(write, "settings: {limits: {b: [2, {c: d}]}}")
    assert fields == json.loads(json.dumps(fields))
    assert [dict, dict, list, dict] == [
        type(fields["settings"]),
        type(fields["settings"]["limits"]),
        type(fields["settings"]["limits"]["b"]),
        type(fields["settings"]["limits"]["b"][1]),
    ]


def test_shared_blocks(write: Write) -> None:
    """A modest alias stands for what its anchor says."""
    shared = LISTED.replace("{}", "rotate: &r {every: 60d}\n    labels: {a: &t text}") + (
        "  b: {provider: listed, owner: *t, environments: [test], rotate: *r}\n"
    )
    root = write({"credentials/a.yaml": shared})
    first, second = load(root, DECLARATIONS).desired
    assert {"every": "60d"} == first.local["rotate"] == second.local["rotate"]
    assert "text" == second.local["owner"]


def test_files_at_any_depth(write: Write, tmp_path: Path) -> None:
    """Credentials stand in provision.yaml and in .yaml and .yml files at any depth, links followed."""
    one = "credentials: {%s: {provider: listed, owner: o, environments: [test]}}\n"
    base = (tmp_path.parent / "elsewhere").with_name(f"{tmp_path.name}-elsewhere")
    base.mkdir()
    (base / "d.yaml").write_text(one % "d")
    root = write({"credentials/b.yml": one % "b", "credentials/deep/er/c.YAML": one % "c"})
    with (root / "provision.yaml").open("a") as file:
        file.write(one % "a")
    (root / "credentials" / "linked").symlink_to(base)
    assert ["a", "b", "c", "d"] == [one.address.name for one in load(root, DECLARATIONS).desired]
