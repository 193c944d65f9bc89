"""The policies of a project: the built-in ones, changed by and beside those that provision.yaml declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from provisioner.core.capabilities import Declaration
from provisioner.core.model import JsonObject, JsonValue, Source
from provisioner.core.policy import Exempt, Level, Match, Policy
from provisioner.manifest import requirement
from provisioner.manifest.built_in import ALWAYS, BUILT_IN
from provisioner.manifest.document import plain
from provisioner.manifest.house import House
from provisioner.manifest.problems import Place, Problems, unknown

_GLOB: Final = frozenset("*?[")


def build(house: House, declarations: Mapping[str, Declaration], problems: Problems) -> tuple[Policy, ...]:
    """Every policy, the built-in ones first; what is wrong with one is noted."""
    declared: Mapping[str, Any] = house.raw.get("policies") or {}
    reader = _Reader(house, declarations, problems)
    for name, entry in declared.items():
        reader.check(name, entry)
    names = [*BUILT_IN, *(name for name in declared if name not in BUILT_IN)]
    return tuple(
        reader.policy(name, {**BUILT_IN.get(name, {}), **_own(name, declared.get(name) or {})})
        for name in names
        if name not in reader.flawed
    )


def _own(name: str, entry: JsonObject) -> JsonObject:
    """What the project says of a policy; it narrows what a built-in one is about."""
    match = {**BUILT_IN.get(name, {}).get("match", {}), **entry.get("match", {})}
    return {**entry, "match": match} if match else entry


class _Reader:
    """Reads the entries of one project file."""

    def __init__(self, house: House, declarations: Mapping[str, Declaration], problems: Problems) -> None:
        self.flawed: set[str] = set()
        self._house = house
        self._declarations = declarations
        self._problems = problems

    def check(self, name: str, entry: JsonObject) -> None:
        """Note what of an entry makes no sense."""
        if name in ALWAYS:
            self._note(
                name, f"{name!r} holds in every project, and cannot be changed: remove it here", key=True
            )
        elif name in BUILT_IN and "require" in entry:
            self._note(
                name,
                f"{name!r} is built in: change its level, its match or its exceptions, or take another name",
                "require",
                key=True,
            )
        elif name not in BUILT_IN:
            lacks = " and ".join(f"`{key}`" for key in ("require", "message") if key not in entry)
            if lacks:
                which = unknown("built-in policy", name, BUILT_IN)
                self._note(name, f"{which}; or for one of your own, add {lacks}", key=True)
        for path, text in requirement.flaws(entry.get("require")):
            self._note(name, text, "require", *path, key=path[-2:-1] == ("properties",))
        self._check_names(name, entry.get("match", {}))
        for index, one in enumerate(entry.get("exceptions", ())):
            if _day(one["until"]) is None:
                self._note(name, f"{one['until']} is no day of the calendar", "exceptions", index, "until")

    def policy(self, name: str, entry: JsonObject) -> Policy:
        """A policy without flaws."""
        require = plain(entry["require"])
        place = self._place(name, key=True) if name in (self._house.raw.get("policies") or {}) else None
        return Policy(
            name=name,
            message=entry["message"],
            level=Level(entry.get("level", Level.DENY)),
            require=require,
            misfit=requirement.misfit(require),
            match=_match(entry.get("match", {})),
            exceptions=tuple(
                Exempt(
                    one["credential"],
                    date.fromisoformat(one["until"]),
                    one["reason"],
                    _source(self._place(name, "exceptions", index)),
                )
                for index, one in enumerate(entry.get("exceptions", ()))
            ),
            source=_source(place) if place else None,
            built_in=name in BUILT_IN,
            oldest=requirement.oldest(require),
        )

    def _check_names(self, name: str, match: JsonObject) -> None:
        """A name without wildcards that does not exist would make a policy of nothing."""
        known: Mapping[str, Iterable[str]] = {
            "environment": self._house.names("environments"),
            "provider": self._declarations,
        }
        for key, names in known.items():
            for glob in _globs(match.get(key)):
                if not _GLOB & set(glob) and glob not in names:
                    self._note(name, unknown(key, glob, names), "match", key)

    def _note(self, name: str, text: str, *path: str | int, key: bool = False) -> None:
        self.flawed.add(name)
        self._problems.add(self._place(name, *path, key=key), text)

    def _place(self, name: str, *path: str | int, key: bool = False) -> Place:
        return self._house.document.place(("policies", name, *path), key=key)


def _match(entry: JsonObject) -> Match:
    labels = {key: _globs(globs) for key, globs in entry.get("labels", {}).items()}
    return Match(**{key: _globs(value) for key, value in entry.items() if key != "labels"}, labels=labels)


def _globs(value: JsonValue) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _source(place: Place) -> Source:
    return Source(place.file, place.line, place.column)
