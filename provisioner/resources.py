"""The schemas and examples that come with the package: one place knows where they lie.

An installed wheel carries them as `provisioner/schemas` and `provisioner/examples`; a checkout has them at
its top, for people to edit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from provisioner.errors import UsageError

_PLACES = (Path(__file__).parent / "schemas", Path(__file__).parent.parent / "schemas")
"""Where the schemas may lie, the wheel's place first."""

_EXAMPLES = (Path(__file__).parent / "examples", Path(__file__).parent.parent / "examples")
"""Where the examples may lie, the wheel's place first."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "quickstart": ("provision.yaml", "credentials/example.yaml"),
    "two-environments": (
        "provision.yaml",
        "credentials/payments.yaml",
        "credentials/payroll.yaml",
        "hand-over.sh",
    ),
    "all-vendors": (
        "provision.yaml",
        "credentials/payments.yaml",
        "credentials/people.yaml",
        "hand-over.sh",
    ),
}
"""The files of each example. Named one by one, so that what a run leaves behind is never taken along."""


def schemas() -> Path:
    """The folder of the JSON Schemas. Raises FileNotFoundError where an installation is broken."""
    for place in _PLACES:
        if (place / "providers").is_dir():
            return place
    raise FileNotFoundError(f"the schemas of provision are missing: they should lie in {_PLACES[0]}")


def schema(name: str) -> dict[str, Any]:
    """One schema by its name without suffix, such as `project` or `providers/payspace`.

    Raises UsageError, naming those that exist, for a name that does not.
    """
    known = schema_names()
    if name not in known:
        raise UsageError(f"there is no schema {name!r}", remedy=f"the schemas are {', '.join(known)}")
    parsed: dict[str, Any] = json.loads((schemas() / f"{name}.json").read_text(encoding="utf-8"))
    return parsed


def schema_names() -> tuple[str, ...]:
    """The names of all schemas, sorted."""
    root = schemas()
    found = (path.relative_to(root).with_suffix("") for path in root.rglob("*.json"))
    return tuple(sorted(path.as_posix() for path in found))


def example_files(name: str) -> dict[str, str]:
    """The texts of an example by their paths. Raises UsageError, naming those that exist, for another."""
    if name not in EXAMPLES:
        raise UsageError(f"there is no example {name!r}", remedy=f"the examples are {', '.join(EXAMPLES)}")
    root = next((place / name for place in _EXAMPLES if (place / name).is_dir()), None)
    if root is None:
        raise FileNotFoundError(f"the examples of provision are missing: they should lie in {_EXAMPLES[0]}")
    return {path: (root / path).read_text(encoding="utf-8") for path in EXAMPLES[name]}
