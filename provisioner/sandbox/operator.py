"""The operator: plays a person at a vendor's portal, so that handoffs to a twin are done unattended.

It opens the console's pages, fills in their forms and reads what they show; it has no other way to the data.
It exists for the sandbox only: there is nothing in it that could sign in to a vendor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from provisioner.sandbox.browsing import Browser, Content, Page
from provisioner.sandbox.world import Sandbox


class Stuck(Exception):
    """The portal does not let a person do it; the words are the portal's, or say what is missing there."""


@dataclass(frozen=True, slots=True)
class Portal:
    """How a person works at one vendor's console: which button is which verb, and what a field is called."""

    label: str
    """The field that takes our tag."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Our word for a field: the console's; the others are the same in both."""
    single: frozenset[str] = frozenset()
    """Lists of ours in which the console has one choice."""
    title: str = ""
    """The field that takes the credential's name."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """What a choice that is not wanted any more goes back to, where it cannot be left open."""
    grant: str = ""
    """The action that makes a credential on the page of its user; else it is made from the list."""
    then: str = ""
    """The action that completes a new credential."""
    reveal: str | None = None
    """The action that shows the secret again; empty: its page does; None: nothing does."""
    renew: str = ""
    """The action that renews in place; else a renewal is a new credential beside the old one."""
    revoke: str = "delete"


PORTALS: Mapping[str, Portal] = {
    "payspace": Portal("label", {"scopes": "scope"}, frozenset({"scopes"})),
    "paynet": Portal("label", reveal="reveal", renew="renew", revoke="revoke"),
    "paytia": Portal("label", then="tokens", defaults={"webhook_format": "single"}),
    "timeclock": Portal("label", grant="grant", reveal="", renew="change-key", revoke="revoke"),
    "fpay": Portal(
        "foreignId",
        {"scopes": "permission", "foreign_data": "foreignData"},
        frozenset({"scopes"}),
        title="name",
        reveal="reveal",
        revoke="disable",
    ),
}


class Operator:
    """A person who does handoffs at the consoles of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._browsers: defaultdict[tuple[str, str], Browser] = defaultdict(lambda: Browser(sandbox.app))
        """One for each tenant, which stays signed in."""

    async def perform(
        self,
        vendor: str,
        tenant: str,
        verb: str,
        *,
        fields: Mapping[str, object],
        remote_id: str | None,
        name: str,
        tag: str,
    ) -> dict[str, str]:
        """Do one verb (create, capture, update, renew, revoke), and return all that was shown to copy.

        Beside the parts of a secret that is `remote_id`, the vendor's id. `fields` are nested as in a
        manifest, or by path (`settings.development_mode`); a value of `None` empties a field. A credential is
        found by `remote_id`, without one by `tag`; one that is not there is revoked already.
        Raises `Stuck` where the portal refuses or offers no such thing, LookupError for an unknown twin.
        """
        password = self._sandbox.token(vendor, tenant)
        home = f"/{vendor}/{tenant}/console/"
        visit = _Visit(self._browsers[vendor, tenant], home, password, PORTALS[vendor])
        order, do = _Order(_flat(fields), remote_id or "", name, tag), _VERBS[verb]
        try:
            return await do(visit, order)
        except LookupError as error:
            raise Stuck(f"{vendor}/{tenant} {verb}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Order:
    fields: Mapping[str, object]
    remote_id: str
    name: str
    tag: str


@dataclass(frozen=True, slots=True)
class _Visit:
    """One signed-in person at one console."""

    browser: Browser
    home: str
    password: str = field(repr=False)
    portal: Portal

    async def open(self, address: str) -> Page:
        """The page at an address, after signing in where the console asks for it. Raises `Stuck`."""
        page = await self.browser.open(address)
        door = f"{self.home}sign-in"
        if page.address == door:
            await self.submit(page, door, {"password": self.password})
            page = await self.browser.open(address)
        return _fine(page)

    async def submit(self, page: Page, address: str, values: Mapping[str, object]) -> Page:
        """Fill in the page's form to `address`, send it, and get the page after it. Raises `Stuck`."""
        form = page.parsed().form_to(address)
        for name, value in values.items():
            form.fill(name, value)
        return _fine(await self.browser.send(form))

    async def act(self, item: str, action: str, values: Mapping[str, object] | None = None) -> Page:
        """One action of an item: its question, or its button on the item's page."""
        address = f"{item}/{action}"
        page = await self.open(item)
        if address in page.parsed().links:
            page = await self.open(address)
        return await self.submit(page, address, values or {})

    async def find(self, wanted: str) -> str | None:
        """The address of the one item that this text means. Raises `LookupError` for several."""
        page = await self.open(f"{self.home}?find={quote(wanted, safe='')}")
        prefix = f"{self.home}items/"
        links = [link for link in page.parsed().links if link.startswith(prefix)]
        items = {prefix + link.removeprefix(prefix).partition("/")[0] for link in links}
        if len(items) > 1:
            raise LookupError(f"{wanted} means {len(items)} things")
        return next(iter(items), None)

    async def found(self, order: _Order) -> str:
        """The address of the order's credential. Raises `LookupError`."""
        wanted = order.remote_id or order.tag
        item = await self.find(wanted)
        if item is None:
            raise LookupError(f"there is nothing that is called {wanted}")
        return item


async def _create(visit: _Visit, order: _Order) -> dict[str, str]:
    portal = visit.portal
    values = _renamed(portal, order.fields) | {portal.label: order.tag or order.name}
    if portal.title:
        values[portal.title] = order.name
    if portal.grant:
        user = await visit.find(str(values.pop("user", "")))
        if user is None:
            raise LookupError("there is no such user")
        page = await visit.act(user, portal.grant, values)
    else:
        page = await visit.open(f"{visit.home}new")
        page = await visit.submit(page, f"{visit.home}new", values)
    shown = _shown(page)
    item = f"{visit.home}items/{quote(shown['remote_id'], safe='')}"
    if portal.then:
        shown |= _shown(await visit.act(item, portal.then))
    return shown if portal.reveal is None else shown | await _reveal(visit, item)


async def _capture(visit: _Visit, order: _Order) -> dict[str, str]:
    return await _reveal(visit, await visit.found(order))


async def _reveal(visit: _Visit, item: str) -> dict[str, str]:
    reveal = visit.portal.reveal
    if reveal is None:
        raise LookupError("a secret is shown once, when it is made")
    page = await visit.act(item, reveal) if reveal else await visit.open(item)
    return _shown(page)


async def _update(visit: _Visit, order: _Order) -> dict[str, str]:
    item = await visit.found(order)
    page = await visit.open(item)
    await visit.submit(page, f"{item}/change", _renamed(visit.portal, order.fields))
    return {}


async def _renew(visit: _Visit, order: _Order) -> dict[str, str]:
    """In place, and under the new tag; or by another credential beside the present one."""
    if not visit.portal.renew:
        return await _create(visit, order)
    item = await visit.found(order)
    page = await visit.act(item, visit.portal.renew)
    if order.tag:
        await visit.submit(page, f"{item}/change", {visit.portal.label: order.tag})
    return await _reveal(visit, item)


async def _revoke(visit: _Visit, order: _Order) -> dict[str, str]:
    item = await visit.find(order.remote_id or order.tag)
    if item is not None:
        content = (await visit.open(item)).parsed()
        if f"{item}/{visit.portal.revoke}" in content.links:
            await visit.act(item, visit.portal.revoke)
    return {}


_VERBS: Mapping[str, Callable[[_Visit, _Order], Awaitable[dict[str, str]]]] = {
    "create": _create,
    "capture": _capture,
    "update": _update,
    "renew": _renew,
    "revoke": _revoke,
}


def _fine(page: Page) -> Page:
    if page.status != 200:
        raise Stuck(_words(page.parsed()))
    return page


def _words(content: Content) -> str:
    return " ".join((content.texts.get("alert") or content.title).split())


def _shown(page: Page) -> dict[str, str]:
    content = page.parsed()
    return {"remote_id": content.texts["remote_id"].strip(), **content.shown}


def _flat(fields: Mapping[str, object]) -> dict[str, object]:
    settings = fields.get("settings", {})
    nested = settings if isinstance(settings, Mapping) else {}
    plain = {name.removeprefix("settings."): value for name, value in fields.items() if name != "settings"}
    return {**plain, **nested}


def _renamed(portal: Portal, fields: Mapping[str, object]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in fields.items():
        one = value[0] if name in portal.single and isinstance(value, list | tuple) and value else value
        values[portal.names.get(name, name)] = portal.defaults.get(name) if one is None else one
    return values
