"""The frame around every page, and the front page, which has no console around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from provisioner.sandbox.console_forms import TOKEN
from provisioner.sandbox.console_html import Markup, raw, tag
from provisioner.sandbox.console_model import Console
from provisioner.sandbox.console_session import Session
from provisioner.sandbox.console_style import STYLE


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stands, and for whom it is drawn."""

    console: Console
    tenant: str
    session: Session | None = None

    @property
    def home(self) -> str:
        """The console's own address."""
        return f"/{self.console.vendor.name}/{self.tenant}/{self.console.segment}/"

    def item(self, item_id: str, action: str = "") -> str:
        """The address of an item's page, or of one of its actions."""
        return f"{self.home}items/{quote(item_id, safe='')}{'/' + action if action else ''}"


def index(consoles: Sequence[Console], tenants: Sequence[str]) -> str:
    """The sandbox's front page: every vendor and tenant."""
    words = ("Vendor", "Screen", *map(str.title, tenants))
    head = tag("tr", *[tag("th", word, scope="col") for word in words])
    rows = [_console_row(console, tenants) for console in consoles]
    caption = tag("caption", "Consoles", class_="unseen")
    table = tag("table", caption, tag("thead", head), tag("tbody", *rows))
    return _frame(
        "Sandbox",
        tag("nav", tag("ol", tag("li", "Sandbox")), aria_label="Where you are"),
        None,
        tag("h1", "Sandbox"),
        tag("p", "Twins of vendors that run on this machine. Nothing here reaches a vendor."),
        scrolling(table, "Consoles"),
    )


def _console_row(console: Console, tenants: Sequence[str]) -> Markup:
    links = [
        tag(
            "a",
            tenant,
            href=Place(console, tenant).home,
            aria_label=f"{tenant}: {console.heading}, {console.title}",
        )
        for tenant in tenants
    ]
    cells = [tag("td", link) for link in links]
    return tag("tr", tag("th", console.title, scope="row"), tag("td", console.heading), *cells)


def scrolling(table: Markup, name: str) -> Markup:
    """A table that scrolls on its own where the screen is narrow, by keyboard too."""
    return tag("div", table, class_="wide", role="region", aria_label=name, tabindex="0")


def page_of(place: Place, title: str, *content: Markup | None) -> str:
    """One page of a console; `title` stands in the browser's."""
    steps = [
        tag("li", tag("a", "Sandbox", href="/")),
        tag("li", place.console.title),
        tag("li", tag("strong", place.tenant)),
        tag("li", tag("a", place.console.heading, href=place.home)),
    ]
    where = tag("nav", tag("ol", *steps), aria_label="Where you are")
    out = _sign_out(place, place.session) if place.session else None
    return _frame(f"{title} – {place.console.title} {place.tenant} – Sandbox", where, out, *content)


def _frame(title: str, where: Markup, out: Markup | None, *content: Markup | None) -> str:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", raw(STYLE)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the content", href="#content", class_="skip"),
        tag("header", tag("div", where, out)),
        tag("main", *content, id="content", tabindex="-1"),
        tag("footer", "A sandbox: a twin of the vendor on this machine, made of its documents."),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _sign_out(place: Place, session: Session) -> Markup:
    address = f"{place.home}sign-out"
    return tag(
        "form",
        form_token(session, address),
        tag("button", "Sign out", type="submit", class_="plain"),
        method="post",
        action=address,
        class_="inline",
    )


def form_token(session: Session | None, address: str) -> Markup | None:
    """The hidden field that proves a form to be of this session; nothing where nobody is signed in."""
    return tag("input", type="hidden", name=TOKEN, value=session.token(address)) if session else None
