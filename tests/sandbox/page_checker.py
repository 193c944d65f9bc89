"""Holds a page of HTML against our laws: well-formed, named, labelled, no script, nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser

_VOID = {"input", "meta", "br", "link", "img", "hr"}
_CONTROLS = {"input", "select", "textarea"}


def faults(html: str) -> list[str]:
    """All that is wrong with the page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.verdict(html)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[tuple[str, Mapping[str, str]]] = []
        self.ids: list[str] = []
        self.refers: list[tuple[str, str]] = []
        self.labelled: set[str] = set()
        self.controls: list[Mapping[str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self.headings: list[int] = []
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.found += [f"{tag} has {name}" for name in has if name.startswith("on") or name == "style"]
        if len(has) != len(attrs):
            self.found.append(f"{tag} repeats an attribute")
        if tag not in _VOID:
            self.open.append((tag, {**has, "text": ""}))
        if "id" in has:
            self.ids.append(has["id"])
        self.refers += [("aria-describedby", one) for one in has.get("aria-describedby", "").split()]
        if tag in ("a", "link", "img", "script", "form"):
            self._leads(tag, has)
        if tag == "label":
            self.labelled.add(has.get("for", ""))
            self.refers.append(("label", has.get("for", "")))
        if tag in _CONTROLS and has.get("type") != "hidden":
            self.controls.append(has)
        if tag == "img" and "alt" not in has:
            self.found.append("an image without alt")
        if tag == "th" and has.get("scope") not in ("col", "row"):
            self.found.append("a table header without scope")
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))

    def _leads(self, tag: str, has: Mapping[str, str]) -> None:
        for name in ("href", "src", "action"):
            where = has.get(name, "/")
            if where.startswith("#"):
                self.refers.append(("link", where[1:]))
            elif not where.startswith("/") or where.startswith("//"):
                self.found.append(f"{tag} leads to {where}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            self.found.append(f"</{tag}> closes nothing")
            return
        _, has = self.open.pop()
        name = " ".join((has.get("aria-label") or has["text"]).split())
        self.texts.setdefault(tag, []).append(name)
        if self.open:
            outer = self.open[-1][1]
            outer["text"] += has["text"]  # type: ignore[index]  # made as a dict above

    def handle_data(self, data: str) -> None:
        if self.open:
            self.open[-1][1]["text"] += data  # type: ignore[index]  # made as a dict above

    def verdict(self, html: str) -> list[str]:
        found = [*self.found, *(f"<{tag}> is never closed" for tag, _ in self.open)]
        found += [] if html.startswith("<!doctype html>") else ["no doctype"]
        found += [] if '<html lang="en">' in html else ["no language"]
        found += [
            f"{tag}: {self.counts.get(tag, 0)}"
            for tag in ("title", "h1", "main")
            if self.counts.get(tag) != 1
        ]
        found += [
            f"an empty {tag}"
            for tag in ("title", "h1", "a", "button", "label", "summary", "th", "legend")
            for text in self.texts.get(tag, [])
            if not text
        ]
        found += [f"id {one} twice" for one in set(self.ids) if self.ids.count(one) > 1]
        found += [
            f"{kind} refers to {one}, which is not there" for kind, one in self.refers if one not in self.ids
        ]
        found += [
            f"{has.get('name')} has no label" for has in self.controls if has.get("id") not in self.labelled
        ]
        found += [
            f"h{b} after h{a}" for a, b in zip([0, *self.headings], self.headings, strict=False) if b > a + 1
        ]
        found += ["a table without caption"] * (self.counts.get("table", 0) - self.counts.get("caption", 0))
        return found + ["a script"] * self.counts.get("script", 0)
