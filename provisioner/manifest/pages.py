"""A page: all that one sound manifest comes to, so that it need not be read again while it stays.

What a page holds follows from its file, from `provision.yaml` and from the providers alone. What must be seen
of several manifests together (names, renames, removals, imports, claims) is checked each
time over all pages; where anything is wrong, the manifests are read the full way, which has the words for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from provisioner.core.model import Address, Source
from provisioner.core.project import Import, Removed
from provisioner.manifest.claims import differ
from provisioner.manifest.document import Document
from provisioner.manifest.problems import Place, Problems

if TYPE_CHECKING:
    from provisioner.manifest.entries import Entry


class Page(Struct, frozen=True):
    """One sound manifest."""

    removed: tuple[Removed, ...]
    imports: tuple[Import, ...]
    claims: str
    """JSON: what its credentials have for themselves (claims.py)."""
    lines: Sequence[str]
    """Its credentials (core.sheet)."""
    alone: bool = True
    """Whether it follows from its manifest, and may be kept: a family may take elements from elsewhere."""

    def text(self) -> str:
        """The page as text."""
        top = {
            "alone": self.alone,
            "removed": [[one.name, one.reason, _row(one.source), one.environments] for one in self.removed],
            "imports": [
                [str(one.address), one.remote_id, _row(one.source), one.secret_given] for one in self.imports
            ],
        }
        return "\n".join([json.dumps(top), self.claims, *self.lines])

    @classmethod
    def parse(cls, text: str) -> Page:
        """The page that `text` was made of."""
        top, claims, *lines = text.split("\n")
        found = json.loads(top)
        return cls(
            removed=tuple(
                Removed(name, reason, Source(*source), None if places is None else tuple(places))
                for name, reason, source, places in found["removed"]
            ),
            imports=tuple(
                Import(Address.parse(address), remote_id, Source(*source) if source else None, given)
                for address, remote_id, source, given in found["imports"]
            ),
            claims=claims,
            lines=lines,
            alone=found["alone"],
        )


def _row(source: Source | None) -> list[Any] | None:
    return None if source is None else [source.file, source.line, source.column]


def fit_together(pages: Sequence[Page], environments: Iterable[str]) -> bool:
    """Whether nothing is wrong with the pages of a project as a whole."""
    return (
        _names_differ(pages)
        and _relations_hold(pages, set(environments))
        and differ(page.claims for page in pages)
    )


def _names_differ(pages: Sequence[Page]) -> bool:
    each = [{line.split("\t", 2)[1] for line in page.lines} for page in pages]
    return len(set().union(*each)) == sum(map(len, each))


def _relations_hold(pages: Sequence[Page], environments: set[str]) -> bool:
    from provisioner.manifest import imports, together

    gone = [one for page in pages for one in page.removed]
    taken = [one for page in pages for one in page.imports]
    if not gone and not taken and not any(map(_renames, pages)):
        return True
    entries = {entry.name: entry for page in pages for entry in _entries(page)}
    problems = Problems()
    together.check_renames(entries, problems)
    together.check_removed(gone, entries, environments, problems)
    imports.check(taken, entries, entries.keys(), environments, problems)
    return not problems


def _renames(page: Page) -> bool:
    return any(line.rsplit("\t", 6)[1] for line in page.lines)


def _entries(page: Page) -> Iterator[Entry]:
    """As much of each entry as the relations between entries need."""
    from provisioner.manifest.entries import Entry

    found: dict[str, dict[str, Any]] = {}
    for line in page.lines:
        place, name, provider, *_, before, _family, _file, _row, _column = line.split("\t")
        values = found.setdefault(name, {"provider": provider, "environments": []})
        values["environments"].append(place)
        if before:
            values["previously"] = before
    for name, values in found.items():
        yield Entry(name, values, Document("", None), Place(""), flawed=False)
