"""Every page of every console: valid, labelled, escaped, private, and readable in light and dark."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from console_visit import Visitor
from page_checker import faults

from provisioner.sandbox.browsing import Browser
from provisioner.sandbox.console import CONSOLES
from provisioner.sandbox.console_style import STYLE
from provisioner.sandbox.operator import Operator
from provisioner.sandbox.world import Sandbox

#: What a label may hold, and a page must not take for its own.
MARKUP = '<script>alert(1)</script><b title="x">\'&amp;'

FIELDS: dict[str, dict[str, Any]] = {
    "payspace": {"scopes": ["full-access"], "user": "svc.payroll"},
    "paynet": {"scopes": ["rpp:merchant"]},
    "paytia": {"allow_ips": ["203.0.113.0/28"]},
    "timeclock": {"user": 17},
    "fpay": {"scopes": ["ReadOnly"], "foreign_data": MARKUP},
}
DESKS = [(one.vendor.name, tenant, one.segment) for one in CONSOLES for tenant in ("test", "production")]


@pytest.fixture
def furnished(sandbox: Sandbox) -> Sandbox:
    """A sandbox where every tenant has a credential whose texts are markup."""
    operator = Operator(sandbox)
    for vendor, fields in FIELDS.items():
        described = {} if vendor == "timeclock" else {"description": MARKUP}
        for tenant in ("test", "production"):
            asyncio.run(
                operator.perform(
                    vendor,
                    tenant,
                    "create",
                    fields={**fields, **described},
                    remote_id=None,
                    name=MARKUP,
                    tag=MARKUP,
                )
            )
    return sandbox


def every_page(visitor: Visitor) -> Iterator[tuple[str, str]]:
    """Each page that links lead to from the console's list, and each that its forms answer empty."""
    todo, seen = [visitor.home, f"{visitor.home}?find=nothing", f"{visitor.home}items/none"], set()
    while todo:
        address = todo.pop()
        seen.add(address)
        html = visitor.get(address).text
        yield address, html
        forms = re.findall(r'action="([^"]+)".*?name="form" value="([^"]+)"', html)
        for to, token in forms:
            if to.endswith(("/new", "/change", "/grant", "/reveal")):
                answer = visitor.post(unescape(to), {"form": token})
                if answer.status_code != 303:
                    yield f"POST {to}", answer.text
        links = {unescape(link) for link in re.findall(r'href="(/[^"]+)"', html)}
        todo += sorted(link for link in links if link.startswith(visitor.home) and link not in {*seen, *todo})


@pytest.mark.parametrize(("vendor", "tenant", "desk"), DESKS)
def test_every_page_is_sound(furnished: Sandbox, vendor: str, tenant: str, desk: str) -> None:
    """Each page is well-formed, has a title, one h1, a language, labels, captions, scopes, and no script."""
    pages = dict(every_page(Visitor.signed_in(furnished, vendor, tenant, desk)))
    pages["sign-in"] = Visitor(furnished, vendor, tenant, desk).get("sign-in").text

    assert {} == {address: found for address, html in pages.items() if (found := faults(html))}
    assert len(pages) >= (4 if desk == "staff" else 7)


def test_the_checker_finds_faults() -> None:
    """What the laws above forbid is found where it is there."""
    bad = (
        "<html><p><input name=a><a href=https://x></a><th>y</th><img><h3>z</h3>"
        "<label for=q>l</label><script>1</script>"
    )

    found = faults(bad)

    for fault in (
        "no doctype",
        "no language",
        "title: 0",
        "h1: 0",
        "a has no label",
        "a leads to https://x",
        "an empty a",
        "a table header without scope",
        "an image without alt",
        "h3 after h0",
        "label refers to q, which is not there",
        "a script",
        "<p> is never closed",
    ):
        assert fault in found


@pytest.mark.parametrize(("vendor", "tenant", "desk"), DESKS)
def test_what_people_write_is_text(furnished: Sandbox, vendor: str, tenant: str, desk: str) -> None:
    """Markup in a label, a description or a search is shown as it was written, and is never markup."""
    visitor = Visitor.signed_in(furnished, vendor, tenant, desk)
    found = visitor.get("", params={"find": MARKUP}).text
    pages = [html for _, html in every_page(visitor)]

    assert not [html for html in [*pages, found] if "<script" in html or '<b title="x"' in html]
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&lt;b title=&quot;x&quot;&gt;&#x27;&amp;amp;"
    assert escaped in found
    assert any(escaped in html for html in pages) == ((tenant, desk) != ("test", "staff"))


@pytest.mark.parametrize("vendor", FIELDS)
def test_a_form_keeps_what_stands_in_it(furnished: Sandbox, vendor: str) -> None:
    """Opening an item and saving its form unchanged changes nothing at the vendor."""
    before = furnished.ledger(vendor, "test")

    async def save() -> None:
        browser, home = Browser(furnished.app), f"/{vendor}/test/console/"
        page = (await browser.open(home)).parsed()
        page.forms[0].fill("password", furnished.token(vendor, "test"))
        page = (await browser.send(page.forms[0])).parsed()
        items = {link for link in page.links if re.fullmatch(rf"{home}items/[^/]+", link)}
        for item in items:
            form = [
                one for one in (await browser.open(item)).parsed().forms if one.action == f"{item}/change"
            ]
            for one in form:
                assert (await browser.send(one)).status == 200

    asyncio.run(save())

    assert before == furnished.ledger(vendor, "test")


@pytest.mark.parametrize(("vendor", "tenant", "desk"), DESKS)
def test_pages_are_private(furnished: Sandbox, vendor: str, tenant: str, desk: str) -> None:
    """No page may be kept, framed, scripted, or send a form elsewhere; none is read without a session."""
    visitor, stranger = (
        Visitor.signed_in(furnished, vendor, tenant, desk),
        Visitor(furnished, vendor, tenant, desk),
    )

    for address, _ in every_page(visitor):
        if not address.startswith("POST"):
            headers = visitor.get(address).headers
            assert headers["cache-control"] == "no-store"
            assert headers["referrer-policy"] == "same-origin"
            for rule in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"):
                assert rule in headers["content-security-policy"]
            answer = stranger.get(address)
            assert (303, f"{visitor.home}sign-in") == (answer.status_code, answer.headers["location"])


def test_the_front_page_leads_to_every_console(sandbox: Sandbox) -> None:
    """The front page says that it is a sandbox, and links to every vendor's and tenant's console."""
    page = Visitor(sandbox, "payspace").get("/").text

    assert [] == faults(page)
    assert "Nothing here reaches a vendor" in page
    assert {f"/{v}/{t}/{d}/" for v, t, d in DESKS} == set(re.findall(r'href="(/[^"]+)"', page))


def test_addresses_are_told_apart(sandbox: Sandbox) -> None:
    """A console without its slash leads on; an unknown tenant, page, item, action or method is an error."""
    visitor = Visitor.signed_in(sandbox, "paynet")

    assert 308 == visitor.get(visitor.home.rstrip("/")).status_code
    assert 404 == visitor.get("/paynet/staging/console/").status_code
    for path in ("x", "items", "items/", "items/x/reveal", "new/x", "sign-out"):
        assert 404 == visitor.get(path).status_code, path
    assert 405 == visitor.request("DELETE", "").status_code
    assert "GET, HEAD, POST" == visitor.request("DELETE", "").headers["allow"]
    assert b"" == visitor.request("HEAD", "").content


def test_long_lists_have_pages(sandbox: Sandbox) -> None:
    """A list of more than fifty has a next and a previous page, which together hold each row once."""
    with sandbox.tenancy("payspace", "test") as data:
        fields = {"description": None, "scope": "read-only", "user": None, "development_mode": False}
        for number in range(51):
            data.add(label=f"one-{number}", status="active", client_id=f"c{number}", secret="", fields=fields)
    visitor = Visitor.signed_in(sandbox, "payspace")

    first, second = visitor.get("").text, visitor.get("?page=2").text

    rows = [re.findall(r">(one-\d+)</a>", page) for page in (first, second)]
    assert [50, 1] == [len(found) for found in rows]
    assert {f"one-{number}" for number in range(51)} == {*rows[0], *rows[1]}
    assert 'rel="next"' in first and 'rel="prev"' in second and 'rel="next"' not in second


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_light(one), _light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TEXTS = [(text, ground) for text in ("text", "soft", "link") for ground in ("ground", "panel")] + [
    ("on-button", "button"),
    ("on-danger", "danger"),
    ("error", "error-ground"),
    ("error", "ground"),
    ("good", "good-ground"),
    ("once", "once-ground"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme: str) -> None:
    """Text has a contrast of 4.5, a field's edge and the focus ring one of 3, in both schemes (WCAG 2.2)."""
    light, _, dark = STYLE.partition("prefers-color-scheme: dark")
    colours = _colours(light) | (_colours(dark) if scheme == "dark" else {})

    weak = {pair for pair in TEXTS if _contrast(colours[pair[0]], colours[pair[1]]) < 4.5}
    weak |= {
        pair
        for pair in (("edge", "ground"), ("link", "ground"), ("link", "panel"))
        if _contrast(colours[pair[0]], colours[pair[1]]) < 3
    }

    assert set() == weak
