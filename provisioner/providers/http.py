"""The one way to a vendor: a small client that retries what is safe, and whose errors mean one thing each.

What holds a secret stays unprintable on its way: a token or a form is a `Secret` until the bytes are
made, an answer goes straight into its reader and is never kept, an error is raised where no request or
answer is in reach, and of a vendor's words only a refusal's are repeated, by the route's own word that
they are safe (never by a pattern). See `retry.py` for the tables, and `wire.py` for what sends.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct, field

from provisioner.core.canonical import encoded
from provisioner.core.model import JsonObject, JsonValue
from provisioner.core.project import ProviderConfig
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError
from provisioner.providers.answers import one_line
from provisioner.providers.attempt import Attempt, judged
from provisioner.providers.lanes import Lanes
from provisioner.providers.retry import FATES, Failure, Fate, Policy, error_for, seconds_asked
from provisioner.providers.route import Elsewhere, Route, Safety
from provisioner.providers.url import HERE
from provisioner.providers.wire import NotSent, Wire, open_wire

T = TypeVar("T")

_PRIVATE = frozenset({("https", True), ("https", False), ("http", True)})
"""By scheme, and whether it stays on this machine: where a secret may go."""

_log = logging.getLogger(__name__)


class Timing(Struct, frozen=True):
    """The effects of waiting, handed in so that tests do not wait."""

    sleep: Callable[[float], Awaitable[None]] = field(default_factory=lambda: asyncio.sleep)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = random.random


class _Asked(Struct, frozen=True):
    """What every attempt of one call sends."""

    route: Route
    url: str
    at: Elsewhere | None
    query: Mapping[str, str | int] | None
    json: JsonObject | Secret | None
    form: Secret | None
    headers: Callable[[], Secret] | None


class Http:
    """A vendor's endpoint in one environment. Belongs to one event loop; connections are reused.

    `token` is a Secret with the part `token`; None where a person manages the vendor in its portal, so that
    only routes that need no management are open. `app` is an ASGI application to be called in process instead
    of the network; `local_address` is the address of this machine to call from. At most
    `config.parallelism` calls are under way: one that waits to be sent again keeps its place, so a busy
    vendor gets less. Raises ProviderError where a secret would travel in clear.
    """

    def __init__(
        self,
        config: ProviderConfig,
        token: Secret | None,
        *,
        app: Callable[..., Awaitable[None]] | None = None,
        local_address: str | None = None,
        timing: Timing | None = None,
        policy: Policy | None = None,
    ) -> None:
        self._in_process = app is not None
        self._config = config
        self._check_private(config.endpoint)
        if token is not None:
            _check_token(config, token)
        self._token = token
        self._timing = timing or Timing()
        self._policy = policy or Policy()
        self._lanes = Lanes(config.parallelism, lambda: open_wire(config, app, local_address))

    def __repr__(self) -> str:
        return f"<Http to {self._config.where}>"

    async def send(
        self,
        route: Route,
        read: Callable[[int, JsonValue], T],
        *,
        id: str | None = None,
        query: Mapping[str, str | int] | None = None,
        json: JsonObject | Secret | None = None,
        form: Secret | None = None,
        headers: Callable[[], Secret] | None = None,
        at: Elsewhere | None = None,
    ) -> T:
        """Ask, and read the answer with `read(status, body)`, where body is the parsed JSON or None.

        `headers` are more of them, made anew for each attempt, since a signature may name the moment. `at` is
        where the route is, when it is not below the endpoint; its path is then a name only.
        A reader's error, one of `BROKEN_CONTRACT`, means that the vendor did not keep to the contract.
        Raises the errors of `core.provider`, each after as many attempts as its row in `retry.FATES` allows.
        """
        url = self._url(route, id) if at is None else self._check_private(at.url)
        asked = _Asked(route, url, at, query, json, form, headers)
        waited, unsure = 0.0, False
        async with self._lanes.taken() as lane:
            for number in range(1, self._policy.attempts + 1):
                attempt = await self._attempt(lane, asked, read)
                _log.debug("%s %s, attempt %d: %s", self._config.provider, route, number, attempt.fate)
                if attempt.fate is Fate.ANSWERED:
                    return attempt.value  # type: ignore[return-value]  # an answered attempt holds what was read
                unsure |= FATES[attempt.fate].effect and route.safety is not Safety.READ
                pause = self._pause(route, attempt, number, waited)
                if pause is None:
                    break
                await self._timing.sleep(pause)
                waited += pause
        raise self._error(route, attempt, unsure=unsure)

    @property
    def token(self) -> Secret | None:
        """Our management token, in the part `token`; None where people manage the vendor in its portal."""
        return self._token

    def now(self) -> datetime:
        """The present moment in UTC, by the clock that this client was given."""
        return self._timing.now()

    async def close(self) -> None:
        """Let go of connections."""
        for lane in self._lanes.made:
            await lane.close()

    def _url(self, route: Route, id: str | None) -> str:
        if "{id}" not in route.path:
            return f"{self._config.endpoint.rstrip('/')}/{route.path}"
        # An id from a vendor or a person must not reach another resource, nor the whole collection.
        if not id or id in {".", ".."}:
            raise ProviderError(f"{id!r} is no id at {self._config.provider}")
        return f"{self._config.endpoint.rstrip('/')}/{route.path.replace('{id}', quote(id, safe=''))}"

    def _check_private(self, url: str) -> str:
        """The URL, when what goes there cannot be read on the way."""
        parts = urlsplit(url)
        if self._in_process or (parts.scheme, parts.hostname in HERE) in _PRIVATE:
            return url
        raise ProviderError(
            "its endpoint would get secrets in clear",
            where=self._config.where,
            remedy="write an https:// URL; http:// is for this machine only",
        )

    async def _attempt(self, lane: Wire, asked: _Asked, read: Callable[[int, JsonValue], T]) -> Attempt[T]:
        headers, content = self._message(asked)
        try:
            async with asyncio.timeout(self._config.timeout):
                answer = await lane.ask(asked.route.method, asked.url, asked.query, headers, content)
        except NotSent as error:
            return Attempt(Fate.NOT_SENT, words=one_line(str(error)))
        except Exception:  # noqa: BLE001 - once it may have been sent, whatever went wrong means "unknown"
            return Attempt(Fate.LOST)
        seconds = seconds_asked(answer.retry_after, self._timing.now()) if answer.retry_after else None
        # Words that repeat the authorization are not shown at all: nothing is masked by looking for it.
        unsaid = headers.get("authorization", "").rpartition(" ")[2]
        return judged(asked.route, read, answer.status, seconds, answer.body, unsaid)

    def _message(self, asked: _Asked) -> tuple[dict[str, str], bytes | None]:
        """Headers and body, in clear."""
        # What can fail comes before anything is in clear: a traceback may show the locals of its frames.
        more = {} if asked.headers is None else self._carried(asked.headers())
        headers = {"accept": "application/json", **self._authorization(asked), **more}
        content: bytes | None = None
        if asked.json is not None:
            headers["content-type"] = "application/json"
            content = encoded(_plain(asked.json))
        if asked.form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
            content = urlencode(_plain(asked.form)).encode()
        return headers, content

    def _carried(self, headers: Secret) -> Mapping[str, str]:
        """The headers in clear. Raises ProviderError naming those that no header can carry."""
        bad = [name for name in headers if not _fits_a_header(headers.reveal(name))]
        if bad:
            # What a person pasted may hold anything; the value stays unsaid.
            raise ProviderError(f"{self._config.provider}: no {', '.join(bad)} header can carry this secret")
        return _plain(headers)

    def _authorization(self, asked: _Asked) -> Mapping[str, str]:
        if asked.at is not None and asked.at.authorization is not None:
            return _plain(asked.at.authorization)
        if not asked.route.managed:
            return {}
        if self._token is None:
            raise ProviderError(
                "people manage it in its portal",
                where=self._config.where,
                remedy="write `via: api` and `auth` where there is an API to manage it by",
            )
        return {"authorization": f"Bearer {self._token.reveal('token')}"}

    def _pause(self, route: Route, attempt: Attempt[T], number: int, waited: float) -> float | None:
        return self._policy.pause(
            route.safety,
            attempt.fate,
            attempt=number,
            waited=waited,
            asked=attempt.asked,
            jitter=self._timing.jitter(),
        )

    def _error(self, route: Route, attempt: Attempt[T], *, unsure: bool) -> ProviderError:
        where, fate = self._config.where, attempt.fate
        return error_for(
            Failure(where, str(route), fate, attempt.status, attempt.asked, attempt.words, unsure=unsure)
        )


def _plain(what: JsonObject | Secret) -> dict[str, Any]:
    """In clear, where the bytes are made."""
    return {name: what.reveal(name) for name in what} if isinstance(what, Secret) else dict(what)


def _fits_a_header(value: str) -> bool:
    return bool(value) and value.isascii() and value.isprintable()


def _check_token(config: ProviderConfig, token: Secret) -> None:
    value = token.reveal("token")
    if not _fits_a_header(value) or " " in value:
        # The value stays unsaid: it is a secret, even where it is not the right one.
        raise ProviderError(
            "its management token is empty or not a token",
            where=config.where,
            remedy="look at where its `auth` gets it",
        )
