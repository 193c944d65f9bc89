"""What a policy requires: a JSON Schema over a resolved credential, checked itself, and ready to check many.

It takes only the keywords that the quick check knows, so that ten thousand credentials cost next to nothing,
and so that a misspelt keyword is a problem, where JSON Schema would let it mean nothing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from provisioner import resources
from provisioner.core.model import JsonObject, JsonValue
from provisioner.core.policy import Path
from provisioner.manifest.problems import unknown

if TYPE_CHECKING:
    from provisioner.manifest.quick import Check

_ONE: Final = ("if", "then", "else", "not")
_SEVERAL: Final = ("allOf", "anyOf", "oneOf")
_WITHIN: Final = ("additionalProperties", "propertyNames", "items", "contains")


def misfit(require: JsonValue) -> Callable[[JsonObject], Path | None]:
    """What tells where a value does not fit: the path of what is wrong, empty where something is missing."""
    checks: dict[int, Check] = {}

    def fits(part: Any, value: Any) -> bool:
        if id(part) not in checks:
            from provisioner.manifest.quick import compile_schema  # not needed before anything is checked

            checks[id(part)] = compile_schema({"allOf": [part]}) or _never
        return checks[id(part)](value)

    def culprit(part: Any, value: Any, path: Path) -> Path:
        for step, inner, there in _inside(part, value, fits):
            if not fits(inner, there):
                return culprit(inner, there, path if step is None else (*path, step))
        return path

    def look(value: JsonObject) -> Path | None:
        return None if fits(require, value) else culprit(require, value, ())

    return look


def flaws(require: JsonValue) -> Iterator[tuple[Path, str]]:
    """What makes no sense in a requirement whose shape is sound: the path, and words."""
    known = resources.schema("resolved")["properties"]
    for path, part, whole in _parts(require, (), whole=True):
        if "pattern" in part and (why := _no_pattern(part["pattern"])):
            yield (*path, "pattern"), why
        for name in part.get("properties", ()) if whole else ():
            if name not in known:
                yield (*path, "properties", name), unknown("property", name, known, where="a credential")
        for index, name in enumerate(part.get("required", ()) if whole else ()):
            if name not in known:
                yield (*path, "required", index), unknown("property", name, known, where="a credential")


def oldest(require: JsonValue) -> float | None:
    """The most days that `age_days` may be, where that is said outright."""
    said = require.get("properties", {}) if isinstance(require, dict) else {}
    found = said.get("age_days", {})
    limit = found.get("maximum") if isinstance(found, dict) else None
    return float(limit) if limit is not None else None


def _inside(
    part: Any, value: Any, fits: Callable[[Any, Any], bool]
) -> Iterator[tuple[str | int | None, Any, Any]]:
    """What must hold of a value, part by part: the step into it, the part, and what it is about."""
    if not isinstance(part, dict):
        return
    if isinstance(value, dict):
        yield from ((n, inner, value[n]) for n, inner in part.get("properties", {}).items() if n in value)
    if isinstance(value, list) and "items" in part:
        yield from ((index, part["items"], item) for index, item in enumerate(value))
    yield from ((None, inner, value) for inner in part.get("allOf", ()))
    if "if" in part:
        yield None, part.get("then" if fits(part["if"], value) else "else", True), value


def _parts(node: JsonValue, path: Path, *, whole: bool) -> Iterator[tuple[Path, JsonObject, bool]]:
    """Every schema in a schema; `whole` says whether it is about the credential itself."""
    if not isinstance(node, dict):
        return
    yield path, node, whole
    for keyword in _ONE:
        yield from _parts(node.get(keyword), (*path, keyword), whole=whole)
    for keyword in _SEVERAL:
        for index, inner in enumerate(node.get(keyword, ())):
            yield from _parts(inner, (*path, keyword, index), whole=whole)
    for keyword in _WITHIN:
        yield from _parts(node.get(keyword), (*path, keyword), whole=False)
    for name, inner in node.get("properties", {}).items():
        yield from _parts(inner, (*path, "properties", name), whole=False)


def _no_pattern(text: str) -> str:
    with warnings.catch_warnings():
        from provisioner.manifest.quick import end_anchored

        warnings.simplefilter("error")  # of what another version would read otherwise
        try:
            re.compile(end_anchored(text))
        except (re.error, OverflowError, RecursionError, Warning) as error:
            return f"{text!r} is no regular expression ({error}): mend it"
    return ""


def _never(_: Any) -> bool:
    """Of a keyword that is not known here; the shape of a requirement lets none pass."""
    return False
