"""A plan as a page for a browser, in the look of the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.cli.rendering.html_page import note, page, section, tag, text
from provisioner.cli.rendering.plan import (
    SYMBOLS,
    USERS_LEFT,
    counts,
    field_lines,
    no_changes,
    reason_text,
    secrets_unknown,
    seen,
)
from provisioner.cli.values import listed
from provisioner.core.plan import Change, Plan

CLASSES: Final = {
    "+": "add",
    "←": "add",
    "~": "alter",
    "±": "alter",
    "↻": "again",
    "-": "gone",
    "!": "gone",
    "…": "idle",
}
"""How each symbol looks."""


def plan_html(plan: Plan, as_of: str = "") -> str:
    """The whole page; `as_of` says for which moment, where that is not now."""
    body = "\n".join(_parts(plan, as_of))
    title = f"provision plan for {listed(sorted(plan.environments))}"
    return page(
        title, _lead(plan), [], body, "Made by provision plan, which changes nothing. It holds no secret."
    )


def _lead(plan: Plan) -> str:
    return f"Project {plan.project}, state {plan.state}. {seen(plan)}."


def _parts(plan: Plan, as_of: str) -> Iterator[str]:
    if as_of:
        yield f"<p>{text(as_of)}</p>"
    refused = (f"{one.rail}: {one.text}; {one.remedy}" for one in plan.verdicts)
    yield note("Refused by the rails: an apply of this plan would do nothing", refused, bad=True)
    yield note("Not observed, so a drift there would not show", plan.unseen)
    yield note(USERS_LEFT, plan.users_left)
    yield note("Not managed", plan.unmanaged)
    yield from (f"<p>{text(line)}</p>" for line in secrets_unknown(plan))
    if not plan.changes:
        yield f"<p>{text(no_changes(plan))}</p>"
        return
    changes = "\n".join(_change(change) for change in plan.changes)
    yield section("changes", "Changes", f"<p>{text(counts(plan))}</p>\n{changes}")


def _change(change: Change) -> str:
    symbol = SYMBOLS[change.action]
    sign = f'<span class="sign {CLASSES[symbol]}" aria-hidden="true">{symbol}</span>'
    heading = f"<h3>{sign}{text(str(change.address))}: {change.action}</h3>"
    fields = "".join(
        f"<dt>{text(path)}</dt><dd>{_value(value, effect)}</dd>"
        for path, value, effect in field_lines(change)
    )
    lines = [*change.notes, *(f"handoff: {handoff}" for handoff in change.handoffs)]
    known = "".join(f"<li>{text(line)}</li>" for line in lines)
    return (
        f'<div class="change">{heading}<p>{text(reason_text(change))}</p>'
        f"{f'<dl>{fields}</dl>' if fields else ''}{f'<ul>{known}</ul>' if known else ''}</div>"
    )


def _value(value: str, effect: str) -> str:
    return (
        f"{text(value)} {tag(effect, 'wait' if effect.startswith('wider') else 'none')}"
        if effect
        else text(value)
    )
