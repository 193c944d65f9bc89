"""Handoffs for people: a table, one in full, a checklist for a ticket, and the words at the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from provisioner.cli.rendering.markdown import code
from provisioner.cli.rendering.status import columns, moment
from provisioner.cli.values import ago, count_of, listed, plain
from provisioner.core.journal import Handoff, HandoffState
from provisioner.core.model import JsonObject

TITLES = ("ID", "ADDRESS", "STEP", "SCREEN", "BRING BACK", "AGE")


def handoffs_text(handoffs: Sequence[Handoff], now: datetime) -> str:
    """A line for each, then what to do about them. Ends without a newline."""
    if not handoffs:
        return "Nothing waits for a person."
    cells = [
        [
            one.id,
            str(one.address),
            f"{one.provider} {one.verb}",
            one.screen,
            ", ".join(one.asks) or "done",
            ago(one.opened_at, now),
        ]
        for one in handoffs
    ]
    number = f"{count_of(len(handoffs), 'step')} {'waits' if len(handoffs) == 1 else 'wait'} for a person"
    how = "see one with `provision handoff show ID`, then `provision handoff complete ID`."
    return "\n".join([*columns(TITLES, cells), "", f"{number}: {how}"])


def handoff_json(one: Handoff) -> JsonObject:
    """One handoff for programs."""
    return {
        "id": one.id,
        "operation": one.operation,
        "address": str(one.address),
        "provider": one.provider,
        "verb": one.verb.value,
        "generation": one.generation,
        "screen": one.screen,
        "steps": list(one.steps),
        "asks": list(one.asks),
        "fields": one.fields,
        "remote_id": one.remote_id,
        "tag": one.tag,
        "state": one.state.value,
        "opened_at": moment(one.opened_at),
        "closed_at": moment(one.closed_at),
        "note": one.note,
    }


def handoff_text(one: Handoff, title: str) -> str:
    """One handoff in full; `title` is the vendor's name. Ends without a newline."""
    return "\n".join([*_task(one, title), *_end(one)])


def walk_through(one: Handoff, title: str) -> str:
    """The same as the first thing that a person reads before the questions. Ends without a newline."""
    ask = (
        "Then paste what it asks for. Nothing, or `later`, leaves it for later."
        if one.asks
        else "Then type `done`; `later` leaves it for later."
    )
    return "\n".join([*_task(one, title), f"  {ask}"])


def handoff_markdown(one: Handoff, title: str) -> str:
    """One handoff as a checklist to paste into a ticket. Ends without a newline."""
    lines = [
        f"### {code(str(one.address))}: {one.verb} in the portal of {title}",
        "",
        f"Handoff {code(one.id)}, {one.state} since {_since(one)} UTC.",
        "",
        f"- [{_ticked(one)}] Open {code(one.screen)}",
        *(f"- [{_ticked(one)}] {code(step)}" for step in one.steps),
    ]
    return "\n".join([*lines, *_hand_in(one)])


def _task(one: Handoff, title: str) -> Iterator[str]:
    yield f"{one.address}: {one.verb} in the portal of {plain(title)}  (handoff {one.id})"
    yield f"  Open: {plain(one.screen)}"
    yield from (f"  {number}. {plain(step)}" for number, step in enumerate(one.steps, 1))


def _end(one: Handoff) -> Iterator[str]:
    if one.state is not HandoffState.OPEN:
        yield f"  {one.state} since {_since(one)} UTC: {plain(one.note)}"
        return
    if one.asks:
        yield f"  Bring back: {listed(list(one.asks))}"
    yield f"  Then: provision handoff complete {one.id}"


def _hand_in(one: Handoff) -> Iterable[str]:
    if one.state is not HandoffState.OPEN:
        return [f"- [{_ticked(one)}] {code(one.note)}"]
    complete = code(f"provision handoff complete {one.id}")
    if not one.asks:
        return [f"- [ ] Say so: {complete}"]
    asked = listed([code(name) for name in one.asks])
    return [f"- [ ] Give {asked} to {complete}, never to this ticket"]


def _ticked(one: Handoff) -> str:
    return "x" if one.state is HandoffState.COMPLETED else " "


def _since(one: Handoff) -> str:
    return f"{one.closed_at or one.opened_at:%Y-%m-%d %H:%M}"
