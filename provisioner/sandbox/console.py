"""The consoles' way in: every page and form of every vendor's portal, for a person with a browser.

A form's effect is one transaction, committed before its answer leaves, and counts as a write, as an effect of
the API does. What the vendor refuses is told at the form, which keeps what was written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from provisioner.sandbox import (
    console_fpay,
    console_frame,
    console_pages,
    console_paynet,
    console_payspace,
    console_paytia,
    console_timeclock,
)
from provisioner.sandbox.console_forms import TOKEN, Sent, body_of, first, kept, parse
from provisioner.sandbox.console_frame import Place
from provisioner.sandbox.console_model import Action, Console, Desk, Item, Outcome
from provisioner.sandbox.console_session import (
    COOKIE,
    LASTS,
    Session,
    require_same_site,
    session_of,
    sign_in,
    sign_out,
)
from provisioner.sandbox.console_style import STYLE_HASH
from provisioner.sandbox.database import Database
from provisioner.sandbox.replies import Refusal, not_found
from provisioner.sandbox.strict import check_query, number, read_body, require_media_type
from provisioner.sandbox.tenancy import TENANTS, Tenancy

CONSOLES: Sequence[Console] = (
    console_payspace.CONSOLE,
    console_paynet.CONSOLE,
    console_paynet.STAFF,
    console_paytia.CONSOLE,
    console_timeclock.CONSOLE,
    console_fpay.CONSOLE,
)

#: Pages hold secrets, and nothing that another site could put there may run or send them away.
HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src '{STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def routes(database: Database, clock: Callable[[sqlite3.Connection], datetime]) -> list[Route]:
    """The front page, and the pages of every console under `/{vendor}/{tenant}/`."""
    found = [Route("/", _index, methods=["GET"])]
    for console in CONSOLES:
        door = ConsoleDoor(database, clock, console)
        base = f"/{console.vendor.name}/{{tenant}}/{console.segment}"
        found += [Route(base, door), Route(f"{base}/{{rest:path}}", door)]
    return found


async def _index(request: Request) -> Response:
    return _html(console_frame.index(CONSOLES, TENANTS))


@dataclass(frozen=True, slots=True)
class ConsoleDoor:
    """One console as an ASGI application."""

    database: Database
    clock: Callable[[sqlite3.Connection], datetime]
    console: Console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._response(Request(scope, receive))
        except ClientDisconnect:
            return
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        place = Place(self.console, request.path_params["tenant"])
        if place.tenant not in TENANTS:
            return Response("there is no such tenant\n", 404, media_type="text/plain")
        if "rest" not in request.path_params:
            return RedirectResponse(place.home, 308)
        try:
            return self._act(place, request, await read_body(request))
        except Refusal as refusal:
            return _html(console_pages.problem(place, refusal), refusal.status, refusal.headers)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            busy = Refusal(503, "another process keeps the data busy", headers={"retry-after": "1"})
            return _html(console_pages.problem(place, busy), 503, busy.headers)

    def _act(self, place: Place, request: Request, raw: bytes) -> Response:
        reading = request.method in ("GET", "HEAD")
        if not reading and request.method != "POST":
            raise Refusal(405, "pages are read and forms are sent", headers={"allow": "GET, HEAD, POST"})
        with self.database.transaction(writing=not reading) as connection:
            data = Tenancy(connection, self.console.vendor.name, place.tenant, self.clock(connection))
            session = session_of(data, request)
            desk = Desk(data, self.console.vendor, str(request.base_url))
            visit = Visit(replace(place, session=session), desk, request)
            return visit.read() if reading else visit.send(raw)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to a console, within its transaction."""

    place: Place
    desk: Desk
    request: Request

    def read(self) -> Response:
        """The page at this address."""
        steps = self._steps()
        if steps == ["sign-in"]:
            return _html(
                console_pages.sign_in(self.place, done=self._said({"signed-out": "You are signed out."}))
            )
        if self.place.session is None:
            return RedirectResponse(f"{self.place.home}sign-in", 303)
        if steps == [""]:
            return self._list()
        create = self._console.create
        if steps == ["new"] and create:
            return _html(console_pages.form(self.place, self.desk, create, None, create.initial))
        one, action = self._item_and_action(steps)
        if action is None:
            return _html(console_pages.item(self.place, self.desk, one, self._done()))
        return _html(console_pages.form(self.place, self.desk, action, one, one.values))

    def send(self, raw: bytes) -> Response:
        """The answer to a form."""
        require_same_site(self.request)
        require_media_type(self.request, "application/x-www-form-urlencoded")
        sent, steps = parse(raw), self._steps()
        if steps == ["sign-in"]:
            return self._sign_in(sent)
        session = self.place.session
        if session is None:
            raise Refusal(403, "you are not signed in, or not any more")
        session.require(self.request.url.path, first(sent, TOKEN))
        if steps == ["sign-out"]:
            return self._sign_out(session)
        create = self._console.create
        if steps == ["new"] and create:
            return self._do(session, create, None, sent)
        one, action = self._item_and_action(steps)
        if action is None:
            raise Refusal(405, "this page takes no form", headers={"allow": "GET, HEAD"})
        return self._do(session, action, one, sent)

    @property
    def _console(self) -> Console:
        return self.place.console

    def _steps(self) -> list[str]:
        """The rest of the address, as it was sent: an id may hold a slash that was escaped."""
        path = self.request.scope.get("raw_path") or self.request.url.path.encode()
        rest = path.decode("ascii", "replace").partition("?")[0].split("/")[4:]
        return [unquote(step) for step in rest]

    def _list(self) -> Response:
        query = check_query(self.request, ("find", "page", "done"))
        page, find = number(query, "page", default=1, highest=1_000_000), query.get("find", "").strip()
        rows, following = (
            (self._console.find(self.desk, find), None) if find else self._console.items(self.desk, page)
        )
        return _html(
            console_pages.listing(
                self.place, rows, page=page, following=following, find=find, done=self._done()
            )
        )

    def _item_and_action(self, steps: list[str]) -> tuple[Item, Action | None]:
        if steps[0] != "items" or len(steps) not in (2, 3):
            raise not_found()
        one = self._console.item(self.desk, steps[1])
        if len(steps) == 2:
            return one, None
        action = self._console.action(steps[2])
        if action is None or action.name not in one.can:
            raise not_found()
        return one, action

    def _do(self, session: Session, action: Action, one: Item | None, sent: Sent) -> Response:
        connection = self.desk.data.connection
        connection.execute("SAVEPOINT form")
        try:
            if action.writes:
                session.spend(self.desk.data, first(sent, TOKEN))
            body = body_of(action, self.desk.data, sent)
            outcome = action.run(self.desk, one.id if one else "", body)
        except Refusal as refusal:
            connection.execute("ROLLBACK TO form")
            return self._refused(action, one, sent, refusal)
        if action.writes:
            self.desk.data.count_write()
        return self._after(action, outcome)

    def _refused(self, action: Action, one: Item | None, sent: Sent, refusal: Refusal) -> Response:
        values = kept(action, sent)
        if one is not None and action is self._console.change:
            page = console_pages.item(self.place, self.desk, one, values=values, problem=refusal)
        else:
            page = console_pages.form(self.place, self.desk, action, one, values, refusal)
        return _html(page, refusal.status, refusal.headers)

    def _after(self, action: Action, outcome: Outcome) -> Response:
        if outcome.shown:
            one = self._console.item(self.desk, outcome.item)
            return _html(console_pages.shown(self.place, action, one, outcome))
        to = self.place.item(outcome.item) if outcome.item else self.place.home
        return RedirectResponse(f"{to}?done={action.name}", 303)

    def _done(self) -> str:
        console = self._console
        every = (*console.actions, *(one for one in (console.create, console.change) if one))
        return self._said({action.name: action.done for action in every})

    def _said(self, words: Mapping[str, str]) -> str:
        return words.get(self.request.query_params.get("done", ""), "")

    def _sign_in(self, sent: Sent) -> Response:
        try:
            session = sign_in(self.desk.data, first(sent, "password"))
        except Refusal as refusal:
            return _html(console_pages.sign_in(self.place, refusal), refusal.status)
        response = RedirectResponse(self.place.home, 303)
        response.set_cookie(
            COOKIE,
            session.secret,
            max_age=LASTS,
            path=self._cookies,
            secure=self.request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    def _sign_out(self, session: Session) -> Response:
        sign_out(self.desk.data, session)
        response = RedirectResponse(f"{self.place.home}sign-in?done=signed-out", 303)
        response.delete_cookie(COOKIE, path=self._cookies, httponly=True, samesite="strict")
        return response

    @property
    def _cookies(self) -> str:
        """Both desks of a tenant take one session; no other tenant is ever sent it."""
        return f"/{self._console.vendor.name}/{self.place.tenant}/"


def _html(page: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    # A vendor's text may hold anything that JSON can, and a page has to be encodable.
    content = page.encode("utf-8", "replace")
    return Response(content, status, {**HEADERS, **(headers or {})}, "text/html")
