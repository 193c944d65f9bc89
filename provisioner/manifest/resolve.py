"""From an entry to what is desired: one value for each environment, with every default applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from provisioner.core import renewal
from provisioner.core.capabilities import Declaration
from provisioner.core.model import Address, Desired, JsonObject, JsonValue, Kind, Source, Via
from provisioner.core.project import Environment
from provisioner.manifest import deliveries, fields, ignored
from provisioner.manifest.claims import Claims
from provisioner.manifest.entries import Entry
from provisioner.manifest.house import House
from provisioner.manifest.layers import Layer, merge, origin
from provisioner.manifest.problems import Place, Problems, unknown
from provisioner.manifest.shape import Flaw
from provisioner.manifest.words import VENDOR_FIELDS, Path

Trace = Callable[[Address, Callable[[Path], Place]], None]
"""What is told of each resolved credential how to find the place of something of it."""


class Resolver:
    """Resolves entries against one project."""

    def __init__(
        self,
        house: House,
        declarations: Mapping[str, Declaration],
        problems: Problems,
        trace: Trace | None = None,
    ) -> None:
        self.declarations = declarations
        self._house = house
        self._trace = trace
        self._problems = problems
        self._vendors: dict[str, fields.Vendor] = {}
        self._bases: dict[str, tuple[Layer, ...]] = {}
        self._claims = Claims(problems)

    def desired(self, entry: Entry) -> Iterator[Desired]:
        """What this entry asks for in each of its environments; problems are noted, and yield nothing."""
        vendor = self._vendor(entry)
        for name, override in entry.environments().items():
            environment = self._environment(entry, name)
            if vendor and environment:
                one = self._one(entry, vendor, environment, override)
                if one:
                    yield one

    def claims(self) -> Claims:
        """What is claimed by all that was resolved since this was asked last."""
        taken, self._claims = self._claims, Claims(self._problems)
        return taken

    def _vendor(self, entry: Entry) -> fields.Vendor | None:
        name = entry.values.get("provider")
        if name is None:
            return None  # missing or flawed, which is told already
        if name not in self.declarations:
            self._problems.add(entry.at("provider"), unknown("provider", name, self.declarations))
            return None
        if name not in self._vendors:
            self._vendors[name] = fields.Vendor.of(self.declarations[name])
            self._bases[name] = self._house.defaults(name)
        return self._vendors[name]

    def _environment(self, entry: Entry, name: str) -> Environment | None:
        known = self._house.names("environments")
        if not known:
            return None  # that the project has none is told already
        if name not in known:
            self._problems.add(entry.environment_place(name), unknown("environment", name, known))
            return None
        provider = str(entry.values.get("provider"))
        if provider in self.declarations and not self._house.configured(provider, name):
            self._problems.add(
                entry.environment_place(name),
                f"{provider} is not configured in {name}: add `{name}:` under `providers: {provider}:` in "
                "provision.yaml, or remove it here",
            )
        return self._house.environments.get(name)

    def _one(
        self, entry: Entry, vendor: fields.Vendor, environment: Environment, override: JsonObject
    ) -> Desired | None:
        layers = self._layers(entry, vendor.name, environment.name, override)
        merged = merge(layers)
        held, flaws = self._vendor_fields(merged, vendor, environment, flawed=entry.flawed)
        deliver: Sequence[JsonValue] = merged.get("deliver", ())
        flaws.extend(deliveries.check(deliver, self._house.names("sinks"), vendor.declaration))
        flaws.extend(self._rotation(merged, vendor, environment))
        flaws.extend(ignored.check(vendor, layers))
        if flaws:
            self._note(flaws, layers, entry)
            return None
        address = Address(environment.name, entry.name)
        config = self._house.providers.get((vendor.name, environment.name))
        local = self._local(entry, merged, vendor, environment, address)
        if local is None:
            return None
        if self._trace is not None:
            self._trace(address, lambda path: self._place(layers, Flaw(path, ""), entry))
        made = Desired(
            address=address,
            kind=environment.kind,
            provider=vendor.name,
            via=config.via if config else Via.API,
            fields=fields.normal(vendor, held),
            local=local,
            source=Source(entry.place.file, entry.place.line, entry.place.column),
            user=merged.get("user"),
            previously=entry.values.get("previously"),
            family=entry.family,
        )
        self._claim(made, vendor, layers, entry)
        return made

    def _layers(
        self, entry: Entry, provider: str, environment: str, override: JsonObject
    ) -> tuple[Layer, ...]:
        path = ("credentials", entry.name)
        own = Layer(entry.values, entry.document, path)
        if not override:
            return (*self._bases[provider], own)
        there = Layer(override, entry.document, (*path, "environments", environment))
        return (*self._bases[provider], own, there)

    def _vendor_fields(
        self, merged: JsonObject, vendor: fields.Vendor, environment: Environment, *, flawed: bool
    ) -> tuple[dict[str, JsonValue], list[Flaw]]:
        held = {name: merged[name] for name in VENDOR_FIELDS if name in merged}
        flaws: list[Flaw] = []
        if "user" in held and vendor.holds("user"):
            user, refusal = self._identity(held["user"], vendor.name)
            if refusal:
                flaws.append(Flaw(("user",), refusal))
            held["user"] = user
            if user is None:
                del held["user"]
                flawed = True
        found = fields.check(vendor, held, environment.name, environment.kind)
        # What is missing may only be missing because it was wrong.
        flaws.extend(flaw for flaw in found if not (flaw.missing and flawed))
        return held, flaws

    def _rotation(self, merged: JsonObject, vendor: fields.Vendor, environment: Environment) -> list[Flaw]:
        rotate = merged.get("rotate")
        config = self._house.providers.get((vendor.name, environment.name))
        capabilities = vendor.declaration.capabilities.get(config.via) if config else None
        if not rotate or capabilities is None:
            return []
        found = renewal.flaws(rotate, capabilities, vendor.name)
        return [Flaw(("rotate", flaw.key), flaw.text) for flaw in found]

    def _identity(self, name: str, provider: str) -> tuple[JsonValue, str]:
        if name in self._house.names("users") and name not in self._house.users:
            return None, ""  # the user has a flaw of its own
        return fields.identity(self._house.users, name, provider)

    def _local(
        self,
        entry: Entry,
        merged: JsonObject,
        vendor: fields.Vendor,
        environment: Environment,
        address: Address,
    ) -> dict[str, JsonValue] | None:
        deliver: Sequence[JsonValue] = merged.get("deliver", ())
        names = [item if isinstance(item, str) else item["to"] for item in deliver]
        if not all(name in self._house.sinks for name in names):
            return None  # a sink has a flaw of its own
        rotate = merged.get("rotate")
        return {
            "owner": merged.get("owner", ""),
            "labels": dict(merged.get("labels", {})),
            "deliver": deliveries.resolve(deliver, self._house.sinks, vendor.declaration, address),
            "rotate": dict(rotate) if rotate else None,
            "protect": merged.get("protect", environment.kind is Kind.PRODUCTION),
            **ignored.local(vendor, merged),
        }

    def _claim(self, made: Desired, vendor: fields.Vendor, layers: Sequence[Layer], entry: Entry) -> None:
        for index, delivery in enumerate(made.local["deliver"]):
            if "path" in self._house.sinks[delivery["to"]].options:
                place = partial(self._place, layers, Flaw(("deliver", index), ""), entry)
                self._claims.write(made.address, made.kind, delivery["target"], delivery["as"], place)
        if vendor.one_for_each_user and "user" in made.fields:
            place = partial(self._place, layers, Flaw(("user",), ""), entry)
            self._claims.link(made.address, vendor.name, made.fields["user"], place)

    def _note(self, flaws: Sequence[Flaw], layers: Sequence[Layer], entry: Entry) -> None:
        for flaw in flaws:
            self._problems.add(self._place(layers, flaw, entry), flaw.text)

    def _place(self, layers: Sequence[Layer], flaw: Flaw, entry: Entry) -> Place:
        place = origin(layers, flaw.path, key=flaw.at_key) if flaw.path else None
        return place or entry.place
