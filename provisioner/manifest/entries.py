"""The entries of all manifests side by side: what only shows when they are seen together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from provisioner.core.model import JsonObject, JsonValue, Source
from provisioner.core.project import Removed
from provisioner.manifest.document import Document, Map
from provisioner.manifest.problems import Place, Problems, unknown
from provisioner.manifest.shape import Flaw


@dataclass(frozen=True, slots=True)
class Entry:
    """One credential as it is written."""

    name: str
    values: JsonObject
    """Its keys, without those that have flaws."""
    document: Document
    place: Place
    """Where its name stands."""
    flawed: bool
    """Whether something of it was cut out, so that what is missing may be a consequence."""

    def at(self, *path: str | int, key: bool = False) -> Place:
        """Where something of it stands."""
        return self.document.place(("credentials", self.name, *path), key=key)

    def environments(self) -> Mapping[str, JsonObject]:
        """What differs in each environment that it lives in."""
        declared = self.values.get("environments")
        if isinstance(declared, list):
            return {name: {} for name in declared}
        return {name: value or {} for name, value in (declared or {}).items()}

    def environment_place(self, environment: str) -> Place:
        """Where it names the environment."""
        declared = self.values["environments"]
        if isinstance(declared, list):
            return self.at("environments", declared.index(environment))
        return self.at("environments", environment, key=True)


def credentials(document: Document, pruned: JsonValue, flaws: Sequence[Flaw]) -> list[Entry]:
    """The credentials of one manifest, in its order."""
    raw = document.root.get("credentials") if isinstance(document.root, Map) else None
    if not isinstance(raw, Map) or not isinstance(pruned, dict):
        return []
    kept = pruned.get("credentials", {})
    flawed = {flaw.path[1] for flaw in flaws if len(flaw.path) > 1 and flaw.path[0] == "credentials"}
    return [
        Entry(name, kept[name], document, document.at(raw.marks[index * 2]), name in flawed)
        for index, name in enumerate(raw)
        if name in kept
    ]


def removed(document: Document, pruned: JsonValue) -> list[tuple[Removed, Place]]:
    """The entries under `removed` of one manifest, in its order."""
    declared = pruned.get("removed", []) if isinstance(pruned, dict) else []
    found = []
    for index, entry in enumerate(declared):
        if entry is None:
            continue  # it has a flaw
        place = document.place(("removed", index))
        where = tuple(entry["environments"]) if "environments" in entry else None
        source = Source(place.file, place.line, place.column)
        found.append((Removed(entry["name"], entry["reason"], source, where), place))
    return found


def distinct(entries: Iterable[Entry], problems: Problems) -> dict[str, Entry]:
    """Entries by name; a name that is declared twice is a problem, wherever the two stand."""
    found: dict[str, Entry] = {}
    for entry in entries:
        first = found.setdefault(entry.name, entry)
        if first is not entry:
            problems.add(
                entry.place,
                f"{entry.name!r} is declared already in {first.place.file}:{first.place.line}: "
                "rename or remove one of them",
            )
    return found


def check_renames(entries: Mapping[str, Entry], problems: Problems) -> None:
    """`previously` names a credential that is no more, and only one credential was it."""
    heirs: dict[str, Entry] = {}
    for entry in entries.values():
        before = entry.values.get("previously")
        if before is None:
            continue
        refusal = _rename_refusal(entry, before, entries, heirs.setdefault(before, entry))
        if refusal:
            problems.add(entry.at("previously"), refusal)


def _rename_refusal(entry: Entry, before: str, entries: Mapping[str, Entry], heir: Entry) -> str:
    if before == entry.name:
        return f"{before!r} is its own name: remove `previously`"
    circle = _circle(entry.name, entries)
    if circle:
        return f"these renames go in a circle ({' → '.join(circle)}): remove one `previously`"
    if before in entries:
        other = entries[before].place
        where = f"{other.file}:{other.line}"
        return f"{before!r} is still declared in {where}: remove it there, or remove `previously` here"
    if heir is not entry:
        return (
            f"{heir.name!r} was {before!r} already ({heir.place.file}:{heir.place.line}): keep one of the two"
        )
    return ""


def _circle(name: str, entries: Mapping[str, Entry]) -> list[str]:
    path = [name]
    while True:
        entry = entries.get(path[-1])
        before = entry.values.get("previously") if entry else None
        if before == name:
            return [*path, name]
        if before is None or before in path:
            return []
        path.append(before)


def check_removed(
    gone: Sequence[tuple[Removed, Place]],
    entries: Mapping[str, Entry],
    environments: Iterable[str],
    problems: Problems,
) -> None:
    """An entry under `removed` contradicts no declaration, and names environments that exist."""
    known = set(environments)
    for removal, place in gone:
        for name in removal.environments or ():
            if name not in known:
                problems.add(place, unknown("environment", name, known))
        entry = entries.get(removal.name)
        both = _both(removal, entry) if entry else []
        if entry and both:
            problems.add(
                place,
                f"{removal.name!r} is removed here and declared in {entry.place.file}:{entry.place.line} "
                f"({', '.join(both)}): remove one of the two entries",
            )


def _both(removal: Removed, entry: Entry) -> list[str]:
    return [
        name
        for name in entry.environments()
        if removal.environments in (None, ()) or name in (removal.environments or ())
    ]
