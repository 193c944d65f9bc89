"""Making a project out of an example: its manifests, an identity, and what git must not take."""

from __future__ import annotations

import json
import re
from pathlib import Path

from provisioner.cli.options import DEFAULT_IDENTITY
from provisioner.errors import ProvisionError
from provisioner.resources import example_files

RECIPIENT = "age1vqmqkecm5zs8hr26cwpgjhlu7zj07tgg6fdd3lz93565tmdxdqnshsnhxy"
"""The recipient that the examples carry. Nobody has its identity: a project gets one of its own."""

CHECKOUT_SCHEMAS = "../../schemas/"
"""Where the examples tell editors that the schemas are."""

SCHEMAS = Path(".provision", "schemas")
"""Where a project keeps its own copy of them."""

IGNORED = (".provision/", "secrets/")
"""What git must not take: state, the identity and the sandbox; and what the examples' sinks write."""


NOTHING = (
    "# Nothing in here is for git, whatever else is ignored: the identity opens every sealed secret.\n*\n"
)
"""The .gitignore of the folder that provision keeps to itself."""


def start(directory: Path, name: str, example: str) -> None:
    """Write the project. Raises ProvisionError, before anything is written, where something is in the way."""
    from provisioner.secrets.identities import generate_identity

    files = example_files(example)
    in_the_way = [directory / path for path in files if (directory / path).exists()]
    if in_the_way:
        raise ProvisionError(
            f"{', '.join(map(str, in_the_way))} would be replaced, so nothing was written",
            remedy="choose another folder, or move them away",
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _ignore(directory / ".gitignore")
        recipient = generate_identity(directory / DEFAULT_IDENTITY)
        (directory / DEFAULT_IDENTITY.parent / ".gitignore").write_text(NOTHING, encoding="utf-8")
        _write_schemas(directory / SCHEMAS)
        for path, text in files.items():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_own(text, name, recipient), encoding="utf-8")
    except OSError as error:
        raise ProvisionError(f"{error.filename or directory} cannot be written: {error.strerror}") from None


def _write_schemas(folder: Path) -> None:
    """What the first line of each manifest tells an editor to check it against."""
    from provisioner import manifest
    from provisioner.providers import registry

    folder.mkdir(parents=True, exist_ok=True)
    found = {
        "project": manifest.schema("project"),
        "credentials": manifest.editor_schema(registry.load().declarations),
    }
    for name, schema in found.items():
        (folder / f"{name}.json").write_text(json.dumps(schema, indent=2), encoding="utf-8")


def _own(text: str, name: str, recipient: str) -> str:
    """The example as this project's own."""
    named = re.sub(r"^project: .*$", f"project: {name}", text, flags=re.MULTILINE)
    return named.replace(RECIPIENT, recipient).replace(CHECKOUT_SCHEMAS, f"{SCHEMAS.as_posix()}/")


def _ignore(path: Path) -> None:
    """Add what is missing; what a repository ignores already stays."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in IGNORED if line not in before.splitlines()]
    if missing:
        gap = "\n" if before and not before.endswith("\n") else ""
        path.write_text(f"{before}{gap}{chr(10).join(missing)}\n", encoding="utf-8")
