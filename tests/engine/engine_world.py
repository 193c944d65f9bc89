"""A whole small world for engine tests: a real store, real sealing, real sinks, and the vendors' twins.

Nothing in it stands in for our own code. Time is the twins' clock, and waiting moves it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from plan_cases import desired

from provisioner import state
from provisioner.core.model import Address, Desired, Kind, Record, Via
from provisioner.core.plan import Plan
from provisioner.core.planner import plan
from provisioner.core.project import Import, Limits, ProviderConfig, SinkConfig
from provisioner.core.provider import Provider
from provisioner.core.rails import Track, judge
from provisioner.core.secret import Secret
from provisioner.core.situation import Order, Situation
from provisioner.engine.apply import Summary, apply
from provisioner.engine.context import Context
from provisioner.engine.observe import expected_ids, observe
from provisioner.engine.ports import Person
from provisioner.providers import registry
from provisioner.providers.http import Http, Timing
from provisioner.sandbox.registry import VENDORS
from provisioner.sandbox.world import Sandbox
from provisioner.secrets.emergency import EmergencyFolder
from provisioner.secrets.identities import generate_identity
from provisioner.secrets.sealing import AgeSealer
from provisioner.secrets.sinks import open_sink
from provisioner.state.store import StateStore

ENVIRONMENTS = {"test": Kind.TEST, "production": Kind.PRODUCTION}
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass
class World:
    """One project in a folder, with its vendors. `with_identity` is whether this machine can open secrets."""

    root: Path
    sandbox: Sandbox
    recipient: str
    identity: Path
    declared: dict[Address, Desired] = field(default_factory=dict)
    orders: dict[Address, Order] = field(default_factory=dict)
    imports: list[Import] = field(default_factory=list)
    """What the manifests say is at the vendors already."""
    with_identity: bool = True
    state_url: str = "sqlite:///.provision/state.db"
    wrap: Callable[[Context], Context] = lambda context: context
    portals: Collection[str] = ()
    """The vendors that people manage in their portals; the others are called."""
    person: Person | None = None
    """Who does handoffs while an apply runs."""
    timeout: float = 30.0
    """Seconds of real time that a vendor may take for one answer."""
    skew: timedelta = timedelta(0)
    """How far this machine's clock is ahead of the vendors'."""
    app: Any = None
    """What the vendors are reached through; the sandbox's own app unless a test puts faults before it."""

    def declare(self, address: str, **given: Any) -> None:
        """Write, or rewrite, one manifest entry (see `plan_cases.desired`)."""
        made = desired(address, **given)
        self.declared[made.address] = replace(made, via=self._way(made.provider))

    def forget(self, address: str) -> None:
        """Delete one manifest entry."""
        del self.declared[Address.parse(address)]

    def now(self) -> datetime:
        """The time by this machine's clock."""
        return self.sandbox.now() + self.skew

    @contextmanager
    def store(self) -> Iterator[StateStore]:
        """The state store, opened anew."""
        with state.open_store(self.state_url, project="payments", root=self.root, clock=self.now) as opened:
            yield opened

    def plan(self, *, refresh: bool = True) -> Plan:
        """What would be done now."""
        with self.store() as store:
            return asyncio.run(self._plan(self.context(store), refresh=refresh))[0]

    def apply(self, made: Plan | None = None) -> Summary:
        """Plan, and apply that; or apply the plan that is given."""
        with self.store() as store:
            return self.apply_in(store, made)

    def apply_in(self, store: StateStore, made: Plan | None = None) -> Summary:
        """The same, in a store that is open already."""
        return asyncio.run(self._apply(self.context(store), made))

    def records(self) -> Mapping[Address, Record]:
        """What the store holds now."""
        with self.store() as store:
            return store.all_records()

    def record(self, address: str) -> Record:
        """One record."""
        return self.records()[Address.parse(address)]

    def delivered(self, address: str) -> dict[str, str]:
        """What the sink `app-env` holds for this address."""
        path = self.root / "secrets" / f"{address}.env"
        if not path.exists():
            return {}
        pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
        return {name: value.strip("'\"") for name, _, value in pairs}

    def live(self, provider: str, environment: str) -> list[str]:
        """The ids that the vendor itself counts as alive."""
        return [entry.id for entry in self.sandbox.ledger(provider, environment) if entry.ended_at is None]

    def works(self, address: str, provider: str, fields: Mapping[str, Any]) -> bool:
        """Whether what lies in the sink is accepted by the vendor."""
        parsed = Address.parse(address)
        prefix = parsed.name.upper().replace("-", "_") + "_"
        parts = {name.removeprefix(prefix).lower(): value for name, value in self.delivered(address).items()}
        return asyncio.run(self._works(provider, parsed, Secret(parts), fields))

    async def _works(
        self, provider: str, address: Address, secret: Secret, fields: Mapping[str, Any]
    ) -> bool:
        from provisioner.core.provider import Outcome, Spec

        opened = self._provider(provider, address.environment)
        found = await opened.verify(secret, Spec(address, dict(fields)))
        await opened.close()
        return found.outcome is Outcome.WORKS

    def context(self, store: StateStore) -> Context:
        """The engine's surroundings in this world."""
        loaded = _registry()
        sink = SinkConfig("app-env", "dotenv", {"path": "secrets/{environment}/{name}.env"})
        return self.wrap(
            Context(
                project="payments",
                store=store,
                sealer=AgeSealer(
                    dict.fromkeys(ENVIRONMENTS, (self.recipient,)),
                    [self.identity] if self.with_identity else [],
                ),
                emergency=EmergencyFolder(self.root),
                sinks={"app-env": open_sink(sink, self.root)},
                providers={
                    (name, environment): self._provider(name, environment)
                    for name in loaded.adapters.keys() & VENDORS.keys()
                    for environment in ENVIRONMENTS
                },
                via={
                    (name, environment): self._way(name)
                    for name in loaded.adapters
                    for environment in ENVIRONMENTS
                },
                declarations=loaded.declarations,
                now=self.now,
                sleep=self._sleep,
                nonce=lambda: secrets.token_hex(8),
                person=self.person,
            )
        )

    def _way(self, name: str) -> Via:
        return Via.PORTAL if name in self.portals else Via.API

    def _provider(self, name: str, environment: str) -> Provider:
        adapter = _registry().adapter(name)
        config = ProviderConfig(
            provider=name,
            environment=environment,
            endpoint=f"http://sandbox.test/{name}/{environment}",
            via=self._way(name),
            timeout=self.timeout,
        )
        token = Secret({"token": self.sandbox.token(name, environment)})
        timing = Timing(sleep=self._sleep, now=self.sandbox.now, jitter=lambda: 0.5)
        managing = token if config.via is Via.API else None
        return adapter.open(config, Http(config, managing, app=self.app or self.sandbox.app, timing=timing))

    async def _sleep(self, seconds: float) -> None:
        self.sandbox.advance(seconds)

    async def _plan(self, context: Context, *, refresh: bool = True) -> tuple[Plan, Situation]:
        now = context.now()
        situation = Situation(
            project="payments",
            state=self.state_url,
            environments=ENVIRONMENTS,
            desired=list(self.declared.values()),
            records=context.store.records(ENVIRONMENTS),
            operations=context.store.operations(ENVIRONMENTS),
            declarations=context.declarations,
            now=now,
            orders=self.orders,
            imports=self.imports,
        )
        if refresh:
            expected = expected_ids(situation.records.values(), situation.operations)
            seen = await observe(context.providers, _places(situation), expected)
            situation = replace(situation, observations=seen, observed_at=now)
        return plan(situation), situation

    async def _apply(self, context: Context, made: Plan | None) -> Summary:
        fresh, situation = await self._plan(context)
        chosen = made or fresh
        track = Track(
            situation.records,
            {
                change.address: context.declarations[change.provider].capabilities[Via(change.via)]
                for change in chosen.changes
            },
            Limits(revocations=100),
            allow_wider=True,
        )
        try:
            return await apply(context, chosen, judge(chosen, track), holder="test")
        finally:
            for provider in context.providers.values():
                await provider.close()


def _places(situation: Situation) -> set[tuple[str, str]]:
    """Where anything is declared, recorded or under way: what a vendor shows elsewhere changes no plan."""
    found = {(one.provider, one.address.environment) for one in (*situation.desired, *situation.operations)}
    for address, record in situation.records.items():
        issuers = {generation.provider or record.provider for generation in record.generations}
        found |= {(name, address.environment) for name in (record.provider, *issuers)}
    return found


@cache
def _registry() -> registry.Registry:
    """The providers at hand; finding them takes longer than a small apply."""
    return registry.load()


def make_world(root: Path) -> World:
    """An empty project with a key of its own."""
    generate_identity(root / "identity.txt")
    return open_world(root)


def open_world(root: Path, **given: Any) -> World:
    """A project that is there already, with nothing declared yet."""
    identity = root / "identity.txt"
    sandbox = Sandbox(root / ".provision" / "sandbox", clock=lambda: START)
    return World(root, sandbox, _recipient(identity), identity, **given)


def _recipient(identity: Path) -> str:
    """The public key that an identity file names in its comment."""
    (line,) = (line for line in identity.read_text().splitlines() if line.startswith("# public key: "))
    return line.removeprefix("# public key: ")


def deliver(name: str, *parts: str) -> list[dict[str, Any]]:
    """The `deliver` of a credential whose parts go to the sink under their default names."""
    prefix = name.upper().replace("-", "_")
    return [{"to": "app-env", "as": {f"{prefix}_{part.upper()}": part for part in parts}}]


CLIENT = ("client_id", "client_secret")
