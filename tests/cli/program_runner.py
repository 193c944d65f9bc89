"""Runs the real program in this process, in a project of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from provisioner.cli.program import program
from provisioner.sandbox.world import Sandbox

MANIFEST = """\
project: payments
environments:
  test: {{kind: test, recipients: [{recipient}]}}
  production: {{kind: production, recipients: [{recipient}]}}
providers:
  payspace: {{test: {{endpoint: sandbox}}, production: {{endpoint: sandbox}}}}
  paynet: {{test: {{endpoint: sandbox}}, production: {{endpoint: sandbox}}}}
sinks:
  app-env: {{type: dotenv, path: "secrets/{{environment}}/{{name}}.env"}}
users: {{payroll-bot: {{payspace: svc.payroll}}, report-bot: {{payspace: svc.reports}}}}
defaults: {{deliver: [app-env]}}
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def last(self) -> str:
        return self.out.rstrip().splitlines()[-1]


@dataclass(frozen=True)
class Cli:
    """A project, and commands in it."""

    root: Path

    def __call__(self, *args: str, before: tuple[str, ...] = ()) -> Ran:
        ran = CliRunner().invoke(program, [*before, "-C", str(self.root), *args])
        if ran.exception and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return Ran(ran.exit_code, ran.stdout, ran.stderr)

    def write(self, credentials: str, *, more: str = "") -> None:
        """Declare these credentials, and say `more` in provision.yaml."""
        recipient = (self.root / ".provision" / "identity.txt").read_text().split()[3]
        (self.root / "provision.yaml").write_text(MANIFEST.format(recipient=recipient) + more)
        (self.root / "credentials").mkdir(exist_ok=True)
        (self.root / "credentials" / "all.yaml").write_text(f"credentials:\n{credentials}")

    def edit(self, before: str, after: str, file: str = "credentials/all.yaml") -> None:
        """Change one text of a file."""
        path = self.root / file
        text = path.read_text()
        assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {file}"
        path.write_text(text.replace(before, after))

    def applied(self, *args: str) -> Ran:
        """An apply that succeeds."""
        ran = self("apply", "--auto-approve", *args)
        assert ran.code == 0, ran.out + ran.err
        return ran

    def sandbox(self) -> Sandbox:
        """The twins of this project."""
        return Sandbox(self.root / ".provision" / "sandbox")

    def ledger(self, vendor: str, tenant: str) -> list[str]:
        """The status of everything that a vendor ever made for us, oldest first."""
        with self.sandbox() as twins:
            entries = twins.ledger(vendor, tenant)
        return ["ended" if one.ended_at else one.status for one in entries if one.label]


PAYROLL = """\
  payroll:
    provider: payspace
    owner: team-payroll
    description: general ledger
    user: payroll-bot
    scopes: [full-access]
    environments: [test]
"""
REPORT = """\
  report:
    provider: payspace
    owner: team-payroll
    scopes: [read-only]
    environments: [test]
"""
KEY = """\
  rpp:
    provider: paynet
    owner: team-payments
    scopes: [rpp:merchant]
    environments: [test]
"""
