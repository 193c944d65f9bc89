"""Who works in a console: sign-in with the tenant's management token, a session by cookie, and its forms.

Ours: no document says how a person signs in. A session is kept as a digest, in the data of its own tenant, so
one for test opens nothing in production. Every form carries a token that only the session can make, bound to
the form's address (against forged requests), and takes effect once (against a form sent twice).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from starlette.requests import Request

from provisioner.sandbox.dispatch import manages
from provisioner.sandbox.replies import Refusal
from provisioner.sandbox.tenancy import Tenancy, digest

COOKIE = "console"
#: Seconds on the sandbox's clock.
LASTS = 8 * 60 * 60

_SESSION, _SENT = "console-session", "console-form"


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in person."""

    secret: str = field(repr=False)

    @property
    def id(self) -> str:
        """Under what it is kept."""
        return digest(self.secret)

    def token(self, address: str) -> str:
        """A new token for a form that is sent to `address`."""
        number = secrets.token_hex(8)
        return f"{number}.{self._mark(number, address)}"

    def spend(self, data: Tenancy, token: str) -> None:
        """Let the form of this token take effect, once. Raises `Refusal` 409 the second time."""
        number, _, _ = token.partition(".")
        if _known(data, _SENT, number):
            raise Refusal(409, "this form was sent before, and nothing was done again")
        data.put(_SENT, number, {"id": number, "session": self.id})

    def require(self, address: str, token: str) -> None:
        """Refuse (403) a form that is not of this session, or was made for another address."""
        number, _, mark = token.partition(".")
        if not hmac.compare_digest(mark.encode(), self._mark(number, address).encode()):
            raise Refusal(403, "this form was not made for you by this console")

    def _mark(self, number: str, address: str) -> str:
        return hmac.new(self.secret.encode(), f"{number} {address}".encode(), "sha256").hexdigest()


def sign_in(data: Tenancy, password: str) -> Session:
    """A new session. Raises `Refusal` 403 unless `password` is the tenant's management token."""
    if not manages(data, password):
        raise Refusal(403, "this is not the management token of this tenant")
    _forget_ended(data)
    session = Session(secrets.token_urlsafe(32))
    data.put(_SESSION, session.id, {"id": session.id, "ends": data.now.timestamp() + LASTS})
    return session


def session_of(data: Tenancy, request: Request) -> Session | None:
    """The session that the request's cookie names, if it lasts still."""
    session = Session(request.cookies.get(COOKIE, ""))
    kept = _known(data, _SESSION, session.id)
    return session if kept and data.now.timestamp() < float(str(kept["ends"])) else None


def sign_out(data: Tenancy, session: Session) -> None:
    """End a session: its cookie and its forms are worth nothing from then on."""
    data.remove(_SESSION, session.id)
    _forget_ended(data)


def require_same_site(request: Request) -> None:
    """Refuse (403) what a page of another site sends: browsers name the origin of every form."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise Refusal(403, "this form was sent by a page of another site")


def _known(data: Tenancy, kind: str, name: str) -> dict[str, object] | None:
    try:
        return data.stored(kind, name)
    except Refusal:
        return None


def _forget_ended(data: Tenancy) -> None:
    lasting = set()
    for session in data.all_stored(_SESSION):
        if float(str(session["ends"])) > data.now.timestamp():
            lasting.add(session["id"])
        else:
            data.remove(_SESSION, str(session["id"]))
    for sent in data.all_stored(_SENT):
        if sent["session"] not in lasting:
            data.remove(_SENT, str(sent["id"]))
