"""Lanes to a vendor: each call under way has a client of its own, kept for the calls that follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """At most `most` lanes, each made when the others are taken.

    One pool of connections for all calls looks at every one of them for each call, which at a hundred takes
    more time than the call. A lane has a single connection, and the one that was free last is taken first:
    its connection is the least likely to have been ended by the vendor.
    """

    def __init__(self, most: int, make: Callable[[], T]) -> None:
        self._places = asyncio.Semaphore(most)
        self._make = make
        self._free: list[T] = []
        self.made: list[T] = []
        """Every lane, to let go of at the end."""

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[T]:
        """A lane for as long as the block lasts; who finds none free waits in line."""
        async with self._places:
            lane = self._free.pop() if self._free else self._another()
            try:
                yield lane
            finally:
                self._free.append(lane)

    def _another(self) -> T:
        lane = self._make()
        self.made.append(lane)
        return lane
