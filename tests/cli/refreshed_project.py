"""A project over all five vendors in test and production, ready to be refreshed, for the drill."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from program_runner import Cli, Ran
from provider_on_twin import opened

from provisioner.core.provider import Outcome
from provisioner.core.secret import Secret
from provisioner.sandbox.world import Sandbox

VENDORS = ("payspace", "paytia", "paynet", "timeclock", "fpay")

FIELDS = {
    "payspace": "user: payroll-bot, scopes: [read-only]",
    "paytia": "description: cards",
    "paynet": "scopes: [rpp:merchant]",
    "timeclock": "user: {user}",
    "fpay": "scopes: [ReadOnly]",
}
"""What a credential of each vendor declares."""

FIRST_USER = 1000

MORE = """\
  paytia: {test: {endpoint: sandbox}, production: {endpoint: sandbox}}
  timeclock: {test: {endpoint: sandbox}, production: {endpoint: sandbox}}
  fpay: {test: {endpoint: sandbox}, production: {endpoint: sandbox}}
"""


@dataclass(frozen=True)
class Refreshed:
    """`each` credentials of each vendor, in test and in production, all applied and in use."""

    cli: Cli
    each: int
    only_in_test: int = 0
    """How many linked users of TimeClock production has never had."""

    def names(self, *vendors: str) -> list[str]:
        """The names of these vendors' credentials, or of all."""
        return [f"{vendor}-{n}" for vendor in vendors or VENDORS for n in range(self.each)]

    def build(self) -> None:
        """Declare, apply, approve and complete everything."""
        self.cli.write("".join(self._entries()))
        self.cli.edit("sinks:\n", f"{MORE}sinks:\n", "provision.yaml")
        users = [f"u{n}: {{timeclock: {FIRST_USER + n}}}" for n in range(self.each)]
        people = ", ".join(["payroll-bot: {payspace: svc.payroll}", *users])
        self.cli.edit("payroll-bot: {payspace: svc.payroll}", people, "provision.yaml")
        self.add_users("test", range(self.each))
        self.add_users("production", range(self.each - self.only_in_test))
        self.applied(0, 5)

    def _entries(self) -> Iterable[str]:
        for vendor in VENDORS:
            for n in range(self.each):
                everywhere = vendor != "timeclock" or n < self.each - self.only_in_test
                fields = FIELDS[vendor].format(user=f"u{n}")
                where = "[test, production]" if everywhere else "[test]"
                yield f"  {vendor}-{n}: {{provider: {vendor}, owner: t, {fields}, environments: {where}}}\n"

    def add_users(self, tenant: str, numbers: Iterable[int]) -> None:
        """Have people made at TimeClock."""
        with self.cli.sandbox() as twins, twins.tenancy("timeclock", tenant) as data:
            for n in numbers:
                known = {"id": FIRST_USER + n, "name": f"User {n}", "active": True}
                data.put("user", str(FIRST_USER + n), {**known, "email": None, "access": None, "pin": None})

    def applied(self, *codes: int) -> None:
        """Apply, decide as PayNet, and do what people do, until all is in use."""
        assert self.cli("apply", "--auto-approve").code in codes
        with self.cli.sandbox() as twins:
            for entry in twins.ledger("paynet", "production"):
                if entry.status == "pending":
                    twins.approve("paynet", entry.id)
        assert 0 == self.cli("sandbox", "operate").code
        ran = self.cli("apply", "--auto-approve")
        assert 0 == ran.code, ran.out

    def refresh(self) -> Ran:
        """What happens every week."""
        ran = self.cli("sandbox", "refresh")
        assert 0 == ran.code
        self.cli("sandbox", "clock", "--advance", "1h")
        return ran

    def production(self) -> list[tuple[object, ...]]:
        """Everything that the twins keep of production, to the byte, and how often it was written to."""
        with closing(sqlite3.connect(self.cli.root / ".provision/sandbox/sandbox.db")) as database:
            return [
                row
                for query in (
                    "SELECT * FROM tenants WHERE tenant = 'production' ORDER BY vendor",
                    "SELECT * FROM credentials WHERE tenant = 'production' ORDER BY seq",
                    "SELECT * FROM objects WHERE tenant = 'production' ORDER BY seq",
                    "SELECT access_tokens.* FROM access_tokens JOIN credentials ON seq = credential"
                    " WHERE tenant = 'production' ORDER BY digest",
                )
                for row in database.execute(query)
            ]

    def working(self, environment: str) -> list[str]:
        """The names whose secret, as it lies in their sink, is accepted by their vendor."""
        with self.cli.sandbox() as twins:
            return asyncio.run(self._working(twins, environment))

    async def _working(self, twins: Sandbox, environment: str) -> list[str]:
        found = []
        for vendor in VENDORS:
            async with opened(twins, vendor, environment) as twin:
                for name in self.names(vendor):
                    if parts := self.delivered(environment, name):
                        fields = {"user": int(parts.get("identifier", 0))}
                        seen = await twin.provider.verify(Secret(parts), twin.spec(fields))
                        found += [name] * (seen.outcome is Outcome.WORKS)
        return found

    def writes(self, tenant: str) -> int:
        """How many requests changed something there."""
        with self.cli.sandbox() as twins:
            return twins.writes(tenant=tenant)

    def live(self, tenant: str) -> dict[str, int]:
        """How many credentials with a tag of ours each vendor has there, and takes."""
        with self.cli.sandbox() as twins:
            return {
                vendor: sum(
                    one.label.startswith("provision/") and one.ended_at is None and one.status == "active"
                    for one in twins.ledger(vendor, tenant)
                )
                for vendor in VENDORS
            }

    def delivered(self, environment: str, name: str) -> dict[str, str]:
        """What the consumer of this credential reads."""
        path = self.cli.root / "secrets" / environment / f"{name}.env"
        if not path.exists():
            return {}
        prefix = name.upper().replace("-", "_") + "_"
        pairs = (line.partition("=") for line in path.read_text().splitlines() if line.startswith(prefix))
        return {name.removeprefix(prefix).lower(): value.strip("'\"") for name, _, value in pairs}
