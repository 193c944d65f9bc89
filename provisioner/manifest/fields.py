"""The vendor's fields of one credential: checked against its provider's schema, then in one normal form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from provisioner.core.capabilities import Declaration, Identity, field_rules
from provisioner.core.model import JsonObject, JsonValue, Kind
from provisioner.manifest import addresses
from provisioner.manifest.document import plain
from provisioner.manifest.problems import unknown
from provisioner.manifest.shape import Flaw, Shape
from provisioner.manifest.words import VENDOR_FIELDS


class Vendor(Struct, frozen=True):
    """A provider's declaration, ready to check many credentials."""

    declaration: Declaration
    shape: Shape
    sets: frozenset[str]
    kinds: Mapping[str, tuple[str, ...]]
    """The kinds of environment in which a field exists, for fields that do not exist in all (`x-kinds`)."""
    one_for_each_user: bool
    """Whether a user can have only one of its credentials, however it is reached (TC1)."""

    @classmethod
    def of(cls, declaration: Declaration) -> Vendor:
        """Compile a declaration."""
        kinds = {path: tuple(one["x-kinds"]) for path, one in _fields(declaration.schema) if "x-kinds" in one}
        alone = any(one.identity is Identity.USER for one in declaration.capabilities.values())
        return cls(declaration, Shape(declaration.schema), field_rules(declaration.schema).sets, kinds, alone)

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.declaration.name

    @property
    def paths(self) -> frozenset[str]:
        """Every field that it has, its settings as `settings.NAME` besides."""
        return frozenset(path for path, _ in _fields(self.declaration.schema))

    def holds(self, name: str) -> bool:
        """Whether the vendor has this field at all."""
        return name in self.declaration.schema.get("properties", {})


def check(vendor: Vendor, fields: JsonObject, environment: str, kind: Kind) -> Iterator[Flaw]:
    """Everything that the vendor would not take. `fields` hold the vendor's own name for the user."""
    for name in fields:
        if not vendor.holds(name):
            yield Flaw((name,), f"{vendor.name} has no {VENDOR_FIELDS[name]}: remove `{name}`", at_key=True)
    held = {name: value for name, value in fields.items() if vendor.holds(name)}
    for path, kinds in vendor.kinds.items():
        if kind not in kinds and _get(held, path) is not None:
            yield Flaw(tuple(path.split(".")), _wrong_kind(path, kinds, environment, kind), at_key=True)
    for index, text in addresses.check(held.get("allow_ips", ()), environment, kind):
        yield Flaw(("allow_ips", index), text)
    yield from vendor.shape.flaws(held, of=vendor.name)


def normal(vendor: Vendor, fields: JsonObject) -> dict[str, JsonValue]:
    """The same fields in the one form in which they are compared; nothing is added."""
    found = {name: plain(fields[name]) for name in VENDOR_FIELDS if name in fields and vendor.holds(name)}
    if "allow_ips" in found:
        found["allow_ips"] = addresses.canonical(found["allow_ips"])
    if found.get("settings") == {}:
        del found["settings"]
    for path in vendor.sets:
        name, _, inner = path.partition(".")
        holder, key = (found.get(name, {}), inner) if inner else (found, name)
        if key in holder and key != "allow_ips":
            holder[key] = _as_set(holder[key])
    return found


def identity(users: Mapping[str, JsonObject], name: str, provider: str) -> tuple[JsonValue, str]:
    """The vendor's name for a user, or None and what is wrong."""
    if name not in users:
        return None, unknown("user", name, users)
    if provider not in users[name]:
        return None, (
            f"user {name!r} has no identity at {provider}: "
            f"add `{provider}:` to it under `users` in provision.yaml"
        )
    return users[name][provider], ""


def _wrong_kind(path: str, kinds: tuple[str, ...], environment: str, kind: Kind) -> str:
    name = path.rpartition(".")[2]
    allowed = " or ".join(kinds)
    return (
        f"`{name}` exists only where kind is {allowed}, and {environment} is {kind}: "
        f"declare it only under environments of kind {allowed}"
    )


def _fields(schema: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    for name, field in properties.items():
        yield name, field
        if name == "settings":
            yield from ((f"settings.{inner}", value) for inner, value in field.get("properties", {}).items())


def _get(fields: JsonObject, path: str) -> JsonValue:
    name, _, inner = path.partition(".")
    value = fields.get(name)
    return value.get(inner) if inner and isinstance(value, dict) else value


def _as_set(values: JsonValue) -> JsonValue:
    if not isinstance(values, list):
        return values
    unique = {repr(value): value for value in values}
    return [unique[key] for key in sorted(unique)]
