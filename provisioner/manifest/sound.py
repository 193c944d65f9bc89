"""The quick way to read a project: pages of what was found sound before, and new ones made side by side.

It answers only where everything is sound, and then exactly what the full way (`whole.py`) answers; else it
answers nothing, and the full way is taken, which tells every problem. A page is found by all that it follows
from: its text and name, `provision.yaml`, the schemas, what each provider declares, this interpreter and our
own source files. Small projects are read the full way at once: pages would cost them more than they give.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

import provisioner
from provisioner import resources
from provisioner.core.capabilities import Declaration
from provisioner.core.project import Project
from provisioner.core.sheet import Sheet
from provisioner.manifest import files
from provisioner.manifest.assembly import assembled
from provisioner.manifest.cache import Cache, digest
from provisioner.manifest.document import Document, packed, unpacked, without
from provisioner.manifest.house import House, build
from provisioner.manifest.pages import Page, fit_together
from provisioner.manifest.problems import Problems

SMALL: Final = 64 * 1024
"""Up to how many bytes of manifests a project is read the full way."""


def load(root: Path, declarations: Mapping[str, Declaration], *, small: int = SMALL) -> Project | None:
    """The project in `root`, where everything is sound; None where the full way has to be taken."""
    texts = _texts(root)
    if not texts or sum(map(len, texts.values())) < small:
        return None
    cache = Cache(root)
    first = digest([_world(declarations), texts[files.PROJECT].encode()])
    head = _head(cache, first, texts[files.PROJECT])
    problems = Problems()
    house = build(head, head.root, declarations, problems) if head else None
    if house is None or problems:
        return None
    pages = _pages(root, cache, _named(first, texts), house, declarations)
    if pages is None or not _together(cache, pages, house):
        return None
    cache.tidy()
    desired = Sheet([line for page in pages.values() for line in page.lines])
    gone = [one for page in pages.values() for one in page.removed]
    taken = [one for page in pages.values() for one in page.imports]
    project = assembled(root, house, desired, gone, taken, declarations, problems)
    return None if problems or not (desired or gone) else project


def _texts(root: Path) -> dict[str, str]:
    """Every manifest by its name, the project file first; none where one cannot be read."""
    problems = Problems()
    found = {files.shown(path, root): files.read(path, root, problems) for path in files.find(root, problems)}
    return {} if problems else {name: text for name, text in found.items() if text is not None}


def _named(first: str, texts: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {
        digest([first.encode(), name.encode(), text.encode()]): (name, text) for name, text in texts.items()
    }


def _head(cache: Cache, name: str, text: str) -> Document | None:
    """`provision.yaml` without its credentials; None where it is not sound."""
    kept = cache.get(name)
    if kept is not None:
        start, root = json.loads(kept)
        return Document(files.PROJECT, unpacked(root), start)
    from provisioner.manifest.maker import sound_document

    found = sound_document(files.PROJECT, text, Problems())
    if found is None:
        return None
    head = Document(files.PROJECT, without(found.root, "credentials"), found.start)
    cache.put(name, json.dumps([head.start, packed(head.root)]))
    return head


def _pages(
    root: Path,
    cache: Cache,
    texts: Mapping[str, tuple[str, str]],
    house: House,
    declarations: Mapping[str, Declaration],
) -> dict[str, Page] | None:
    """The page of each text by its name, in their order; None where one is not sound."""
    kept = {name: cache.get(name) for name in texts}
    missing = {name: texts[name] for name, text in kept.items() if text is None}
    found = {name: Page.parse(text) for name, text in kept.items() if text is not None}
    if missing:
        from provisioner.manifest import workers
        from provisioner.manifest.maker import Maker

        made = workers.pages(Maker(root, house, declarations), missing)
        if made is None:
            return None
        for name, page in made.items():
            found[name] = page
            if page.alone:
                cache.put(name, page.text())
    return {name: found[name] for name in texts}


def _together(cache: Cache, pages: Mapping[str, Page], house: House) -> bool:
    """Whether the pages fit together; that follows from them, so it is kept for the same ones."""
    name = digest((name if page.alone else page.text()).encode() for name, page in pages.items())
    if cache.get(name) is None:
        if not fit_together(list(pages.values()), house.environments):
            return False
        cache.put(name, "sound")
    return True


def _world(declarations: Mapping[str, Declaration]) -> bytes:
    """All that pages follow from besides the manifests."""
    schemas = [(resources.schemas() / f"{name}.json").read_bytes() for name in ("project", "credentials")]
    told = json.dumps(declarations, default=_told, sort_keys=True)
    ours = f"{provisioner.__version__} {sys.version} {list(_sources())}"
    return digest([*schemas, told.encode(), ours.encode()]).encode()


def _sources() -> Iterator[tuple[str, int, int]]:
    """Our own files that read manifests: in a checkout they change without a new version."""
    here = Path(provisioner.__file__).parent
    for path in sorted([*(here / "manifest").glob("*.py"), *(here / "core").glob("*.py")]):
        status = path.stat()
        yield path.name, status.st_size, status.st_mtime_ns


def _told(value: Any) -> Any:
    """What JSON does not know, in a form that is the same in every run."""
    if isinstance(value, Struct):
        return asdict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else repr(value)
