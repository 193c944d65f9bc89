"""Reads a project the full way: files, text, shape, then what must fit together; every problem is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from provisioner.core.capabilities import Declaration
from provisioner.core.model import Desired, JsonValue
from provisioner.core.project import Project
from provisioner.core.sheet import ordered
from provisioner.errors import ManifestInvalid
from provisioner.manifest import entries, files, imports, together
from provisioner.manifest.assembly import assembled
from provisioner.manifest.document import Document
from provisioner.manifest.families import Families
from provisioner.manifest.house import House, build
from provisioner.manifest.problems import Place, Problems
from provisioner.manifest.prune import prune
from provisioner.manifest.resolve import Resolver, Trace
from provisioner.manifest.schemas import definition, schema
from provisioner.manifest.shape import Flaw, Shape
from provisioner.manifest.text import parse

_EMPTY: Final = (
    "no credential is declared, neither here nor under credentials/: nothing declared would mean that every "
    "credential may go, so it is refused; declare one, or list under `removed` what is to be revoked"
)


class _Manifest(Struct, frozen=True):
    """One manifest as written, what is wrong with its shape, and what is left without that."""

    document: Document
    flaws: Sequence[Flaw]
    sound: JsonValue


def load(
    root: Path, declarations: Mapping[str, Declaration], trace: Trace | None = None, *, empty: bool = False
) -> Project:
    """The project in the folder `root`, with one `Desired` for each credential and environment, by address.

    `trace` is told of each one how to find the places of its fields; `empty` takes a project that declares
    nothing yet, for what plans nothing. Raises ManifestInvalid with all problems at once, in the order of
    file, line and column.
    """
    problems = Problems()
    manifests, complete = _read(root, problems)
    house = None
    if manifests and manifests[0].document.file == files.PROJECT:
        house = _house(manifests[0], declarations, problems)
    if house is None:
        raise ManifestInvalid(problems.lines())
    resolver = Resolver(house, declarations, problems, trace)
    project = _project(root, house, manifests, resolver, problems)
    if complete and not (project.desired or project.removed or empty or problems):
        problems.add(Place(files.PROJECT), _EMPTY)
    if problems:
        raise ManifestInvalid(problems.lines())
    return project


def _read(root: Path, problems: Problems) -> tuple[list[_Manifest], bool]:
    project, others = Shape(schema("project")), Shape(schema("credentials"))
    entry = Shape(definition("credentials"))
    found: list[_Manifest] = []
    complete = True
    for path in files.find(root, problems):
        text = files.read(path, root, problems)
        name = files.shown(path, root)
        document = None if text is None else parse(text, name, problems)
        if document is None:
            complete = False
            continue
        flaws = (project if name == files.PROJECT else others).flaws(suspects(document.root, entry))
        for flaw in flaws:
            problems.add(document.place(flaw.path, key=flaw.at_key), flaw.text)
        found.append(_Manifest(document, flaws, prune(document.root, flaws)))
    return found, complete


def suspects(root: JsonValue, entry: Shape) -> JsonValue:
    """The manifest without the credentials that are sound, so that one bad among thousands costs one."""
    declared = root.get("credentials") if isinstance(root, dict) else None
    if not isinstance(declared, dict):
        return root
    kept = {name: value for name, value in declared.items() if not entry.fits({name: value})}
    some = kept or dict(list(declared.items())[:1])  # an empty mapping would be a flaw of its own
    return {**root, "credentials": some}


def _house(manifest: _Manifest, declarations: Mapping[str, Declaration], problems: Problems) -> House | None:
    if not isinstance(manifest.sound, dict):
        return None
    return build(manifest.document, manifest.sound, declarations, problems)


def _project(
    root: Path,
    house: House,
    manifests: Sequence[_Manifest],
    resolver: Resolver,
    problems: Problems,
) -> Project:
    written = [
        entry for one in manifests for entry in entries.credentials(one.document, one.sound, one.flaws)
    ]
    families = Families(root, problems)
    written += [member for one in manifests for member in families.members(one.document, one.flaws)]
    distinct = together.distinct(written, problems)
    gone = [removal for one in manifests for removal in entries.removed(one.document, one.sound)]
    together.check_renames(distinct, problems)
    together.check_removed(gone, distinct, house.names("environments"), problems)
    taken = [one for manifest in manifests for one in imports.entries(manifest.document, manifest.sound)]
    names = {name for one in manifests for name in imports.names(one.document)} | distinct.keys()
    imports.check(taken, distinct, names, house.names("environments"), problems)
    # All that is written, so that a second entry of one name has its other problems told as well.
    in_order = sorted(written, key=lambda entry: entry.name)
    desired = [one for entry in in_order for one in resolver.desired(entry)]
    in_order_of_addresses = tuple(map(_as_kept, sorted(desired, key=lambda one: one.address)))
    return assembled(root, house, in_order_of_addresses, gone, taken, resolver.declarations, problems)


def _as_kept(one: Desired) -> Desired:
    """With keys in the order of the alphabet: the same from the cache, from the store and from here."""
    return replace(one, fields=ordered(one.fields), local=ordered(one.local))
