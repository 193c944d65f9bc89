"""The parts of the README that are generated from the providers' declarations and from a real run.

`python tests/docs/readme_tables.py` writes them into the README: that is `make docs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from readme_text import README, generated, text, with_generated
from shown_plan import same, shown_plan

from provisioner.cli.rendering.providers import one_json
from provisioner.core.capabilities import Declaration
from provisioner.core.model import JsonObject, JsonValue
from provisioner.manifest.words import VENDOR_FIELDS
from provisioner.providers import registry

COLUMNS = {
    "secret": "secret",
    "identity": "found again by",
    "renew": "renewal",
    "approval": "approval",
    "portal": "handoffs",
    "survives_refresh": "survives refresh",
}
"""The capabilities that the README shows, and how it calls them."""

REFUSED = "–"
"""What stands for a field that a vendor lacks."""


def providers() -> str:
    """A row for each provider and way to reach it."""
    rows = [
        [declaration.title, f"`{name}`", via, *(_cell(declaration, capabilities, key) for key in COLUMNS)]
        for name, declaration in _declarations()
        for via, capabilities in one_json(declaration)["capabilities"].items()
    ]
    return _table(["vendor", "provider", "via", *COLUMNS.values()], rows)


def fields() -> str:
    """A row for each provider: what an edit of each field takes."""
    rows = [
        [f"`{name}`", *(_field(declaration, field) for field in VENDOR_FIELDS)]
        for name, declaration in _declarations()
    ]
    return _table(["provider", *(f"`{field}`" for field in VENDOR_FIELDS)], rows)


def plan() -> str:
    """A real plan; what stands in the README is kept where only its moments differ."""
    made = f"```text\n{shown_plan()}```\n"
    before = generated("plan", text())
    return before if same(before, made) else made


PARTS: Mapping[str, Callable[[], str]] = {
    "plan": plan,
    "providers": providers,
    "fields": fields,
}
"""What makes each generated part."""


def _declarations() -> list[tuple[str, Declaration]]:
    return sorted(registry.load().declarations.items())


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(declaration: Declaration, capabilities: JsonObject, key: str) -> str:
    value = capabilities[key]
    if key == "portal":
        # A verb without a screen asks nothing of a person: it is one that the vendor cannot do.
        value = [verb for verb in value if verb in declaration.screens]
    return _words(value)


def _words(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(value) or REFUSED
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _field(declaration: Declaration, field: str) -> str:
    takes: Mapping[str, str] = one_json(declaration)["fields"]
    if field in takes:
        return takes[field] + _required(declaration.schema, field)
    nested = [path for path in takes if path.startswith(f"{field}.")]
    by_effect = {takes[path]: [one for one in nested if takes[one] == takes[path]] for path in nested}
    return "<br>".join(f"{effect}: {_names(paths)}" for effect, paths in by_effect.items()) or REFUSED


def _required(schema: JsonObject, field: str) -> str:
    return ", required" if field in schema.get("required", ()) else ""


def _names(paths: Iterable[str]) -> str:
    return ", ".join(f"`{path.partition('.')[2]}`" for path in paths)


def write() -> None:
    """Write every part into the README."""
    readme = text()
    for name, make in PARTS.items():
        readme = with_generated(name, make(), readme)
    README.write_text(readme, encoding="utf-8")


if __name__ == "__main__":
    write()
