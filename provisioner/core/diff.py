"""What differs between two sides of one credential, field by field.

Both sides were normalised before they come here, so equality is the first and usual answer; only nested
settings that differ are taken apart, by DeepDiff.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct

from provisioner.core.model import JsonObject, JsonValue

NESTED = "settings"
"""The one field that is an object of the vendor's own shape."""


class Difference(Struct, frozen=True):
    """One field with two values. `path` is dotted; None stands for a value that is not set."""

    path: str
    before: JsonValue
    after: JsonValue


def differences(
    before: JsonObject, after: JsonObject, *, sets: Collection[str] = ()
) -> tuple[Difference, ...]:
    """List what differs, in the order of the paths. Fields in `sets` are compared without order."""
    if before == after:
        return ()
    found: list[Difference] = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if _same(old, new, unordered=name in sets):
            continue
        if name == NESTED:
            found.extend(_nested(old or {}, new or {}, sets))
        else:
            found.append(Difference(name, old, new))
    return tuple(found)


def declared_only(desired: JsonObject, observed: JsonObject) -> JsonObject:
    """The part of what a vendor shows that the manifest speaks of: only that is compared (design §5)."""
    shown = {name: observed[name] for name in desired if name in observed}
    if isinstance(desired.get(NESTED), dict) and isinstance(shown.get(NESTED), dict):
        shown[NESTED] = {key: value for key, value in shown[NESTED].items() if key in desired[NESTED]}
    return shown


def _same(old: JsonValue, new: JsonValue, *, unordered: bool) -> bool:
    if unordered and isinstance(old, list) and isinstance(new, list):
        return sorted(old) == sorted(new)
    # `True == 1` in Python, but not in a manifest.
    return bool(old == new) and type(old) is type(new)


def _nested(old: JsonObject, new: JsonObject, sets: Collection[str]) -> Iterator[Difference]:
    unordered = {path.removeprefix(f"{NESTED}.") for path in sets}
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if _differ(before, after, unordered=key in unordered):
            yield Difference(f"{NESTED}.{key}", before, after)


def _differ(before: JsonValue, after: JsonValue, *, unordered: bool) -> bool:
    if not (isinstance(before, list | dict) and isinstance(after, list | dict)):
        return not _same(before, after, unordered=unordered)
    from deepdiff import DeepDiff

    return bool(DeepDiff(before, after, ignore_order=unordered))
