"""What `provision.yaml` says besides credentials: environments, providers, sinks, users, defaults, limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct, field

from provisioner.core.capabilities import Declaration
from provisioner.core.model import JsonObject, JsonValue, Kind, Via
from provisioner.core.project import Environment, Limits, ProviderConfig, SecretSource, SinkConfig
from provisioner.core.renewal import duration
from provisioner.manifest.document import Document, plain
from provisioner.manifest.layers import Layer
from provisioner.manifest.problems import Problems, unknown

STATE: Final = "sqlite:///.provision/state.db"
"""Where the store is if the project does not say."""

PLACEHOLDERS: Final = ("environment", "name", "provider")
"""What the path of a sink may hold in braces."""

_SINK_DEFAULTS: Final[Mapping[str, JsonObject]] = {
    "exec": {"timeout": "30s"},
    "vault": {"timeout": "15s", "mount": "secret"},
}
_OURS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""This machine, for those who call a vendor as well: what passes here must not be refused there."""

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


class House(Struct):
    """The parts that are sound, and the names of all, so that a flawed part is not also called unknown."""

    document: Document
    raw: JsonObject
    """The project file without its flawed parts."""
    environments: dict[str, Environment] = field(default_factory=dict)
    providers: dict[tuple[str, str], ProviderConfig] = field(default_factory=dict)
    sinks: dict[str, SinkConfig] = field(default_factory=dict)
    users: Mapping[str, JsonObject] = field(default_factory=dict)

    def names(self, of: str) -> Mapping[str, JsonValue]:
        """Everything that stands under this key of the file, sound or not."""
        return _mapping(_mapping(self.document.root).get(of))

    def configured(self, provider: str, environment: str) -> bool:
        """Whether the file speaks of this provider in this environment, soundly or not."""
        return environment in _mapping(self.names("providers").get(provider))

    def defaults(self, provider: str) -> tuple[Layer, ...]:
        """The layers under every credential of a provider, the farthest first."""
        everywhere = _mapping(self.raw.get("defaults"))
        of_provider = _mapping(_mapping(everywhere.get("providers")).get(provider))
        shared = {name: value for name, value in everywhere.items() if name != "providers"}
        return (
            Layer(shared, self.document, ("defaults",)),
            Layer(of_provider, self.document, ("defaults", "providers", provider)),
        )

    @property
    def name(self) -> str:
        """The project's name."""
        return str(self.raw.get("project", ""))

    @property
    def state(self) -> str:
        """The URL of the store."""
        return str(self.raw.get("state", STATE))

    @property
    def limits(self) -> Limits:
        """What the rails allow."""
        return Limits(**_mapping(self.raw.get("limits")))


def build(
    document: Document, raw: JsonObject, declarations: Mapping[str, Declaration], problems: Problems
) -> House:
    """Read the project file, and note what does not fit together in it."""
    house = House(document, raw, users=_mapping(raw.get("users")))
    for name, entry in _mapping(raw.get("environments")).items():
        options = {key: plain(value) for key, value in entry.items() if key not in ("kind", "recipients")}
        house.environments[name] = Environment(name, Kind(entry["kind"]), tuple(entry["recipients"]), options)
    for name, places in _mapping(raw.get("providers")).items():
        _check_provider(house, name, declarations, problems)
        for environment, entry in places.items():
            _add_provider(house, name, environment, entry, declarations, problems)
    for name, entry in _mapping(raw.get("sinks")).items():
        house.sinks[name] = _sink(name, entry)
        _check_sink(house, name, problems)
    _check_state(house, problems)
    _check_defaults(house, declarations, problems)
    return house


def _check_provider(
    house: House, name: str, declarations: Mapping[str, Declaration], problems: Problems
) -> None:
    if name not in declarations:
        place = house.document.place(("providers", name), key=True)
        problems.add(place, unknown("provider", name, declarations))


def _add_provider(
    house: House,
    name: str,
    environment: str,
    entry: JsonObject,
    declarations: Mapping[str, Declaration],
    problems: Problems,
) -> None:
    path = ("providers", name, environment)
    if environment not in house.names("environments"):
        problems.add(
            house.document.place(path, key=True),
            unknown("environment", environment, house.names("environments")),
        )
    config = _provider(name, environment, entry)
    refusal = _endpoint_refusal(config.endpoint)
    if refusal:
        problems.add(house.document.place((*path, "endpoint")), refusal)
    declared = declarations.get(name)
    if declared and config.via not in declared.capabilities:
        ways = ", ".join(sorted(declared.capabilities))
        key = (*path, "via") if "via" in entry else path
        problems.add(
            house.document.place(key),
            f"{name} cannot be reached by {config.via}: write `via:` with one of {ways}",
        )
    house.providers[name, environment] = config


def _provider(name: str, environment: str, entry: JsonObject) -> ProviderConfig:
    return ProviderConfig(
        provider=name,
        environment=environment,
        endpoint=entry["endpoint"],
        via=Via(entry.get("via", Via.API)),
        auth={key: _source(value) for key, value in entry.get("auth", {}).items()},
        parallelism=entry.get("parallelism", 10),
        timeout=duration(entry.get("timeout", "30s")).total_seconds(),
        options=plain(entry.get("options", {})),
    )


def _source(entry: JsonObject) -> SecretSource:
    ((how, argument),) = entry.items()
    return SecretSource(how, tuple(argument) if isinstance(argument, list) else argument)


def _endpoint_refusal(endpoint: str) -> str:
    if endpoint == "sandbox":
        return ""
    try:
        url = urlsplit(endpoint)
        host, port = url.hostname, url.port
    except ValueError:
        return "this endpoint is not a URL: write it like https://api.example.com"
    if not host or port == 0 or any(character.isspace() for character in endpoint):
        return "this endpoint is not a URL: write it like https://api.example.com"
    if url.username is not None or url.password is not None:
        return "no secret stands in a manifest: take user and password out of the endpoint, and use `auth`"
    if "?" in endpoint or "#" in endpoint:
        return "an endpoint ends with its path, as paths are added: take out `?`, `#` and what follows"
    if url.scheme == "http" and host not in _OURS:
        return "http would send secrets in clear: write https (http is only for this machine's own 127.0.0.1)"
    return ""


def _sink(name: str, entry: JsonObject) -> SinkConfig:
    kind = entry["type"]
    declared = {key: plain(value) for key, value in entry.items() if key != "type"}
    options = {**_SINK_DEFAULTS.get(kind, {}), **declared}
    if "timeout" in options:
        options["timeout"] = duration(options["timeout"]).total_seconds()
    return SinkConfig(name, kind, options)


def _check_sink(house: House, name: str, problems: Problems) -> None:
    options = house.sinks[name].options
    if "path" in options:
        _check_path(house, ("sinks", name, "path"), options["path"], problems)
    refusal = _endpoint_refusal(options["endpoint"]) if "endpoint" in options else ""
    if refusal:
        problems.add(house.document.place(("sinks", name, "endpoint")), refusal)


def _check_path(house: House, place: tuple[str, ...], path: str, problems: Problems) -> None:
    if {"", ".", ".."} & set(path.removeprefix("/").split("/")) or "\0" in path:
        problems.add(
            house.document.place(place),
            "this path must lead down, step by step, to a file: take out `.`, `..` and empty steps",
        )
    for placeholder in _PLACEHOLDER.findall(path):
        if placeholder not in PLACEHOLDERS:
            problems.add(house.document.place(place), unknown("placeholder", placeholder, PLACEHOLDERS))
    if set(_PLACEHOLDER.sub("", path)) & set("{}"):
        problems.add(
            house.document.place(place), "a brace stands alone in this path: write {environment} or {name}"
        )


def _check_state(house: House, problems: Problems) -> None:
    try:
        url = urlsplit(house.state)
        secret = url.password is not None or "password=" in url.query
    except ValueError:
        problems.add(
            house.document.place(("state",)), "`state` is not a URL: check its brackets and its port"
        )
        return
    if secret:
        problems.add(
            house.document.place(("state",)),
            "no secret stands in a manifest: take the password out of `state`, and set PGPASSWORD",
        )


def _check_defaults(house: House, declarations: Mapping[str, Declaration], problems: Problems) -> None:
    for name in _mapping(_mapping(house.raw.get("defaults")).get("providers")):
        if name not in declarations:
            place = house.document.place(("defaults", "providers", name), key=True)
            problems.add(place, unknown("provider", name, declarations))


def _mapping(value: JsonValue) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
