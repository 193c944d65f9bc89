"""Makes pages of manifests that are sound: parsed, checked and resolved as the full way does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from provisioner.core.capabilities import Declaration
from provisioner.core.sheet import line_of
from provisioner.manifest import entries, files, imports
from provisioner.manifest.document import Document, Map
from provisioner.manifest.families import Families
from provisioner.manifest.house import House
from provisioner.manifest.pages import Page
from provisioner.manifest.problems import Problems
from provisioner.manifest.resolve import Resolver
from provisioner.manifest.schemas import definition, schema
from provisioner.manifest.shape import Flaw, Shape
from provisioner.manifest.text import parse
from provisioner.manifest.whole import suspects

_NO_FLAWS: Final[Sequence[Flaw]] = ()


def sound_document(name: str, text: str, problems: Problems) -> Document | None:
    """One manifest, parsed and of the right shape; None for any other."""
    document = parse(text, name, problems)
    if document is None or problems:
        return None
    shape = _shape("project" if name == files.PROJECT else "credentials")
    return document if shape.fits(suspects(document.root, _entry())) else None


@cache
def _shape(name: str) -> Shape:
    return Shape(schema(name))


@cache
def _entry() -> Shape:
    return Shape(definition("credentials"))


class Maker:
    """Makes the pages of one project."""

    def __init__(self, root: Path, house: House, declarations: Mapping[str, Declaration]) -> None:
        self._root = root
        self._problems = Problems()
        self._resolver = Resolver(house, declarations, self._problems)

    def page(self, name: str, text: str) -> Page | None:
        """The page of one manifest; None where it is not sound."""
        document = sound_document(name, text, self._problems)
        if document is None:
            return None
        families = Families(self._root, self._problems)
        written = [
            *entries.credentials(document, document.root, _NO_FLAWS),
            *families.members(document, _NO_FLAWS),
        ]
        desired = [one for entry in written for one in self._resolver.desired(entry)]
        try:
            lines = [line_of(one) for one in desired]
        except ValueError:
            return None
        claims = self._resolver.claims().text()
        gone = tuple(entries.removed(document, document.root))
        taken = tuple(imports.entries(document, document.root))
        page = Page(gone, taken, claims, lines, alone=not _reads_files(document))
        return None if self._problems else page


def _reads_files(document: Document) -> bool:
    """Whether a family of it takes its elements from another file."""
    root = document.root if isinstance(document.root, Map) else {}
    declared = (root.get("credentials") or {}).values()
    sources = [one["for_each"] for one in declared if entries.is_family(one)]
    return any(isinstance(one, dict) and "file" in one for one in sources)
