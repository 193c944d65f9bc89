"""What the engine is handed: the vendors, opened late, and the sinks, opened early.

A credential may go on with something that its project no longer names; that is then an error of its own,
which stops that credential alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from provisioner.core.project import ProviderConfig, SinkConfig
from provisioner.core.provider import Provider
from provisioner.core.renewal import duration
from provisioner.errors import ProviderError, ProvisionError, SinkError

if TYPE_CHECKING:
    from provisioner.engine.ports import Sink

Place = tuple[str, str]
"""(provider, environment)."""


class Vendors(Mapping[Place, Provider]):
    """Each vendor in each environment. Raises ProviderError or SecretError when one cannot be opened."""

    def __init__(
        self, configs: Mapping[Place, ProviderConfig], open_: Callable[[ProviderConfig], Provider]
    ) -> None:
        self._configs = configs
        self._open = open_
        self.opened: dict[Place, Provider] = {}

    def __getitem__(self, place: Place) -> Provider:
        if place not in self.opened:
            self.opened[place] = self._open(self._config(place))
        return self.opened[place]

    def __iter__(self) -> Iterator[Place]:
        return iter(self._configs)

    def __len__(self) -> int:
        return len(self._configs)

    def __contains__(self, place: object) -> bool:
        return place in self._configs

    def _config(self, place: Place) -> ProviderConfig:
        if place not in self._configs:
            provider, environment = place
            raise ProviderError(
                f"provision.yaml does not say how {provider} is reached in {environment}",
                remedy=f"add `{environment}` under `providers: {{{provider}: …}}`",
            )
        return self._configs[place]


def cannot_open(vendors: Vendors, place: Place) -> str:
    """Why this vendor cannot be asked there, and what to do; empty where it can."""
    try:
        _ = vendors[place]
    except ProvisionError as error:
        return f"{error.why}: {error.remedy}" if error.remedy else error.why
    return ""


@asynccontextmanager
async def closing(vendors: Vendors) -> AsyncIterator[None]:
    """Let go of every connection at the end."""
    try:
        yield
    finally:
        for provider in vendors.opened.values():
            await provider.close()


class Sinks(dict[str, "Sink"]):
    """The declared sinks. Raises SinkError for one that cannot be, and later for one that is not declared."""

    def __init__(self, configs: Mapping[str, SinkConfig], root: Path) -> None:
        from provisioner.secrets.sinks import open_sink

        # All of them now: a sink that cannot be must be found before a vendor is asked for a secret.
        super().__init__({name: open_sink(_in_seconds(config), root) for name, config in configs.items()})

    def __missing__(self, name: str) -> Sink:
        raise SinkError(
            f"sink {name} is not declared any more, and a delivery to it is still due",
            remedy="declare it again under `sinks` in provision.yaml, then apply",
        )


def _in_seconds(config: SinkConfig) -> SinkConfig:
    """Manifests write `30s`; sinks count seconds."""
    timeout = config.options.get("timeout")
    if not isinstance(timeout, str):
        return config
    return replace(config, options={**config.options, "timeout": duration(timeout).total_seconds()})
