"""What the other commands tell: init, show, status, state, secret, providers, schema, sandbox, completion."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli

from provisioner.secrets.identities import generate_identity
from provisioner.state import open_store


def test_init_writes_what_a_team_needs(tmp_path: Path) -> None:
    """A new project has its name, an identity for its owner alone, and ignores what git must not take."""
    assert 0 == Cli(tmp_path)("init", "My Project!").code
    root = tmp_path / "My Project!"
    assert "project: my-project" in (root / "provision.yaml").read_text()
    assert 0o600 == stat.S_IMODE((root / ".provision" / "identity.txt").stat().st_mode)
    assert [".provision/", "secrets/"] == (root / ".gitignore").read_text().splitlines()
    recipient = (root / ".provision" / "identity.txt").read_text().split()[3]
    assert 2 == (root / "provision.yaml").read_text().count(recipient)
    for manifest in (root / "provision.yaml", root / "credentials" / "example.yaml"):
        _, _, schema = manifest.read_text().splitlines()[0].partition("$schema=")
        assert "title" in json.loads((manifest.parent / schema).read_text())


def test_init_replaces_nothing(tmp_path: Path) -> None:
    """Where something is in the way nothing at all is written."""
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "example.yaml").write_text("mine")
    ran = Cli(tmp_path)("init")
    assert (1, True) == (ran.code, "would be replaced" in ran.err)
    assert ["credentials"] == [path.name for path in tmp_path.iterdir()]
    assert "mine" == (tmp_path / "credentials" / "example.yaml").read_text()


def test_init_in_a_repository(tmp_path: Path) -> None:
    """What a repository ignores already stays, and lines are added once."""
    (tmp_path / ".gitignore").write_text("*.pyc\nsecrets/")
    assert 0 == Cli(tmp_path)("init", "--name", "payments").code
    assert ["*.pyc", "secrets/", ".provision/"] == (tmp_path / ".gitignore").read_text().splitlines()
    assert 64 == Cli(tmp_path)("init", "other", "--name", "Not A Name").code


def test_status_of_every_state(cli: Cli) -> None:
    """Status tells what is declared only, what is active, what retires and what ended."""
    cli.write(PAYROLL + REPORT + KEY)
    cli.applied("--exclude", "test/rpp")
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    assert 0 == cli("revoke", "test/report", "--auto-approve", "--reason", "spilled").code
    rows = {row["address"]: row for row in cli("status", "--json").json["credentials"]}
    assert {"test/payroll": "active", "test/report": "revoked", "test/rpp": "not created"} == {
        address: row["state"] for address, row in rows.items()
    }
    assert (2, [1]) == (
        rows["test/payroll"]["generation"],
        [one["generation"] for one in rows["test/payroll"]["retiring"]],
    )
    assert rows["test/payroll"]["delivered_at"] is not None
    assert "3 credentials." == cli("status").last
    assert "spilled" in json.dumps(cli("show", "test/report", "--json").json["history"])


def test_show_one_address(cli: Cli) -> None:
    """Everything recorded of an address is shown, and never a secret, not even a sealed one."""
    cli.applied()
    shown, document = cli("show", "test/payroll"), cli("show", "test/payroll", "--json").json
    for word in ("svc.payroll", "delivered to app-env", "1  active", "create done"):
        assert word in shown.out
    assert {"address", "record", "generations", "operation", "history"} == set(document)
    assert "AGE ENCRYPTED" not in json.dumps(document)
    assert document == cli("state", "show", "test/payroll").json
    assert "test/payroll" == cli("state", "list").out.strip()


def test_an_address_that_is_not_there(cli: Cli) -> None:
    """A name that is nearly right is met with the right one."""
    cli.applied()
    for command in (
        ("show", "test/pay-roll"),
        ("revoke", "test/pay-roll"),
        ("secret", "get", "test/pay-roll"),
    ):
        ran = cli(*command)
        assert (1, True) == (ran.code, "did you mean test/payroll?" in ran.err)
    ran = cli("renew", "test/pay-roll")
    assert (1, True) == (ran.code, "test/pay-roll is not declared" in ran.err)


def test_a_secret_is_read_with_an_identity_and_audited(cli: Cli) -> None:
    """A secret is what its sink got, and each read is an audit row with the field that was read."""
    cli.applied()
    delivered = dict(
        line.split("=", 1) for line in (cli.root / "secrets/test/payroll.env").read_text().splitlines()
    )
    one = cli("secret", "get", "test/payroll", "--field", "client_secret")
    assert delivered["PAYROLL_CLIENT_SECRET"] == one.out
    assert set(delivered.values()) == set(cli("secret", "get", "test/payroll", "--json").json.values())
    assert f"client_secret={one.out}" in cli("secret", "get", "test/payroll").out
    with open_store(
        "sqlite:///.provision/state.db", project="payments", root=cli.root, clock=_never
    ) as store:
        reads = [row.detail for row in store.audit_log() if row.event == "secret read"]
    assert [{"field": "client_secret", "generation": 1}, *2 * [{"field": None, "generation": 1}]] == reads


def test_a_secret_needs_its_identity(cli: Cli, tmp_path: Path) -> None:
    """Another identity opens nothing, reads nothing and leaves no audit row."""
    cli.applied()
    generate_identity(tmp_path / "other.txt")
    for args in (("--identity", str(tmp_path / "other.txt")), ("--field", "nothing"), ("--generation", "7")):
        ran = cli("secret", "get", "test/payroll", *args)
        assert ran.code in (1, 64)
        assert "" == ran.out
    assert "secret read" not in json.dumps(cli("show", "test/payroll", "--json").json["history"])


def test_providers_tell_their_rules() -> None:
    """Each vendor is told with what it can do, how its fields change, and each rule's source."""
    cli = Cli(Path.cwd())
    assert "payspace" in cli("providers").out
    one = cli("providers", "paynet", "--json").json
    assert {"description": "update", "scopes": "replace"} == one["fields"]
    assert {"document", "ours"} == {rule["source"] for rule in one["rules"]}
    text = cli("providers", "paynet").out
    for rule in one["rules"]:
        assert rule["id"] in text
        assert rule["text"] in text
    for line in cli("providers", "oauth2").out.partition("takes:\n")[2].splitlines():
        assert "  rules:" == line or re.search(r"\S {2,}\S", line), "two columns run together"


def test_schemas_are_whole() -> None:
    """Every schema is printed as one document that refers to no other file."""
    cli = Cli(Path.cwd())
    for name in ("project", "credentials", "plan", "providers/payspace"):
        assert "credentials.json#" not in cli("schema", name).out
        assert "title" in cli("schema", name).json


def test_the_sandboxs_clock_is_the_projects(cli: Cli) -> None:
    """Where all vendors are twins, advancing their clock lets credentials become due."""
    cli.edit(
        "defaults: {deliver: [app-env]}",
        "defaults: {deliver: [app-env], rotate: {every: 90d}}",
        "provision.yaml",
    )
    cli.applied()
    assert 64 == cli("sandbox", "clock", "--advance", "soon").code
    assert 0 == cli("sandbox", "clock", "--advance", "91d").code
    assert "↻ test/payroll   renew           (older than 90d" in cli("plan").out
    cli.applied()
    cli("sandbox", "clock", "--advance", "25h")
    assert "Plan: 1 to retire, 0 unchanged." == cli("plan").last
    cli.applied()
    assert ["ended", "active"] == cli.ledger("payspace", "test")


def test_the_twins_token(cli: Cli) -> None:
    """The token that `sandbox token` prints is the one that the twin takes."""
    with cli.sandbox() as twins:
        assert twins.token("paynet", "test") == cli("sandbox", "token", "paynet", "test").out.strip()
    assert 64 == cli("sandbox", "token", "nobody", "test").code


def test_the_sandbox_needs_a_project(tmp_path: Path) -> None:
    """Outside of a project no sandbox is made by accident."""
    assert 1 == Cli(tmp_path)("sandbox", "list").code
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """Each shell gets a script that asks us by our own variable."""
    assert "_PROVISION_COMPLETE" in Cli(Path.cwd())("completion", shell).out


def test_bash_takes_the_completion(tmp_path: Path) -> None:
    """Bash reads the script without an error."""
    script = tmp_path / "completion.sh"
    script.write_text(Cli(Path.cwd())("completion", "bash").out)
    assert 0 == subprocess.run(["bash", "-n", script], check=False).returncode


def _never() -> None:
    raise AssertionError("reading the audit log asks no clock")
