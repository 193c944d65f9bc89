"""Vendors as text and JSON: what each can do, how its fields change, and where its rules come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from msgspec.structs import asdict

from provisioner.cli.rendering.status import columns
from provisioner.cli.values import plain
from provisioner.core.capabilities import Capabilities, Declaration, field_rules
from provisioner.core.model import JsonObject, JsonValue

SHOWN = ("secret", "identity", "renew", "observe", "approval", "portal", "survives_refresh")
"""The capabilities that the list of all vendors shows."""


def all_text(declarations: Sequence[Declaration]) -> str:
    """A line for each vendor and way to reach it."""
    titles = ["NAME", "VENDOR", "VIA", *(name.replace("_", " ").upper() for name in SHOWN)]
    cells = [
        [one.name, one.title, via, *(_words(getattr(capabilities, name)) for name in SHOWN)]
        for one in declarations
        for via, capabilities in one.capabilities.items()
    ]
    return "\n".join(columns(titles, cells))


def one_text(declaration: Declaration) -> str:
    """All of one vendor."""
    return "\n".join(_lines(declaration))


def one_json(declaration: Declaration) -> JsonObject:
    """All of one vendor, for programs."""
    rules = field_rules(declaration.schema)
    return {
        "name": declaration.name,
        "title": declaration.title,
        "protocol": declaration.protocol,
        "parts": list(declaration.parts),
        "capabilities": {via.value: _capabilities(one) for via, one in declaration.capabilities.items()},
        "fields": {path: takes.value for path, takes in rules.on_change.items()},
        "rules": [{"id": rule.id, "text": rule.text, "source": rule.source} for rule in declaration.rules],
    }


def _lines(declaration: Declaration) -> Iterator[str]:
    document = one_json(declaration)
    yield plain(f"{declaration.title} ({declaration.name})")
    yield plain(f"  secret: {', '.join(declaration.parts)}")
    for via, capabilities in document["capabilities"].items():
        yield f"  via {via}:"
        yield from (
            f"    {name.replace('_', ' '):<22}{_words(value)}" for name, value in capabilities.items()
        )
    yield "  a change of a field takes:"
    yield from _indented([[path, takes] for path, takes in document["fields"].items()])
    yield "  rules:"
    yield from _indented([[rule.id, rule.source, rule.text] for rule in declaration.rules])


def _indented(cells: Sequence[Sequence[str]]) -> Iterator[str]:
    untitled = [""] * len(cells[0]) if cells else []
    return (f"    {line}" for line in columns(untitled, cells)[1:])


def _capabilities(capabilities: Capabilities) -> JsonObject:
    return {name: _json(value) for name, value in asdict(capabilities).items()}


def _json(value: object) -> JsonValue:
    if isinstance(value, frozenset):
        return sorted(str(item) for item in value)
    return value.value if isinstance(value, Enum) else value


def _words(value: object) -> str:
    match value:
        case True:
            return "yes"
        case False:
            return "no"
        case None:
            return "no limit"
        case frozenset() | list():
            return ", ".join(sorted(str(item) for item in value)) or "-"
    return str(value.value if isinstance(value, Enum) else value)
