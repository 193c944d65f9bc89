"""Where secrets go: which variables in which sink."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from provisioner.core.capabilities import Declaration
from provisioner.core.delivery import variable_names
from provisioner.core.model import Address, JsonObject, JsonValue
from provisioner.core.project import SinkConfig
from provisioner.manifest.problems import unknown
from provisioner.manifest.shape import Flaw

_PLACEHOLDER: Final = re.compile(r"\{(environment|name|provider)\}")


def check(
    deliver: Sequence[JsonValue], sinks: Mapping[str, JsonValue], declaration: Declaration
) -> Iterator[Flaw]:
    """Names of sinks and of parts of the secret that do not exist."""
    for index, item in enumerate(deliver):
        sink = item if isinstance(item, str) else item["to"]
        if sink not in sinks:
            path = ("deliver", index) if isinstance(item, str) else ("deliver", index, "to")
            yield Flaw(path, unknown("sink", sink, sinks))
        for variable, part in _chosen(item).items():
            if part not in declaration.parts:
                yield Flaw(
                    ("deliver", index, "as", variable),
                    unknown("part", part, declaration.parts, where=f"a secret of {declaration.name}"),
                )


def resolve(
    deliver: Sequence[JsonValue],
    sinks: Mapping[str, SinkConfig],
    declaration: Declaration,
    address: Address,
) -> list[JsonObject]:
    """Each delivery with its variables and its target, for deliveries without problems."""
    found: list[JsonObject] = []
    for item in deliver:
        name = item if isinstance(item, str) else item["to"]
        variables = _chosen(item) or variable_names(address.name, declaration.parts)
        delivery = {"to": name, "as": variables, "target": target(sinks[name], declaration.name, address)}
        found.append(delivery | ({"pending": True} if sinks[name].options.get("pending") else {}))
    return found


def target(sink: SinkConfig, provider: str, address: Address) -> str:
    """Where a sink puts one credential's secret: a path relative to the project, a URL, or a command."""
    if "path" in sink.options:
        words = {"environment": address.environment, "name": address.name, "provider": provider}
        path = _PLACEHOLDER.sub(lambda match: words[match[1]], sink.options["path"])
        server = [str(sink.options[key]).strip("/") for key in ("endpoint", "mount") if key in sink.options]
        return "/".join([*server, path.lstrip("/")]) if server else path
    if "command" in sink.options:
        return shlex.join(sink.options["command"])
    return sink.name


def _chosen(item: JsonValue) -> dict[str, str]:
    return {} if isinstance(item, str) else dict(item.get("as", {}))
