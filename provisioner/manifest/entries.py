"""The entries of manifests as they are written: credentials, and those that may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from provisioner.core.model import JsonObject, JsonValue, Source
from provisioner.core.project import Removed
from provisioner.manifest.document import Document, Map
from provisioner.manifest.problems import Place
from provisioner.manifest.shape import Flaw


class Entry(Struct, frozen=True):
    """One credential as it is written."""

    name: str
    values: JsonObject
    """Its keys, without those that have flaws."""
    document: Document
    place: Place
    """Where its name stands."""
    flawed: bool
    """Whether something of it was cut out, so that what is missing may be a consequence."""
    family: str = ""
    """The template of its name, where it is one of several that one entry declares."""

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


def is_family(written: JsonValue) -> bool:
    """Whether an entry stands for several credentials."""
    return isinstance(written, dict) and "for_each" in written


def credentials(document: Document, pruned: JsonValue, flaws: Sequence[Flaw]) -> list[Entry]:
    """The credentials of one manifest, in its order, without families."""
    raw = document.root.get("credentials") if isinstance(document.root, Map) else None
    if not isinstance(raw, Map) or not isinstance(pruned, dict):
        return []
    kept = pruned.get("credentials", {})
    flawed = {flaw.path[1] for flaw in flaws if len(flaw.path) > 1 and flaw.path[0] == "credentials"}
    return [
        Entry(name, kept[name], document, document.at(raw.marks[index * 2]), name in flawed)
        for index, name in enumerate(raw)
        if name in kept and not is_family(raw[name])
    ]


def removed(document: Document, pruned: JsonValue) -> list[Removed]:
    """The entries under `removed` of one manifest, in its order."""
    declared = pruned.get("removed", []) if isinstance(pruned, dict) else []
    found = []
    for index, entry in enumerate(declared):
        if entry is None:
            continue  # it has a flaw
        place = document.place(("removed", index))
        where = tuple(entry["environments"]) if "environments" in entry else None
        source = Source(place.file, place.line, place.column)
        found.append(Removed(entry["name"], entry["reason"], source, where))
    return found
