"""Families: one entry with `for_each` as the credentials that it stands for.

Each member is checked as if it had been written out. What is wrong with it is told where the element says it,
and otherwise where the family does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import field

from provisioner.core.family import KEY
from provisioner.core.model import JsonObject, JsonValue
from provisioner.manifest.document import Document
from provisioner.manifest.elements import Element, Elements
from provisioner.manifest.entries import Entry, is_family
from provisioner.manifest.filling import Filler
from provisioner.manifest.problems import Place, Problems
from provisioner.manifest.prune import prune
from provisioner.manifest.schemas import definition
from provisioner.manifest.shape import Flaw, Shape

_OF_THE_FAMILY: Final = frozenset({"for_each", "name", "previously"})

MAX_VALUES: Final = 1_000_000
"""How many values a family may stand for: a short text could else stand for more than any machine holds."""


class MemberDocument(Document, frozen=True):
    """A member as a manifest of its own, whose places are those of its family and of its element."""

    family: tuple[str | int, ...] = ()
    """Where the family stands in `template`."""
    template: Document = field(default_factory=lambda: Document("", None))
    element: Place = field(default_factory=lambda: Place(""))
    taken: Mapping[tuple[str | int, ...], tuple[Document, tuple[str | int, ...]]] = field(
        default_factory=dict
    )
    """Where the values stand that its element brought, by their path in the member."""

    def place(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Where something of the member was written."""
        within = tuple(path[2:])  # the first two are `credentials` and the member's name
        if not within:
            return self.element
        for length in range(len(within), 0, -1):
            if within[:length] in self.taken:
                document, there = self.taken[within[:length]]
                return document.place((*there, *within[length:]), key=key)
        return self.template.place((*self.family, *within), key=key)


class Families:
    """Turns the families of a project's manifests into entries."""

    def __init__(self, root: Path, problems: Problems) -> None:
        self._elements = Elements(root, problems)
        self._problems = problems
        self._shape = Shape(definition("credentials"))

    def members(self, document: Document, flaws: Sequence[Flaw]) -> Iterator[Entry]:
        """Every member of every family of one manifest; a family with a flaw of its own has none."""
        raw = document.root.get("credentials") if isinstance(document.root, dict) else None
        flawed = {flaw.path[1] for flaw in flaws if len(flaw.path) > 1 and flaw.path[0] == "credentials"}
        for name, family in raw.items() if isinstance(raw, dict) else ():
            if is_family(family) and name not in flawed:
                yield from self._family(document, name, family)

    def _family(self, document: Document, name: str, family: JsonObject) -> Iterator[Entry]:
        path = ("credentials", name)
        used: set[str] = set()
        elements = self._elements.of(document, (*path, "for_each"), family["for_each"])
        count = len(elements) * _values({**family, "for_each": None})
        if count > MAX_VALUES:
            text = f"this family stands for {count:,} values, and at most for {MAX_VALUES:,}: split it up"
            self._problems.add(document.place(path, key=True), text)
            return
        for element in elements:
            filler = Filler(document, path, element, self._problems, used)
            yield from self._member(filler, family, family.get("name", f"{name}-{KEY}"))
        for element in elements:
            if element.document is document:  # a file may hold what only another family uses
                self._check_used(element, used)

    def _member(self, filler: Filler, family: JsonObject, template: str) -> Iterator[Entry]:
        element = filler.element
        values = {k: filler.filled(v, (k,)) for k, v in family.items() if k not in _OF_THE_FAMILY}
        name = filler.filled(template, ("name",))
        before = filler.before(family, template)
        if before is not None:
            values["previously"] = before
        if filler.failed or not isinstance(name, str):
            return
        member = MemberDocument(
            filler.document.file,
            {"credentials": {name: values}},
            family=filler.family,
            template=filler.document,
            element=element.place,
            taken=filler.taken,
        )
        flaws = [] if self._shape.fits({name: values}) else self._flaws(member, name, values)
        sound = prune(member.root, flaws).get("credentials", {})
        if name in sound:
            yield Entry(name, sound[name], member, element.place, bool(flaws), template)

    def _flaws(self, member: MemberDocument, name: str, values: JsonObject) -> list[Flaw]:
        found = self._shape.flaws({name: values})
        for flaw in found:
            self._problems.add(member.place(("credentials", *flaw.path), key=flaw.at_key), flaw.text)
        return [Flaw(("credentials", *flaw.path), flaw.text, flaw.at_key, flaw.missing) for flaw in found]

    def _check_used(self, element: Element, used: set[str]) -> None:
        for name in element.value if isinstance(element.value, dict) else ():
            if not used & {"value", name}:
                place = element.document.place((*element.path, name), key=True)
                remedy = f"write {{value.{name}}} where it belongs, or remove it"
                self._problems.add(place, f"nothing in this family uses `{name}`: {remedy}")


def _values(node: JsonValue) -> int:
    """How many values there are in a value, itself among them."""
    within = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return 1 + sum(map(_values, within))
