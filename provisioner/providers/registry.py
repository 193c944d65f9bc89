"""Finds providers by the entry point group `provisioner.providers`, ours and other people's alike.

A plugin that cannot be used is reported by name and breaks no other: what it would have served becomes an
error only for a manifest that asks for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points

from msgspec import Struct

from provisioner.core.capabilities import Declaration
from provisioner.errors import ProviderError, UsageError
from provisioner.providers.adapter import PROTOCOL, Adapter

GROUP = "provisioner.providers"


class Registry(Struct, frozen=True):
    """The providers at hand, by name, and why others are not."""

    adapters: Mapping[str, Adapter]
    broken: Mapping[str, str]
    """By the plugin's name: what is wrong with it, in words."""

    @property
    def declarations(self) -> dict[str, Declaration]:
        """What is known of each provider without a call."""
        return {name: adapter.declaration for name, adapter in self.adapters.items()}

    def adapter(self, name: str) -> Adapter:
        """One provider. Raises ProviderError for a broken plugin, UsageError for a name nobody has."""
        if name in self.broken:
            raise ProviderError(self.broken[name], remedy="mend, update or remove the plugin")
        if name not in self.adapters:
            known = ", ".join(sorted(self.adapters))
            raise UsageError(f"there is no provider {name!r}", remedy=f"the providers are {known}")
        return self.adapters[name]


def load(found: Iterable[EntryPoint] | None = None) -> Registry:
    """Import every provider; `found` instead of what is installed is for tests."""
    adapters: dict[str, Adapter] = {}
    broken: dict[str, str] = {}
    for name, points in sorted(_by_name(entry_points(group=GROUP) if found is None else found).items()):
        try:
            adapters[name] = _usable(name, points)
        except _Unusable as error:
            broken[name] = str(error)
    return Registry(adapters, broken)


class _Unusable(Exception):
    """Why a plugin cannot be used, in words."""


def _by_name(found: Iterable[EntryPoint]) -> dict[str, list[EntryPoint]]:
    points: dict[str, dict[str, EntryPoint]] = defaultdict(dict)
    for point in found:
        points[point.name].setdefault(point.value, point)
    return {name: list(values.values()) for name, values in points.items()}


def _usable(name: str, points: list[EntryPoint]) -> Adapter:
    if len(points) > 1:
        # Which one gets the management token must not depend on the order of a search path.
        raise _Unusable(f"provider {name!r} comes from several plugins: {_all(points)}")
    (point,) = points
    return _checked(name, point, _imported(name, point))


def _imported(name: str, point: EntryPoint) -> object:
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - other people's code may do anything at import
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
    raise _Unusable(f"provider {name!r} from {_origin(point)} cannot be imported: {reason}")


def _checked(name: str, point: EntryPoint, loaded: object) -> Adapter:
    declaration = getattr(loaded, "declaration", None)
    protocol = getattr(declaration, "protocol", None)
    if protocol != PROTOCOL and isinstance(protocol, int):
        newer = "update provision" if protocol > PROTOCOL else "update the plugin"
        raise _Unusable(
            f"provider {name!r} from {_origin(point)} speaks protocol {protocol} and this provision"
            f" speaks {PROTOCOL}: {newer}"
        )
    if not isinstance(loaded, Adapter) or not isinstance(declaration, Declaration):
        raise _Unusable(
            f"provider {name!r} from {_origin(point)} is no provisioner.providers.adapter.Adapter"
        )
    if declaration.name != name:
        raise _Unusable(f"provider {name!r} from {_origin(point)} declares itself as {declaration.name!r}")
    return loaded


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _all(points: list[EntryPoint]) -> str:
    return ", ".join(sorted(_origin(point) for point in points))
