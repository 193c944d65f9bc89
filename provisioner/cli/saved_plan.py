"""A plan as a file: JSON with a digest (schemas/plan.json), written whole or not at all, refused if edited.

Beside the digest over everything the file carries one for each change, so that a refusal can say which
address was edited. Digests find edits; they do not prove who wrote the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from provisioner.cli.publishing import FOR_US, write_whole
from provisioner.cli.values import plain
from provisioner.core.canonical import encoded, read_json
from provisioner.core.model import JsonObject, JsonValue
from provisioner.core.plan import FORMAT_VERSION, Plan, from_json, to_json
from provisioner.errors import PlanEdited, ProvisionError, Refused

REMEDY = "plan again, look, and apply that"

LIMIT = 1 << 28
"""Bytes. A larger file is no plan of ours."""


def document(plan: Plan) -> dict[str, JsonValue]:
    """The plan as its file holds it, and as `plan --format json` prints it."""
    body = to_json(plan)
    checks = {"file": _digest(body), "changes": [_digest(change) for change in body["changes"]]}
    return {**body, "digest": plan.digest, "checks": checks}


def fingerprint(plan: Plan) -> str:
    """SHA-256, in hex, over all that a saved plan says, with its author and its moments."""
    return _digest(to_json(plan))


def write(path: Path, plan: Plan) -> None:
    """Write the file, mode 0600: either all of it, or what was there before. Raises ProvisionError."""
    write_whole(path, json.dumps(document(plan), indent=2) + "\n", FOR_US)


def read(path: Path) -> Plan:
    """The plan in a file. Raises PlanEdited naming what was edited, and Refused for a newer format."""
    parsed = _parsed(path)
    found = parsed.get("format_version")
    if isinstance(found, int) and found > FORMAT_VERSION:
        raise Refused(
            f"{path} has plan format {found}, and this version of provision reads {FORMAT_VERSION}",
            remedy="apply it with the version of provision that made it, or plan again",
        )
    plan = _understood(parsed)
    if plan is None or document(plan) != parsed:
        raise PlanEdited(f"{path} is not what was saved: {_what(parsed)}", remedy=REMEDY)
    return plan


def _understood(parsed: JsonObject) -> Plan | None:
    """The plan in it, where that much can be read; whether it is what was saved shows only later."""
    try:
        plan = from_json(parsed)
        document(plan)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None
    return plan


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(LIMIT + 1)
        found = read_json(raw) if len(raw) <= LIMIT else None
    except OSError as error:
        raise ProvisionError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise PlanEdited(f"{path} is no saved plan: it is not JSON", remedy=REMEDY) from None
    if not isinstance(found, dict):
        raise PlanEdited(f"{path} is no saved plan", remedy=REMEDY)
    return found


def _what(parsed: JsonObject) -> str:
    """Which addresses were edited, as far as the file can still tell."""
    if not isinstance(parsed.get("changes"), list) or not isinstance(parsed.get("checks"), Mapping):
        return "it has not the shape of a plan"
    changes, digests = parsed["changes"], parsed["checks"].get("changes")
    if not isinstance(digests, list):
        return "it has not the shape of a plan"
    edited = sorted(set(_edited(changes, digests)))
    if edited:
        return f"{', '.join(edited)} was edited"
    if len(changes) != len(digests):
        return f"a change was {'removed' if len(changes) < len(digests) else 'repeated'}"
    return "something beside its changes was edited"


def _edited(changes: list[JsonValue], digests: list[JsonValue]) -> Iterator[str]:
    for change in changes:
        if not isinstance(change, Mapping) or _digest(change) not in digests:
            # Of an edited file even the address may be anything, such as a line that looks like ours.
            yield plain(str(change.get("address", "a change"))) if isinstance(change, Mapping) else "a change"


def _digest(value: JsonValue) -> str:
    return hashlib.sha256(encoded(value)).hexdigest()
