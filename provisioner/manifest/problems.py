"""What is wrong with the manifests: lines `file:line:column: what, and what to do`."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class Place(Struct, frozen=True):
    """Where in a manifest. Lines and columns count from 1; `file` is relative to the project's folder."""

    file: str
    line: int = 1
    column: int = 1


class Problem(Struct, frozen=True):
    """One thing that is wrong, in words that also say what to do."""

    place: Place
    text: str

    def __str__(self) -> str:
        line = f"{self.place.file}:{self.place.line}:{self.place.column}: {self.text}"
        # A name may hold anything: what is no printable character is shown by its escape, on one line.
        return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)


class Problems:
    """Collects problems; one that is found twice, say once for each environment, counts once."""

    def __init__(self) -> None:
        self._found: set[Problem] = set()

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, place: Place, text: str) -> None:
        """Note a problem."""
        self._found.add(Problem(place, text))

    def lines(self) -> tuple[str, ...]:
        """All of them as text, by file, line and column."""
        found = sorted(
            self._found, key=lambda one: (one.place.file, one.place.line, one.place.column, one.text)
        )
        return tuple(str(problem) for problem in found)


def unknown(what: str, name: str, known: Iterable[str], *, where: str = "") -> str:
    """The words for a name that does not exist: the near miss if there is one, else what there is.

    `where` says what has no such name, as in "unknown scope 'x' of payspace".
    """
    from difflib import get_close_matches

    names = sorted(known)
    place = f" of {where}" if where else ""
    near = get_close_matches(name, names, n=1)
    if near:
        return f"unknown {what} {name!r}{place}: did you mean {near[0]!r}?"
    if not names:
        return f"unknown {what} {name!r}{place}: there is none"
    return f"unknown {what} {name!r}{place}: write one of {', '.join(names)}"
