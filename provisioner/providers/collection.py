"""A vendor's credentials in the shape of our contracts: a collection that is listed, read and changed.

A list has pages of `{items, next}`, oldest first; an item has an `id`, and a `label` in which our tag stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from provisioner.core.model import JsonObject, JsonValue, Listing, Observed, Tag
from provisioner.core.provider import Issued
from provisioner.providers.answers import GONE, issued, nothing
from provisioner.providers.route import Route, Safety

if TYPE_CHECKING:
    from provisioner.providers.http import Http

T = TypeVar("T")

PAGE_SIZE = 500
"""As large as the contracts allow."""


class Collection:
    """The collection at `path`; `read` makes an `Observed` of one item. Raises what `Http.send` does."""

    def __init__(self, http: Http, path: str, read: Callable[[JsonValue], Observed]) -> None:
        self._http = http
        self._read = read
        self._create = Route("POST", path, Safety.ONCE)
        self._list = Route("GET", path, Safety.READ)
        self._get = Route("GET", f"{path}/{{id}}", Safety.READ, accept=GONE)
        self._update = Route("PATCH", f"{path}/{{id}}", Safety.IDEMPOTENT, body=False)
        self._revoke = Route("DELETE", f"{path}/{{id}}", Safety.IDEMPOTENT, accept=GONE, body=False)

    async def observe(self) -> Listing:
        """Everything that is there."""
        return Listing({one.remote_id: one for one in await self.everything(self._read)})

    async def find(self, tag: Tag) -> tuple[Observed, ...]:
        """Those whose label is this tag."""
        found = await self.everything(self._read, {"label": str(tag)})
        # A gateway that ignores the filter must not make strangers ours.
        return tuple(one for one in found if one.tag == tag)

    async def get(self, remote_id: str) -> Observed | None:
        """One item; None when it is not there."""
        found = await self._http.send(self._get, self._unless_gone, id=remote_id)
        if found is None:
            await self.confirm()
        return found

    async def create(self, body: JsonObject, parts: tuple[str, ...], *moments: str) -> Issued:
        """Make an item whose answer holds these parts of a secret, and one of these moments of its issue."""
        return await self._http.send(self._create, issued(parts, *moments), json=body)

    async def update(self, remote_id: str, body: JsonObject) -> None:
        """Change what the body names."""
        await self._http.send(self._update, nothing, id=remote_id, json=body)

    async def revoke(self, remote_id: str) -> None:
        """Delete; one that is gone is fine."""
        status = await self._http.send(self._revoke, lambda status, _: status, id=remote_id)
        if status in GONE:
            await self.confirm()

    async def everything(
        self, read: Callable[[JsonValue], T], query: Mapping[str, str] | None = None
    ) -> list[T]:
        """Every item, page by page, as `read` makes it."""
        found: list[T] = []
        page: int | None = 1
        while page is not None:
            asked: dict[str, str | int] = {**(query or {}), "page_size": PAGE_SIZE, "page": page}
            items, page = await self._http.send(self._list, _page(read, page), query=asked)
            found.extend(items)
        return found

    async def confirm(self) -> None:
        """Prove that a 404 came from the vendor: a wrong endpoint gives one to everything, its list too."""
        await self._http.send(self._list, _page(lambda item: None, 1), query={"page_size": 1, "page": 1})

    def _unless_gone(self, status: int, body: JsonValue) -> Observed | None:
        return None if status in GONE else self._read(body)


def _page(
    read: Callable[[JsonValue], T], number: int
) -> Callable[[int, JsonValue], tuple[list[T], int | None]]:
    def read_page(_status: int, body: JsonValue) -> tuple[list[T], int | None]:
        following = body["next"]
        # A list that does not go on would be read forever.
        if following is not None and (not isinstance(following, int) or following <= number):
            raise ValueError("next")
        return [read(item) for item in body["items"]], following

    return read_page
