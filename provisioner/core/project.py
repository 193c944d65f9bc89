"""A project as values: what `provision.yaml` says, once every file is read, checked and resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from provisioner.core.model import Address, Desired, JsonObject, Kind, Source, Via
from provisioner.core.policy import Policy


class SecretSource(Struct, frozen=True):
    """Where to get a vendor's management secret; the manifest never holds it."""

    how: str
    """`env`, `file` or `exec`."""
    argument: str | tuple[str, ...]
    """The variable's name, the file's path, or the command's words."""


class Environment(Struct, frozen=True):
    """One declared environment."""

    name: str
    kind: Kind
    recipients: tuple[str, ...]
    """The age recipients that secrets of this environment are sealed to."""
    options: JsonObject = field(default_factory=dict)


class ProviderConfig(Struct, frozen=True):
    """How one vendor is reached in one environment."""

    provider: str
    environment: str
    endpoint: str
    """A URL, or `sandbox` for the embedded twin."""
    via: Via = Via.API
    auth: Mapping[str, SecretSource] = field(default_factory=dict)
    parallelism: int = 10
    """How many requests may be under way at once."""
    timeout: float = 30.0
    """Seconds for one request."""
    options: JsonObject = field(default_factory=dict)
    """What this provider alone understands."""

    @property
    def where(self) -> str:
        """Both in words, as errors begin: `payspace in test`."""
        return f"{self.provider} in {self.environment}"


class SinkConfig(Struct, frozen=True):
    """A declared sink, not yet opened."""

    name: str
    type: str
    options: JsonObject


class Removed(Struct, frozen=True):
    """An entry under `removed`: this credential may go, even where it is protected."""

    name: str
    reason: str
    source: Source
    environments: tuple[str, ...] | None = None
    """Where it may go; None for everywhere."""


class Import(Struct, frozen=True):
    """An entry under `import`: what has this id at its vendor is this credential."""

    address: Address
    remote_id: str
    source: Source | None = None
    """Where a manifest says so; None for the command line."""
    secret_given: bool = False
    """Whether its secret came along, from the command line."""


class Limits(Struct, frozen=True):
    """What the rails allow; None for the default of design §6."""

    revocations: int | None = None


class Project(Struct, frozen=True):
    """Everything that the manifests say."""

    name: str
    root: Path
    """The folder of `provision.yaml`; relative paths start there."""
    state: str
    """The URL of the store."""
    environments: Mapping[str, Environment]
    providers: Mapping[tuple[str, str], ProviderConfig]
    """By (provider, environment)."""
    sinks: Mapping[str, SinkConfig]
    desired: Sequence[Desired]
    """In the order of their addresses."""
    removed: tuple[Removed, ...] = ()
    limits: Limits = Limits()
    policies: tuple[Policy, ...] = ()
    """The built-in ones, and the project's own."""
    imports: tuple[Import, ...] = ()
    users: Mapping[str, JsonObject] = field(default_factory=dict)
    """What each user of the manifests is called at each vendor, by provider."""
