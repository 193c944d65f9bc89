"""The schemas of manifests, each whole in itself, for checking and for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner import resources
from provisioner.core.capabilities import Declaration
from provisioner.core.model import JsonValue
from provisioner.manifest.words import VENDOR_FIELDS

_ELSEWHERE: Final = "credentials.json#/$defs/"
_HERE: Final = "#/$defs/"


def schema(name: str | None = None) -> dict[str, Any]:
    """A schema by name, without references to other files; the project's if no name is given.

    Raises UsageError, naming those that exist, for a name that does not.
    """
    found = resources.schema(name or "project")
    if name in (None, "project"):
        found = _rehomed(found)
        found["$defs"] = {**resources.schema("credentials")["$defs"], **found["$defs"]}
    return found


def definition(name: str) -> dict[str, Any]:
    """One named part of the credentials schema, as a schema of its own."""
    parts = schema("credentials")["$defs"]
    return {**parts[name], "$defs": parts}


def editor_schema(declarations: Mapping[str, Declaration]) -> dict[str, Any]:
    """The credentials schema with each provider's own fields: what an editor offers while one types.

    It requires nothing of a vendor's fields, because defaults and overrides may bring them.
    """
    found = schema("credentials")
    found["$defs"]["credential"]["allOf"] = [
        {
            "if": {"required": ["provider"], "properties": {"provider": {"const": name}}},
            "then": {"properties": _offered(declaration)},
        }
        for name, declaration in sorted(declarations.items())
    ]
    found["$defs"]["credential"]["properties"]["provider"]["enum"] = sorted(declarations)
    return found


def _offered(declaration: Declaration) -> dict[str, JsonValue]:
    own = declaration.schema.get("properties", {})
    # The manifest names a user by our name for it, so the vendor's rules on its text are not for editors.
    return {name: (True if name == "user" else own[name]) if name in own else False for name in VENDOR_FIELDS}


def _rehomed(node: JsonValue) -> Any:
    if isinstance(node, dict):
        return {key: _rehomed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_rehomed(item) for item in node]
    return node.replace(_ELSEWHERE, _HERE) if isinstance(node, str) else node
