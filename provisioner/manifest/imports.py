"""The entries under `import`: which credential is what a vendor has already."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from provisioner.core.model import Address, JsonValue, Source
from provisioner.core.project import Import
from provisioner.manifest.document import Document, Map
from provisioner.manifest.entries import Entry
from provisioner.manifest.problems import Place, Problems, unknown


def entries(document: Document, pruned: JsonValue) -> Iterator[Import]:
    """The entries of one manifest, in its order."""
    declared = pruned.get("import", []) if isinstance(pruned, dict) else []
    for index, entry in enumerate(declared):
        if entry is None:
            continue  # it has a flaw
        place = document.place(("import", index))
        address = Address(entry["environment"], entry["name"])
        yield Import(address, str(entry["remote_id"]), Source(place.file, place.line, place.column))


def check(
    found: Sequence[Import],
    declared: Mapping[str, Entry],
    written: Collection[str],
    environments: Iterable[str],
    problems: Problems,
) -> None:
    """Each names a credential where it lives, and each credential and each id is named once.

    `written` are the names of all credentials, also of those whose flaws are told already.
    """
    addresses: dict[Address, Import] = {}
    ids: dict[tuple[object, str, str], Import] = {}
    for one in found:
        entry = declared.get(one.address.name)
        refusal = _refusal(one, entry, written, set(environments))
        if not refusal and (first := addresses.setdefault(one.address, one)) is not one:
            refusal = f"{one.address} is imported already in {first.source}: keep one of the two entries"
        if not refusal and entry is not None:
            key = entry.values.get("provider"), one.address.environment, one.remote_id
            first = ids.setdefault(key, one)
            if first is not one:
                refusal = (
                    f"{one.remote_id!r} is {first.address} already ({first.source}): keep one of the two"
                )
        if refusal and one.source:
            problems.add(Place(one.source.file, one.source.line, one.source.column), refusal)


def names(document: Document) -> set[str]:
    """The names of the credentials of one manifest, sound or not."""
    raw = document.root.get("credentials") if isinstance(document.root, Map) else None
    return set(raw) if isinstance(raw, Map) else set()


def _refusal(one: Import, entry: Entry | None, written: Collection[str], environments: set[str]) -> str:
    name, environment = one.address.name, one.address.environment
    if environment not in environments:
        return unknown("environment", environment, environments)
    if entry is None:
        return "" if name in written else unknown("credential", name, written)
    lives = entry.environments()
    if environment in lives or not lives:
        return ""
    return f"{name!r} does not live in {environment}: add it under its `environments`, or remove this entry"
