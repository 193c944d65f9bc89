"""What `provision discover` finds, as a table and as JSON, and the manifests that it drafts."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from provisioner.cli.planning import known_environments, nearest
from provisioner.cli.rendering.status import columns, moment
from provisioner.cli.survey import inspected
from provisioner.cli.values import count_of
from provisioner.core.capabilities import Observe
from provisioner.core.model import JsonObject
from provisioner.core.unmanaged import Ours, Unmanaged, imported, unmanaged
from provisioner.errors import ManifestInvalid, ProvisionError, UsageError

if TYPE_CHECKING:
    from provisioner.cli.places import Place
    from provisioner.cli.session import Session
    from provisioner.manifest.draft import Drafts

COLUMNS = ("PROVIDER", "ENVIRONMENT", "REMOTE ID", "NAME", "STATUS", "CREATED", "WHOSE")


class Found(Struct, frozen=True):
    """What vendors have that is not ours."""

    strays: tuple[Unmanaged, ...]
    silent: tuple[str, ...]
    """Where nobody could look, and why."""
    failed: bool
    """Whether one of these could be asked, and did not answer."""


class Drafted(Struct, frozen=True):
    """What was written."""

    files: tuple[Path, ...]
    told: tuple[str, ...]
    """What to say about it."""


def discover(session: Session, providers: Collection[str], environments: Collection[str]) -> Found:
    """Ask the vendors; writes nothing. Raises UsageError for a vendor or environment that there is not."""
    places = _places(session, providers, environments)
    observations, used = inspected(session, places)
    with session.store() as store:
        ours = Ours.of(
            store.records(session.project.environments),
            store.operations(session.project.environments),
            imported(session.project.desired, session.project.imports),
        )
    silent = {place: listing.unseen for place, listing in sorted(observations.items()) if listing.unseen}
    return Found(
        strays=tuple(unmanaged(session.project.name, observations, ours, used)),
        silent=tuple(
            f"{provider} in {environment}: {why}" for (provider, environment), why in silent.items()
        ),
        failed=any(_lists(session, place) for place in silent),
    )


def text(found: Found) -> str:
    """The table, and a last line that counts."""
    if not found.strays:
        return "Nothing: all that could be seen is ours."
    lines = columns(COLUMNS, [list(_cells(one)) for one in found.strays])
    return "\n".join([*lines, "", f"{count_of(len(found.strays), 'credential')} not ours."])


def to_json(found: Found, drafted: Drafted | None) -> JsonObject:
    """The same for programs."""
    return {
        "unmanaged": [_one(one) for one in found.strays],
        "unseen": list(found.silent),
        "written": [str(path) for path in drafted.files] if drafted else [],
    }


def write(session: Session, found: Found, folder: Path, owner: str) -> Drafted:
    """Draft manifests in this folder, each in a file that was not there.

    Raises ProvisionError, before anything is written, where a linked user has no name yet.
    """
    from provisioner.manifest.draft import draft

    drafts = draft(session.project, session.registry.declarations, found.strays, owner)
    if drafts.users:
        lines = "\n".join(f"    {name}: {_flow(at)}" for name, at in sorted(drafts.users.items()))
        raise ProvisionError(
            "some of these are linked to users that have no name yet, so nothing was written",
            remedy=f"name them under `users` in provision.yaml, then run this again:\n{lines}",
        )
    files = tuple(_new_file(folder, provider, text) for provider, text in drafts.files.items())
    return Drafted(files, tuple(_told(session, drafts, files, folder)))


def _flow(at: JsonObject) -> str:
    import json

    return f"{{{', '.join(f'{provider}: {json.dumps(identity)}' for provider, identity in at.items())}}}"


def _new_file(folder: Path, provider: str, text: str) -> Path:
    """A file of this vendor that was not there. Raises ProvisionError where none can be made."""
    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = next(path for path in _numbered(folder, provider) if not os.path.lexists(path))
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ProvisionError(
            f"{path} cannot be written: {error.strerror}", remedy="choose another folder for --write"
        ) from None
    return path


def _numbered(folder: Path, provider: str) -> Iterator[Path]:
    yield folder / f"{provider}.yaml"
    yield from (folder / f"{provider}-{number}.yaml" for number in count(2))


def _told(session: Session, drafts: Drafts, files: Collection[Path], folder: Path) -> Iterator[str]:
    yield from (f"Left out: {line}" for line in drafts.left_out)
    if not files:
        yield "Nothing was written."
        return
    yield f"Drafted {count_of(drafts.count, 'credential')} in {', '.join(map(str, files))}."
    if not _is_read(session.root, folder):
        yield "Only manifests under credentials/ are read: move them there."
        return
    yield from _problems(session)


def _is_read(root: Path, folder: Path) -> bool:
    return folder.absolute().resolve().is_relative_to((root / "credentials").resolve())


def _problems(session: Session) -> Iterator[str]:
    """What does not fit the rest of the project, such as defaults that these vendors lack."""
    from provisioner import manifest

    try:
        manifest.load(session.root, session.registry.declarations)
    except ManifestInvalid as error:
        yield error.message
        yield from error.problems
    else:
        yield "See what an apply would take over: provision plan"


def _places(session: Session, providers: Collection[str], environments: Collection[str]) -> list[Place]:
    there = set(known_environments(session, environments))
    known = {provider for provider, _ in session.project.providers}
    for name in providers:
        if name not in known:
            raise UsageError(f"provision.yaml configures no provider {name!r}", remedy=nearest(name, known))
    return [
        (provider, environment)
        for provider, environment in session.project.providers
        if environment in there and (not providers or provider in providers)
    ]


def _lists(session: Session, place: Place) -> bool:
    via = session.project.providers[place].via
    return session.registry.declarations[place[0]].capabilities[via].observe is Observe.LIST


def _cells(one: Unmanaged) -> Iterator[str]:
    yield one.provider
    yield one.environment
    yield one.seen.remote_id
    yield one.seen.name
    yield one.seen.status.value
    yield f"{one.seen.created_at:%Y-%m-%d}" if one.seen.created_at else ""
    yield one.whose


def _one(one: Unmanaged) -> JsonObject:
    return {
        "provider": one.provider,
        "environment": one.environment,
        "remote_id": one.seen.remote_id,
        "name": one.seen.name,
        "status": one.seen.status.value,
        "created_at": moment(one.seen.created_at),
        "fields": dict(one.seen.fields),
        "tag": str(one.seen.tag) if one.seen.tag else None,
        "whose": one.whose,
    }
