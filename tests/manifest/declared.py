"""Declarations made of the real schemas, so that manifests are tested without any provider's code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from provisioner import resources
from provisioner.core.capabilities import (
    Capabilities,
    Declaration,
    Identity,
    Observe,
    Renewal,
    SecretAccess,
)
from provisioner.core.model import Via

Write = Callable[[Mapping[str, str | None]], Path]
"""The fixture `write`: manifests by path, laid over the base project."""

_ABLE = Capabilities(SecretAccess.ONCE, Identity.LABEL, Renewal.OVERLAP, Observe.LIST)


_IN_PLACE = Capabilities(SecretAccess.RETRIEVABLE, Identity.LABEL, Renewal.IN_PLACE, Observe.LIST)


_ONE_EACH = Capabilities(SecretAccess.RETRIEVABLE, Identity.USER, Renewal.IN_PLACE, Observe.LIST)


def declaration(
    name: str, schema: dict[str, object] | None = None, capabilities: Capabilities = _ABLE
) -> Declaration:
    """A vendor that is reached by calls and issues a client id and a client secret."""
    return Declaration(
        name=name,
        title=name,
        schema=schema or resources.schema(f"providers/{name}"),
        parts=("client_id", "client_secret"),
        capabilities={Via.API: capabilities},
        rules=(),
    )


LISTED = declaration(
    "listed",
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string", "x-on-change": "update"},
            "user": {"type": "integer", "x-on-change": "replace"},
            "allow_ips": {"type": "array", "x-set": True, "x-on-change": "update"},
            "settings": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "colours": {"type": "array", "x-set": True, "x-on-change": "update"},
                    "limits": {"type": "object", "x-on-change": "update"},
                },
            },
        },
    },
)
"""A made-up vendor with an IP list and settings of more than one shape."""

DECLARATIONS = {
    "payspace": declaration("payspace"),
    "paynet": declaration("paynet", capabilities=_IN_PLACE),
    "timeclock": declaration("timeclock", capabilities=_ONE_EACH),
    "listed": LISTED,
}
