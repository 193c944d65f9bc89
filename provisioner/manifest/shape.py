"""Checks values against JSON Schema, and says what does not fit in our own words.

The schemas are the truth for shape. They may carry annotations of ours, for messages only:

    x-message   what to say when this schema is not met
    x-quiet     never repeat the value in a message: it may be a secret that stands in the wrong place
    x-at        the field that a problem with the whole object is shown at
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from provisioner.core.model import JsonObject, JsonValue
from provisioner.manifest import words
from provisioner.manifest.quick import compile_schema, end_anchored
from provisioner.manifest.words import Misfit, Path

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


class Flaw(Struct, frozen=True):
    """One place where a value does not fit its schema."""

    path: Path
    text: str
    at_key: bool = False
    """Whether the key is wrong, not its value."""
    missing: bool = False
    """Whether something is not there, rather than wrong."""


class Shape:
    """One schema, ready to check many values."""

    def __init__(self, schema: JsonObject) -> None:
        self._schema = schema
        self._fits = compile_schema(schema)
        self._validator: Validator | None = None

    def fits(self, value: JsonValue) -> bool:
        """Whether there is nothing to say, found out the quick way; False where there may be something."""
        return self._fits is not None and self._fits(value)

    def flaws(self, value: JsonValue, *, of: str = "") -> list[Flaw]:
        """Everything that does not fit; `of` names the vendor whose schema it is."""
        if self.fits(value):
            return []
        self._validator = self._validator or _dialect()(self._schema)
        return [flaw for error in self._validator.iter_errors(value) for flaw in _flaws(_misfit(error), of)]


@cache
def _dialect() -> Any:
    # Imported here, because it takes a third of a second and manifests that fit never need it.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    def pattern(_: Any, wanted: str, value: Any, __: Any) -> Iterator[Any]:
        if isinstance(value, str) and not re.search(end_anchored(wanted), value):
            yield ValidationError("pattern")

    make: Any = extend  # it has no annotations
    return make(Draft202012Validator, {"pattern": pattern})


def _misfit(error: Any) -> Misfit:
    return Misfit(
        path=tuple(error.absolute_path),
        keyword=str(error.validator),
        wanted=error.validator_value,
        value=error.instance,
        schema=error.schema if isinstance(error.schema, dict) else {},
        named="propertyNames" in error.absolute_schema_path,
    )


def _flaws(misfit: Misfit, of: str) -> Iterator[Flaw]:
    path, value, schema = misfit.path, misfit.value, misfit.schema
    match misfit.keyword:
        case "additionalProperties":
            for extra in _extras(value, schema):
                yield Flaw((*path, extra), words.unknown_key(path, extra, schema, of), at_key=True)
        case "required":
            where = (*path, schema["x-at"]) if schema.get("x-at") in value else path
            for name in (name for name in misfit.wanted if name not in value):
                text = schema.get("x-message") or words.missing(path, name, of)
                yield Flaw(where, text, at_key=True, missing=True)
        case _ if misfit.named:
            yield Flaw((*path, value), words.misfit(misfit, of), at_key=True)
        case _:
            yield Flaw(path, words.misfit(misfit, of))


def _extras(value: JsonObject, schema: JsonObject) -> list[str]:
    patterns = schema.get("patternProperties", {})
    return [
        name
        for name in value
        if name not in schema.get("properties", {}) and not any(re.search(one, name) for one in patterns)
    ]
