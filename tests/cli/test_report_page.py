"""The pages for people: whole, escaped, readable by machine and by eye, light, dark and narrow."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from chromium import TAB, Chromium, running
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from page_checker import faults
from plan_cases import situation
from program_runner import KEY, PAYROLL, REPORT, Cli

from provisioner.cli.coming import Outlook
from provisioner.cli.inventory import Row
from provisioner.cli.rendering.html_page import STYLE_HASH
from provisioner.cli.rendering.html_plan import plan_html
from provisioner.cli.rendering.html_style import STYLE
from provisioner.cli.rendering.report import Report, report_html
from provisioner.cli.rendering.report_timeline import MOST
from provisioner.core.forecast import Coming, Event
from provisioner.core.model import Address, Kind
from provisioner.core.plan import Verdict, judged
from provisioner.core.planner import plan
from provisioner.state.values import AuditRow

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&amp;<b onload=x>\u202e\x1b[31m"
CARD = """\
  card:
    provider: fpay
    owner: team-payments
    scopes: [ReadOnly]
    environments: [test]
"""


OUTSIDE = r'<[^>]*\b(?:href|src|srcset|action|data)="(?!#)[^"]*'


def wrong(html: str) -> list[str]:
    """What is wrong with a page; its pictures are looked at apart, for they have titles of their own."""
    pictures = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    for picture in pictures:
        ElementTree.fromstring(picture)
    found = faults(re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL))
    found += [f"leads outside: {where}" for where in re.findall(OUTSIDE, html)]
    return found + [f"the style leads outside: {where}" for where in re.findall(r"url\(|@import", STYLE)]


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines()


def row(name: str, **known: object) -> Row:
    given = {
        "address": Address("test", name),
        "provider": "payspace",
        "state": "active",
        "waits_for": "",
        "note": "",
        "handoffs": (),
        "owner": "team",
        "generation": 1,
        "issued_at": NOW - timedelta(days=3),
        "expires_at": None,
        "retiring": (),
        "delivered_at": NOW,
    }
    return Row(**{**given, **known})  # type: ignore[arg-type]


def event(name: str, days: float, what: Coming = Coming.RENEW, why: str = "older than 90d") -> Event:
    return Event(NOW + timedelta(days=days), what, Address("test", name), 1, why)


def report(*rows: Row, events: tuple[Event, ...] = (), history: tuple[AuditRow, ...] = ()) -> Report:
    coming = Outlook(NOW, NOW + timedelta(days=90), events, ())
    kinds = {"test": Kind.TEST, "production": Kind.PRODUCTION}
    return Report("payments", "sqlite:///state.db", kinds, rows, coming, history, NOW)


def done(event: str, name: str = "a", **detail: object) -> AuditRow:
    return AuditRow(1, NOW, "ci@host pid 7", event, Address("test", name), detail, "", "")


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_whatever_it_is_made_of(text: str) -> None:
    """Any text of a manifest, a vendor or a person stands on the page as text, and the page stays whole."""
    old = ((1, NOW),)
    made = report(
        row(
            f"n{text}",
            owner=text,
            note=text,
            operation="1",
            waits_for=text,
            users=(text,),
            retiring=old,
            handoffs=(text,),
        ),
        events=(event(text, 3, why=text), event(text, 4, Coming.EXPIRE), event(text, 5, Coming.RETIRE)),
        history=(done(text, text, why=text), done("renew done", reasons=[text]), done("apply", digest=text)),
    )
    assert [] == wrong(report_html(made))


def test_nothing_hostile_is_markup() -> None:
    """Markup, quotes, terminal escapes and reversed text are shown as what they are."""
    made = report(
        row(HOSTILE, owner=HOSTILE, note=HOSTILE, operation="1"),
        events=(event(HOSTILE, 3, why=HOSTILE),),
        history=(done(HOSTILE, why=HOSTILE),),
    )
    for html in (report_html(made), _plan_with(HOSTILE)):
        assert [] == wrong(html)
        assert not [part for part in ("<script", "<b ", "\u202e", "\x1b") if part in html]
        assert "&lt;script&gt;" in html and "\\u202e" in html


def _plan_with(text: str) -> str:
    """A page of a plan that has every part, with this text wherever a text can be."""
    case = {
        "declared": {
            "test/a": {"fields": {"description": text, "scopes": ["full-access"]}},
            "test/new": {"fields": {"description": text}},
            "test/pay": {"provider": "paynet", "rotate": {"every": "1d"}},
        },
        "records": {
            "test/a": {"fields": {"scopes": ["read-only"]}},
            "test/old": {},
            "test/pay": {"provider": "paynet", "rotate": {"every": "1d"}},
        },
        "observed": {"payspace in production": text},
    }
    made = plan(situation(case))
    handed = tuple(replace(change, handoffs=(text,)) for change in made.changes)
    return plan_html(judged(replace(made, changes=handed), (Verdict("protected", text, text),)), text)


def test_a_plan_says_what_its_text_says(cli: Cli) -> None:
    """The page has each change with its reason, its fields and its notes, and the same last line."""
    cli.write(PAYROLL + REPORT + KEY)
    cli.applied()
    cli.edit("general ledger", "monthly <ledger>")
    cli.edit("  report:", "  reporting:")
    html = cli("plan", "--format", "html").out
    assert [] == wrong(html)
    for words in (
        "test/payroll: update",
        "monthly &lt;ledger&gt;",
        "test/reporting: create",
        "no longer declared",
    ):
        assert words in html
    assert cli("plan").last in html
    assert "No changes." in cli("plan", "--format", "html", "--env", "production").out


def test_the_report_of_a_project(cli: Cli) -> None:
    """One command writes the whole page, for everybody to read, with no secret and no vendor asked."""
    cli.write(PAYROLL + REPORT + CARD + KEY + "    rotate: {every: 60d}\n")
    cli.edit("sinks:", "  fpay: {test: {endpoint: sandbox}}\nsinks:", "provision.yaml")
    cli("apply", "--auto-approve")
    path = cli.root / "report.html"
    assert 0 == cli("report", "--html", str(path)).code
    html = path.read_text()
    assert (0o644, []) == (stat.S_IMODE(path.stat().st_mode), wrong(html))
    for words in (
        "4 credentials of 3 vendors in test",
        "a person in the vendor&#x27;s portal",
        "provision handoff show",
        "older than 60d since",
        "create done",
        "declared in credentials/all.yaml:2, no record",
    ):
        assert words in html, words
    secrets = [line.partition("=")[2] for file in cli.root.glob("secrets/*/*.env") for line in lines(file)]
    assert not [secret for secret in secrets if secret.strip() and secret.strip() in html]
    assert 64 == cli("report").code


def test_many_are_not_all_drawn() -> None:
    """The picture shows the nearest and says how many it leaves out; the page has all of them."""
    names = [f"key-{number:03}" for number in range(MOST + 7)]
    made = report(
        *(row(name) for name in names), events=tuple(event(name, 1 + n) for n, name in enumerate(names))
    )
    html = report_html(made)
    picture = html[html.index('<svg viewBox="0 0') : html.rindex("</svg>")]
    assert f"key-{MOST - 1:03}" in picture and f"key-{MOST:03}" not in picture
    assert "7 credentials with later events left out of the picture." in html
    assert html.count(names[-1]) == 2


def test_empty_pages_say_so() -> None:
    """Where there is nothing, words say it instead of empty tables."""
    html = report_html(report())
    assert ([], 0) == (wrong(html), html.count("<table"))
    for words in ("nobody is waited for", "Nothing comes", "Nothing is declared", "Nothing was done yet"):
        assert words in html


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXTS = ["text ground", "text panel", "soft ground", "soft panel", "link ground", "link panel"]
TAGS = ["end end-ground", "wait wait-ground", "good good-ground", "soft band", "end panel"]
SIGNS = ["good ground", "wait ground", "due ground", "end ground"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("pair", [*TEXTS, *TAGS, *SIGNS, "old ground"])
def test_contrast(scheme: str, pair: str) -> None:
    """Every text has a contrast of 4.5 to its ground, every mark of 3, in both schemes."""
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")
    colours = _colours(light if scheme == "light" else dark.partition("}")[0])
    one, other = pair.split()
    assert _contrast(colours[one], colours[other]) >= (3 if pair == "old ground" else 4.5)


# In a real browser


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with running(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with something in every part."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    rows = [
        row(
            "waits",
            state="create: waiting",
            waits_for="handoff",
            operation="1",
            note="x" * 80,
            handoffs=("7-1",),
        ),
        row("ended", expires_at=NOW - timedelta(days=1)),
        row("a-very-long-name-for-one-credential-that-is-not-broken", users=("bot", "svc.bot")),
        *(row(f"key-{number}", retiring=((1, NOW + timedelta(hours=3)),)) for number in range(6)),
    ]
    kinds = [Coming.RENEW, Coming.RETIRE, Coming.EXPIRE]
    events = tuple(event(f"key-{n % 6}", 5 * n, kinds[n % 3]) for n in range(18))
    made = report(*rows, events=events, history=tuple(done("renew done", why="y" * 90) for _ in range(9)))
    path.write_text(report_html(made), encoding="utf-8")
    return path


def test_light_and_dark(window: Chromium, page: Path, tmp_path: Path) -> None:
    """The page follows the preferred scheme; its style passes its own policy, which lets nothing else in."""
    grounds = {}
    for scheme in ("light", "dark"):
        window.scheme(scheme)
        window.open(page.as_uri())
        window.screenshot(tmp_path / f"{scheme}.png")
        grounds[scheme] = window.script("return getComputedStyle(document.body).backgroundColor")
    assert {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 29)"} == grounds
    assert STYLE_HASH in page.read_text()
    assert [] == window.script("return performance.getEntriesByType('resource').map(one => one.name)")
    blocked = "try { await fetch('data:,x'); return 'fetched' } catch { return 'blocked' }"
    assert "blocked" == window.script(f"return (async () => {{ {blocked} }})()")


def test_by_keyboard_and_by_ear(window: Chromium, page: Path) -> None:
    """Tab comes to the skip link, the parts and each scrolling region, and all have names."""
    window.open(page.as_uri())
    window.press(TAB)
    assert ("a", "Skip to the content") == window.focused()
    window.tab_to("a", "Recent history")
    window.tab_to("div", "Timeline")
    window.tab_to("div", "9 credentials of 1 vendor in test")
    assert window.label("section svg[role=img]").startswith("Timeline of the next 90 days for 6 credentials")
    roles = window.script(
        "return [...document.querySelectorAll('th')].map(one => one.scope).filter(one => !one).length"
    )
    assert 0 == roles


@pytest.mark.parametrize("width", [500, 800, 1400])
def test_no_page_is_wider_than_its_screen(window: Chromium, page: Path, width: int) -> None:
    """What is wide scrolls on its own (WCAG 1.4.10), and no mark lies outside of its picture."""
    window.resize(width, 900)
    window.open(page.as_uri())
    assert window.script("return document.documentElement.scrollWidth - innerWidth") <= 0
    outside = """
      const frame = document.querySelector('section svg[role=img]').getBoundingClientRect();
      return [...document.querySelectorAll('section svg[role=img] *')].filter(one => {
        const box = one.getBoundingClientRect();
        const beside = box.left < frame.left - 1 || box.right > frame.right + 1;
        return box.width && (beside || box.bottom > frame.bottom + 1);
      }).map(one => one.outerHTML);"""
    assert [] == window.script(outside)
    window.resize(1100, 900)
