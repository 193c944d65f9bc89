"""One vendor of the drift matrix: a credential for each finding, and somebody who works behind our back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml
from engine_world import ENVIRONMENTS, World, deliver, make_world
from msgspec.structs import replace
from operated import OperatorPerson

from provisioner.core.findings import Findings, findings
from provisioner.core.model import Address, Record
from provisioner.core.plan import Plan
from provisioner.core.planner import plan
from provisioner.engine.context import Context
from provisioner.engine.standing import ask
from provisioner.sandbox.operator import Operator

FOLDER = Path(__file__).parent.parent / "drift"


class Vendor:
    """The world of one file of tests/drift. Everything that it declares is applied."""

    def __init__(self, root: Path, name: str) -> None:
        self.case: Mapping[str, Any] = read(name)
        self.name = name
        self.world: World = make_world(root)
        self.world.person = OperatorPerson(self.world.sandbox)
        self.world.wrap = self._alone
        for number, (finding, row) in enumerate(self.case["findings"].items()):
            self._declare(f"{row.get('environment', 'test')}/{finding}", number, row)
        self.settle()

    def settle(self) -> None:
        """Apply until nothing is left, with everybody's approval."""
        self.world.apply()
        waiting = [
            entry.id
            for environment in ENVIRONMENTS
            for entry in self.world.sandbox.ledger(self.name, environment)
            if entry.status == "pending" and entry.ended_at is None
        ]
        for remote_id in waiting:
            self.world.sandbox.approve(self.name, remote_id)
        if waiting:
            self.world.apply()

    def address(self, finding: str) -> str:
        """The credential that a finding is tried on."""
        return f"{self.case['findings'][finding].get('environment', 'test')}/{finding}"

    def remote_id(self, address: str) -> str:
        """The vendor's id of it."""
        active = self.world.record(address).active
        assert active is not None
        return active.remote_id

    def works(self, address: str) -> bool:
        """Whether what its consumer was given is accepted."""
        return self.world.works(address, self.name, self.world.record(address).fields)

    def behind_our_back(self, address: str, act: Mapping[str, Any]) -> list[int]:
        """Somebody does this at the vendor; the status of each call that it took."""
        environment, recorded = address.split("/")[0], self.remote_id(address)
        remote_id = recorded.partition("@")[0]  # TimeClock's screens know users, not grants
        self.world.sandbox.advance(90)  # so that moments differ
        if "status" in act:
            with self.world.sandbox.tenancy(self.name, environment) as data:
                data.set_status(data.get(remote_id), act["status"])
            return []
        if "console" in act:
            given = {"fields": act.get("fields", {}), "remote_id": remote_id, "name": "", "tag": ""}
            work = Operator(self.world.sandbox).perform(self.name, environment, act["console"], **given)
            asyncio.run(work)
            return []
        calls = act["calls"] if "calls" in act else [act["call"]]
        return asyncio.run(self._call(environment, remote_id, calls, act.get("body")))

    def others(self, address: str) -> dict[str, Record]:
        """The records of all other credentials."""
        return {str(one): record for one, record in self.world.records().items() if str(one) != address}

    def look(self) -> tuple[Plan, Findings]:
        """What would be done now, and what is found; both know which credential is our own."""
        with self.world.store() as store:
            context = self.world.context(store)
            _, situation = asyncio.run(self.world._plan(context))
            own = asyncio.run(ask(context.providers, (), context.providers)).authorities
        situation = replace(situation, authorities=own)
        return plan(situation), findings(situation)

    def _alone(self, context: Context) -> Context:
        """Nobody else's vendor is asked: that would only take time."""
        providers = {place: one for place, one in context.providers.items() if place[0] == self.name}
        return replace(context, providers=providers)

    def _declare(self, address: str, number: int, row: Mapping[str, Any]) -> None:
        fields = dict(self.case["fields"])
        if self.name == "timeclock":
            fields["user"] = self._user(1001 + number)
        local = {"rotate": self.case.get("rotate")}
        if "ignore_drift" in row:
            local["ignore_drift"] = row["ignore_drift"]
        name = Address.parse(address).name
        delivered = deliver(name, *self.case["parts"])
        self.world.declare(address, provider=self.name, fields=fields, deliver=delivered, **local)

    def _user(self, number: int) -> int:
        """TC1: each access takes a user of its own."""
        with self.world.sandbox.tenancy("timeclock", "test") as data:
            data.put("user", str(number), {**data.stored("user", "18"), "id": number, "name": f"U{number}"})
        return number

    async def _call(self, environment: str, remote_id: str, calls: list[str], body: Any) -> list[int]:
        sandbox, statuses = self.world.sandbox, []
        headers = {"authorization": f"Bearer {sandbox.token(self.name, environment)}"}
        transport = httpx.ASGITransport(sandbox.app)
        async with httpx.AsyncClient(transport=transport, headers=headers) as client:
            for call in calls:
                method, path = call.format(id=remote_id).split(" ")
                url = f"http://twin/{self.name}/{environment}/{path}"
                json = body if method in {"POST", "PATCH"} else None
                statuses.append((await client.request(method, url, json=json)).status_code)
        return statuses


def read(name: str) -> dict[str, Any]:
    """The file of one vendor."""
    case: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return case


def in_short(made: Plan) -> dict[str, str]:
    """What is planned for each address, in short."""
    return {
        str(one.address): f"{one.action} ({'; '.join(reason.text for reason in one.reasons)})"
        for one in made.changes
    }
