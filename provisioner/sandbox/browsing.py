"""A browser without a screen: reads pages as HTML, follows links, fills in forms and keeps cookies.

It speaks ASGI to the application itself, so it needs no server and no client library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from starlette.types import ASGIApp, Message

_REDIRECTS = frozenset({303, 308})
_HOST = "sandbox.invalid"
#: Where one ends, the words before it are not joined to those after it.
_BLOCKS = frozenset({"dd", "div", "li", "p"})


@dataclass(slots=True)
class Control:
    """One field of a form, as it stands: what it holds, and what it may hold."""

    name: str
    kind: str
    value: str = ""
    """Of a checkbox, what it sends when it is ticked."""
    ticked: bool = False
    options: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Form:
    """One form of a page."""

    method: str
    action: str
    controls: list[Control] = field(default_factory=list)

    def names(self) -> set[str]:
        """The names of what a person can fill in."""
        return {one.name for one in self.controls if one.kind != "hidden"}

    def fill(self, name: str, value: object) -> None:
        """Write, choose or tick. Raises `LookupError` for what the form does not have or does not offer."""
        found = [one for one in self.controls if one.name == name]
        if not found:
            raise LookupError(f"the form has no field {name}")
        if found[0].kind == "checkbox":
            _tick(found, value)
        else:
            _write(found[0], value)

    def sends(self) -> list[tuple[str, str]]:
        """The pairs that a browser would send."""
        return [(one.name, one.value) for one in self.controls if one.kind != "checkbox" or one.ticked]


def _tick(boxes: Sequence[Control], value: object) -> None:
    wanted = value if isinstance(value, list | tuple | set | frozenset) else [boxes[0].value] * bool(value)
    missing = set(wanted) - {box.value for box in boxes}
    if missing:
        raise LookupError(f"{boxes[0].name} does not offer {', '.join(sorted(map(str, missing)))}")
    for box in boxes:
        box.ticked = box.value in wanted


def _write(control: Control, value: object) -> None:
    if isinstance(value, list | tuple | set | frozenset):
        control.value = "\n".join(map(str, value))
    else:
        control.value = "" if value is None else str(value)
    if control.kind == "select" and control.value not in control.options:
        raise LookupError(f"{control.name} does not offer {control.value}")


@dataclass(frozen=True, slots=True)
class Page:
    """What a browser got: its address, its status, and what stands on it."""

    address: str
    status: int
    headers: Mapping[str, str]
    html: str = field(repr=False)

    def parsed(self) -> Content:
        """What stands on the page."""
        reader = _Reader()
        reader.feed(self.html)
        reader.close()
        return reader.content


@dataclass(slots=True)
class Content:
    """What a reader finds on a page."""

    title: str = ""
    links: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)
    """The fields to copy from, by their ids; never sent by a form."""
    texts: dict[str, str] = field(default_factory=dict)
    """The text of each element that has an id or a role, by either."""

    def form_to(self, address: str) -> Form:
        """The form that is sent to this address. Raises `LookupError`."""
        for one in self.forms:
            if one.action == address:
                return one
        raise LookupError(f"the page has no form to {address}")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.content = Content()
        self._open: list[tuple[str, list[str]]] = []
        self._select: Control | None = None
        self._area: Control | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag not in ("input", "meta", "br", "link"):
            self._open.append((tag, [has[name] for name in ("id", "role") if name in has]))
        if tag == "a" and "href" in has:
            self.content.links.append(has["href"])
        elif tag == "form":
            self.content.forms.append(Form(has.get("method", "get"), has.get("action", "")))
        elif tag == "input" and "readonly" in has:
            self.content.shown[has["id"]] = has.get("value", "")
        elif tag in ("input", "select", "textarea"):
            self._control(tag, has)
        elif tag == "option" and self._select is not None:
            self._option(self._select, has)

    def _control(self, tag: str, has: Mapping[str, str]) -> None:
        control = Control(has.get("name", ""), has.get("type", tag), has.get("value", ""), "checked" in has)
        self.content.forms[-1].controls.append(control)
        self._select = control if tag == "select" else None
        self._area = control if tag == "textarea" else None

    def _option(self, select: Control, has: Mapping[str, str]) -> None:
        value = has.get("value", "")
        if "selected" in has or not select.options:
            select.value = value  # without a choice, a browser sends the first
        select.options.append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None:
            self._area.value = self._area.value.removeprefix("\n")
            self._area = None
        if tag in _BLOCKS:
            self.handle_data(" ")
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.value += data
        if any(tag == "title" for tag, _ in self._open):
            self.content.title += data
        for _, names in self._open:
            for name in names:
                self.content.texts[name] = self.content.texts.get(name, "") + data


class Browser:
    """One person's browser, with its cookies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._cookies: dict[str, tuple[str, str]] = {}
        """name: (path, value)"""

    async def open(self, address: str) -> Page:
        """The page at an address, wherever it leads."""
        return await self._request("GET", address, b"")

    async def send(self, form: Form) -> Page:
        """The page that a form's answer leads to."""
        pairs = urlencode(form.sends())
        if form.method == "get":
            return await self.open(f"{form.action}?{pairs}")
        return await self._request("POST", form.action, pairs.encode())

    async def _request(self, method: str, address: str, body: bytes) -> Page:
        page = await self._once(method, address, body)
        for _ in range(5):
            if page.status not in _REDIRECTS:
                return page
            kept = page.status == 308
            page = await self._once(
                method if kept else "GET", page.headers["location"], body if kept else b""
            )
        raise LookupError(f"{address} leads nowhere")

    async def _once(self, method: str, address: str, body: bytes) -> Page:
        status, pairs, content = await _call(self._app, method, address, self._headers(method, address), body)
        for name, value in pairs:
            if name == "set-cookie":
                self._keep(value)
        return Page(address, status, dict(pairs), content.decode())

    def _headers(self, method: str, address: str) -> dict[str, str]:
        path = urlsplit(address).path
        cookies = [f"{name}={value}" for name, (at, value) in self._cookies.items() if path.startswith(at)]
        headers = {"host": _HOST, **({"cookie": "; ".join(cookies)} if cookies else {})}
        if method == "POST":
            headers |= {"origin": f"http://{_HOST}", "content-type": "application/x-www-form-urlencoded"}
        return headers

    def _keep(self, header: str) -> None:
        for name, morsel in SimpleCookie(header).items():
            if morsel["max-age"] == "0":
                self._cookies.pop(name, None)
            else:
                self._cookies[name] = (morsel["path"], morsel.value)


async def _call(
    app: ASGIApp, method: str, address: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    """One request over ASGI: status, headers and body of the answer."""
    parts = urlsplit(address)
    sent: list[Message] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": (_HOST, 80),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    pairs = [(name.decode(), value.decode()) for name, value in start["headers"]]
    return int(start["status"]), pairs, b"".join(message.get("body", b"") for message in rest)
