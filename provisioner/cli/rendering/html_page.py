"""Pages of HTML that need nothing else: no script, no request, every text escaped. Only strings."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from provisioner.cli.rendering.html_style import STYLE
from provisioner.cli.values import plain

STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src '{STYLE_HASH}'"
"""The page itself forbids whatever is not on it."""

LINE = 40
"""Characters of a name that are never broken."""


def text(value: str) -> str:
    """A text as HTML: nothing in it is markup, and nothing unprintable moves or hides what is beside it."""
    return escape(plain(value), quote=True)


def page(title: str, lead: str, links: Sequence[tuple[str, str]], body: str, foot: str) -> str:
    """A whole page. `title`, `lead` and `foot` are texts, `links` are (id, words), `body` is HTML."""
    items = "".join(f'<li><a href="#{text(id)}">{text(words)}</a></li>' for id, words in links)
    nav = f'<nav aria-label="On this page"><ul>{items}</ul></nav>' if items else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{text(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the content</a>\n'
        f"<header><div><h1>{text(title)}</h1><p>{text(lead)}</p>{nav}</div></header>\n"
        f'<main id="main">\n{body}\n</main>\n<footer><p>{text(foot)}</p></footer>\n</body>\n</html>\n'
    )


def section(id: str, heading: str, body: str) -> str:
    """A part of the page that the links at its top lead to; `heading` is a text, `body` is HTML."""
    return (
        f'<section aria-labelledby="{text(id)}"><h2 id="{text(id)}">{text(heading)}</h2>\n{body}\n</section>'
    )


def table(caption: str, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in a frame that scrolls by itself, also by keyboard. Cells are HTML; the first heads a row.

    A column that is empty in every row is left out.
    """
    cells = list(rows)
    kept = [place for place in range(len(titles)) if place == 0 or any(row[place] for row in cells)]
    head = "".join(f'<th scope="col">{text(titles[place])}</th>' for place in kept)
    body = "\n".join(_row([row[place] for place in kept]) for row in cells)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(caption)}"><table>'
        f"<caption>{text(caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>"
        "</table></div>"
    )


def _row(cells: Sequence[str]) -> str:
    first, *rest = cells
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'


def when(moment: datetime | None, near: str = "") -> str:
    """A moment as HTML, with how far away it is; empty where there is none."""
    if moment is None:
        return ""
    told = f'<time datetime="{moment:%Y-%m-%dT%H:%MZ}">{moment:%Y-%m-%d %H:%M}</time>'
    return f'<span class="near">{told} <span class="soft">{text(near)}</span></span>' if near else told


def name(words: str) -> str:
    """A name as HTML, in one line where it is not too long for that."""
    return f'<span class="name">{text(words)}</span>' if len(words) <= LINE else text(words)


def tag(words: str, kind: str) -> str:
    """Words that stand out: `end`, `wait`, `good` or `none`. The words say it as well as the colour."""
    return f'<span class="tag {kind}">{text(words)}</span>'


def note(heading: str, lines: Iterable[str], *, bad: bool = False) -> str:
    """Something to see before all else; texts."""
    items = "".join(f"<li>{text(line)}</li>" for line in lines)
    kind = "note bad" if bad else "note"
    return f'<div class="{kind}"><h2>{text(heading)}</h2><ul>{items}</ul></div>' if items else ""
