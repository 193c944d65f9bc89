"""The person at the terminal: walked through one handoff after the other, while all else goes on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from provisioner.cli.output import say
from provisioner.cli.reading import read_line
from provisioner.cli.rendering.handoff import walk_through
from provisioner.cli.values import plain
from provisioner.core.capabilities import Declaration
from provisioner.core.handoff import Answer
from provisioner.core.journal import Handoff
from provisioner.core.secret import Secret

LATER = frozenset({"", "later"})
"""What leaves a handoff for later."""

DONE = "done"
"""What confirms a step that brings nothing back."""

Paused = Callable[[], AbstractContextManager[None]]
"""Holds back whatever else writes to the terminal."""


def at_terminal() -> bool:
    """Whether there is somebody who can read a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def whoever() -> str:
    """Who sits here, for the audit."""
    from provisioner.state.process import whoami

    return whoami().partition("@")[0]


class Terminal:
    """Who types at the terminal. Fulfils `engine.ports.Person`.

    What they paste goes into the answer and nowhere else. One handoff is asked at a time; once the run is
    `stopping`, every one is left for later.
    """

    def __init__(
        self, declarations: Mapping[str, Declaration], stopping: asyncio.Event, paused: Paused = nullcontext
    ) -> None:
        self._declarations = declarations
        self._stopping = stopping
        self._paused = paused
        self._turn = asyncio.Lock()
        self._refused: dict[str, str] = {}
        """Why what was brought before is not accepted, by handoff."""

    async def perform(self, handoff: Handoff) -> Answer | None:
        """Say what to do, and read what they bring back."""
        async with self._turn:
            if self._stopping.is_set():
                return None
            with self._paused():
                self._explain(handoff)
                return await (self._bring(handoff) if handoff.asks else self._confirm(handoff))

    async def again(self, handoff: Handoff, why: str) -> bool:
        """They are told why when they are asked anew."""
        self._refused[handoff.id] = why
        return True

    def _explain(self, handoff: Handoff) -> None:
        why = self._refused.pop(handoff.id, None)
        if why is not None:
            say(f"\n{handoff.address}: {plain(why)}. Nothing of it was kept: once more, or `later`.")
            return
        say(f"\n{walk_through(handoff, self._declarations[handoff.provider].title)}")

    async def _bring(self, handoff: Handoff) -> Answer | None:
        public = self._declarations[handoff.provider].screens[handoff.verb].public
        values: dict[str, str] = {}
        for name in handoff.asks:
            hidden = name not in public
            value = await self._ask(f"  {name}{' (not shown)' if hidden else ''}: ", hidden=hidden)
            if value in LATER:
                return None
            values[name] = value
        return Answer(Secret(values), whoever())

    async def _confirm(self, handoff: Handoff) -> Answer | None:
        while True:
            answer = await self._ask("  `done` or `later`: ", hidden=False)
            if answer == DONE:
                return Answer(Secret({}), whoever())
            if answer in LATER:
                return None

    async def _ask(self, prompt: str, *, hidden: bool) -> str:
        if self._stopping.is_set():
            return ""
        return await read_line(prompt, hidden=hidden, stopping=self._stopping)
