"""What only shows when all entries are seen together: names, renames and removals that clash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from provisioner.core.project import Removed
from provisioner.manifest.entries import Entry
from provisioner.manifest.problems import Place, Problems, unknown


def distinct(entries: Iterable[Entry], problems: Problems) -> dict[str, Entry]:
    """Entries by name; a name that is declared twice is a problem, wherever the two stand."""
    found: dict[str, Entry] = {}
    for entry in entries:
        first = found.setdefault(entry.name, entry)
        if first is not entry:
            problems.add(
                entry.place,
                f"{entry.name!r} is declared already in {_spot(first.place)}: rename or remove one of them",
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


def check_removed(
    gone: Sequence[Removed], entries: Mapping[str, Entry], environments: Iterable[str], problems: Problems
) -> None:
    """An entry under `removed` contradicts nothing, and names environments that exist."""
    known = set(environments)
    heirs = {entry.values.get("previously"): entry for entry in entries.values()}
    seen: dict[str, list[Removed]] = {}
    for removal in gone:
        place = Place(removal.source.file, removal.source.line, removal.source.column)
        for name in removal.environments or ():
            if name not in known:
                problems.add(place, unknown("environment", name, known))
        earlier = seen.setdefault(removal.name, [])
        refusal = _removal_refusal(removal, entries.get(removal.name), heirs.get(removal.name), earlier)
        if refusal:
            problems.add(place, refusal)
        earlier.append(removal)


def _rename_refusal(entry: Entry, before: str, entries: Mapping[str, Entry], heir: Entry) -> str:
    if before == entry.name:
        return f"{before!r} is its own name: remove `previously`"
    circle = _circle(entry.name, entries)
    if circle:
        if entry.name != min(circle):
            return ""  # told once, at the first of its names
        return f"these renames go in a circle ({' → '.join(circle)}): remove one `previously`"
    if before in entries:
        where = _spot(entries[before].place)
        return f"{before!r} is still declared in {where}: remove it there, or remove `previously` here"
    if heir is not entry:
        return f"{heir.name!r} was {before!r} already ({_spot(heir.place)}): keep one of the two"
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


def _removal_refusal(
    removal: Removed, entry: Entry | None, heir: Entry | None, earlier: Sequence[Removed]
) -> str:
    both = [name for name in entry.environments() if _covers(removal, name)] if entry else []
    if entry and both:
        where = f"{_spot(entry.place)} ({', '.join(both)})"
        return f"{removal.name!r} is removed here and declared in {where}: remove one of the two entries"
    if heir:
        return (
            f"{removal.name!r} is removed here and lives on as {heir.name!r} ({_spot(heir.place)}): "
            "remove this entry, or `previously` there"
        )
    for other in earlier:
        if None in (removal.environments, other.environments) or set(removal.environments or ()) & set(
            other.environments or ()
        ):
            return f"{removal.name!r} is removed already in {other.source}: keep one of the two entries"
    return ""


def _covers(removal: Removed, environment: str) -> bool:
    return removal.environments is None or environment in removal.environments


def _spot(place: Place) -> str:
    return f"{place.file}:{place.line}"
