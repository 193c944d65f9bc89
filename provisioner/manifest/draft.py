"""Drafts manifests of what vendors have already: credentials and their `import` entries, to be reviewed.

What a draft declares is what its vendor shows, so that a plan on it imports and changes nothing. A field that
no manifest may declare is left to the vendor, and a comment says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field

from provisioner.core.capabilities import Declaration
from provisioner.core.model import JsonObject, JsonValue
from provisioner.core.project import Project
from provisioner.core.unmanaged import Unmanaged
from provisioner.manifest import fields as vendor_fields
from provisioner.manifest.fields import Vendor
from provisioner.manifest.words import VENDOR_FIELDS

_LONGEST: Final = 44
"""Characters of a name, so that a number has room behind it."""

_NEEDED: Final = frozenset({"scopes", "user"})
"""The fields without which a draft would say something else than the vendor shows."""

_PLAIN: Final = re.compile(r"[a-z][a-z0-9_-]*")


class Drafts(Struct):
    """What can be declared, and what cannot."""

    files: dict[str, str] = field(default_factory=dict)
    """The text for each provider."""
    count: int = 0
    """How many credentials are imported by them."""
    left_out: list[str] = field(default_factory=list)
    """What is in none of them, each with its reason."""
    users: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    """The linked users that `provision.yaml` does not name yet, as it would."""


class _Part(Struct, frozen=True):
    """One credential in one environment."""

    one: Unmanaged
    held: dict[str, JsonValue]
    """Its fields, as a manifest declares them."""
    comments: tuple[str, ...]


def draft(
    project: Project, declarations: Mapping[str, Declaration], found: Sequence[Unmanaged], owner: str
) -> Drafts:
    """Drafts for what was found; what is of another project or environment is left out."""
    drafts = Drafts()
    parts: dict[str, list[_Part]] = defaultdict(list)
    for one in found:
        where = f"{one.provider} in {one.environment}: {one.seen.remote_id}"
        if one.others or one.used:
            drafts.left_out.append(f"{where} is {one.whose}")
            continue
        part = _part(project, Vendor.of(declarations[one.provider]), one, drafts)
        if isinstance(part, str):
            drafts.left_out.append(f"{where}: {part}")
        else:
            parts[one.provider].append(part)
    taken = {one.address.name for one in project.desired} | {one.name for one in project.removed}
    taken |= {one.previously for one in project.desired if one.previously}
    for provider, its in parts.items():
        named = _named(provider, its, taken)
        drafts.files[provider] = "".join(_text(provider, named, owner))
        drafts.count += len(its)
    return drafts


def _part(project: Project, vendor: Vendor, one: Unmanaged, drafts: Drafts) -> _Part | str:
    """Its fields as a manifest may declare them, or why it cannot."""
    held = {name: one.seen.fields[name] for name in VENDOR_FIELDS if one.seen.fields.get(name)}
    kind = project.environments[one.environment].kind
    comments = []
    for flaw in list(vendor_fields.check(vendor, held, one.environment, kind)):
        name = str(flaw.path[0]) if flaw.path else ""
        if not name or name in _NEEDED:
            return flaw.text
        comments.append(f"{name} is left as it is at the vendor: {flaw.text}")
        _drop(held, flaw.path)
    if "user" in held:
        held["user"] = _user(project, one.provider, held["user"], drafts)
    return _Part(one, held, tuple(dict.fromkeys(comments)))


def _drop(held: dict[str, JsonValue], path: Sequence[str | int]) -> None:
    name = str(path[0])
    if name == "settings" and len(path) > 1 and isinstance(held.get(name), dict):
        held[name] = {key: value for key, value in held[name].items() if key != path[1]}
    else:
        held.pop(name, None)
    if not held.get(name):
        held.pop(name, None)


def _user(project: Project, provider: str, identity: JsonValue, drafts: Drafts) -> str:
    """The manifests' name for a vendor's user; a new one where there is none."""
    for known in (project.users, drafts.users):
        for name, at in known.items():
            if at.get(provider) == identity:
                return name
    base = (
        _slug(identity if isinstance(identity, str) else f"{provider}-user-{identity}") or f"{provider}-user"
    )
    name = _free(base, project.users.keys() | drafts.users.keys())
    drafts.users[name] = {provider: identity}
    return name


def _named(provider: str, parts: Sequence[_Part], taken: set[str]) -> dict[str, list[_Part]]:
    """Names for them all; what goes by one name in several environments is one credential."""
    groups: dict[str, list[_Part]] = {}
    own: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        base, told = _base(provider, part)
        fits = (name for name in own[base] if told and _joins(groups[name], part))
        name = next(fits, None)
        if name is None:
            name = _free(base, taken)
            taken.add(name)
            own[base].append(name)
            groups[name] = []
        groups[name].append(part)
    return groups


def _joins(group: Sequence[_Part], part: _Part) -> bool:
    return all(other.one.environment != part.one.environment for other in group)


def _base(provider: str, part: _Part) -> tuple[str, bool]:
    """What it may be called, and whether that says what it is."""
    seen = part.one.seen
    told = [seen.tag.name if seen.tag else "", seen.name, seen.fields.get("description")]
    told.append(f"{provider}-{part.held['user']}" if "user" in part.held else "")
    for text in told:
        if isinstance(text, str) and (name := _slug(text)):
            return name, True
    return provider, False


def _slug(text: str) -> str:
    """What is left of a text as a name; letters lose their accents."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return re.sub(r"[^a-z0-9]+", "-", plain.lower())[:_LONGEST].strip("-")


def _free(base: str, taken: Collection[str]) -> str:
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def _text(provider: str, named: Mapping[str, Sequence[_Part]], owner: str) -> Iterator[str]:
    yield f"# What {provider} had already, drafted by `provision discover`: look at it, plan, apply.\n"
    yield "credentials:\n"
    for name, parts in named.items():
        for comment in dict.fromkeys(text for part in parts for text in part.comments):
            yield f"  # {' '.join(comment.split())}\n"
        yield _yaml({name: _entry(provider, parts, owner)}, 2)
    yield "import:\n"
    for name, parts in named.items():
        for part in parts:
            place = {"name": name, "environment": part.one.environment, "remote_id": part.one.seen.remote_id}
            yield f"  - {_yaml(place, 0, flow=True)}"


def _entry(provider: str, parts: Sequence[_Part], owner: str) -> JsonObject:
    """One credential: what is the same in all of its environments stands once."""
    shared = {
        name: parts[0].held[name]
        for name in VENDOR_FIELDS
        if all(name in part.held and part.held[name] == parts[0].held.get(name) for part in parts)
    }
    rest = {
        part.one.environment: {name: value for name, value in part.held.items() if name not in shared}
        for part in parts
    }
    environments: JsonValue = rest if any(rest.values()) else list(rest)
    return {"provider": provider, "owner": owner, **shared, "environments": environments}


def _yaml(value: JsonValue, indent: int, *, flow: bool = False) -> str:
    import yaml

    class Quoting(yaml.SafeDumper):
        """Quotes every text that is more than a word, whatever a reader might take it for."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        style = None if _PLAIN.fullmatch(text) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Quoting.add_representer(str, quoted)
    style = True if flow else None
    text = yaml.dump(
        value, Dumper=Quoting, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=style
    )
    return "".join(f"{' ' * indent}{line}" for line in text.splitlines(keepends=True))
