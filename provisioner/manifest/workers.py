"""Makes pages on all processors, where there is enough to read.

Each worker is a fork that makes its share, sends the pages as text and is gone. Whatever goes wrong with one,
its share is made here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Final

from provisioner.core.garbage import no_collection
from provisioner.manifest.maker import Maker
from provisioner.manifest.pages import Page

Named = Mapping[str, tuple[str, str]]
"""By the name of the page: the manifest's name, and its text."""

Made = dict[str, Page]
"""Pages by their names."""

A_SHARE: Final = 96 * 1024
"""Bytes that are worth a worker: a fork and its answer take about as long as ten thousand of them."""


def pages(maker: Maker, texts: Named) -> Made | None:
    """The page of each text; None where one is not sound."""
    shares = _shares(texts)
    workers = [(share, *_begin(maker, share)) for share in shares[1:]]
    made = _made(maker, shares[0])
    for share, process, answer in workers:
        theirs = _end(process, answer)
        if made is not None:
            more = _made(maker, share) if theirs is None else theirs
            made = None if more is None else {**made, **more}
    return made


def _shares(texts: Named) -> Sequence[Named]:
    size = sum(len(text) for _, text in texts.values())
    count = min(_processors(), max(1, size // A_SHARE))
    names = list(texts)
    return [{name: texts[name] for name in names[start::count]} for start in range(count)]


def _processors() -> int:
    if not hasattr(os, "fork"):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _made(maker: Maker, texts: Named) -> Made | None:
    found: Made = {}
    with no_collection():
        for name, (file, text) in texts.items():
            page = maker.page(file, text)
            if page is None:
                return None
            found[name] = page
    return found


def _begin(maker: Maker, share: Named) -> tuple[int, int]:
    """A worker's process id, and where its answer comes."""
    answer, ours = os.pipe()
    process = os.fork()
    if process:
        os.close(ours)
        return process, answer
    try:
        made = _made(maker, share) or {}
        text = json.dumps({name: page.text() for name, page in made.items()})
        with os.fdopen(ours, "wb") as stream:
            stream.write(text.encode())
    finally:
        os._exit(0)  # nothing of the parent's is flushed, closed or cleaned up twice


def _end(process: int, answer: int) -> Made | None:
    """What a worker made; None where its answer is not whole."""
    with os.fdopen(answer, "rb") as stream:
        data = stream.read()
    os.waitpid(process, 0)
    try:
        found = json.loads(data)
    except ValueError:
        return None
    # One that met anything unsound sends nothing, and the share is made here to no end but to find out.
    return {name: Page.parse(text) for name, text in found.items()} or None
