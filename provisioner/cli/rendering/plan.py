"""A plan as text, in the way of design §6: a header, a line for each change, and a last line that counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.cli.values import Paint, count_of, listed, moved, plain, shown, unpainted
from provisioner.core.action import Action
from provisioner.core.plan import Change, FieldChange, Plan

SYMBOLS: Final = {
    Action.CREATE: "+",
    Action.IMPORT: "←",
    Action.UPDATE: "~",
    Action.REPLACE: "±",
    Action.RENEW: "↻",
    Action.REVOKE: "-",
    Action.RETIRE: "-",
    Action.ACTIVATE: "+",
    Action.RECOVER: "!",
    Action.WAIT: "…",
}
"""The symbol of each action, in the order of the legend and of the last line."""

COLORS: Final = {
    "+": "green",
    "←": "green",
    "~": "yellow",
    "±": "magenta",
    "↻": "cyan",
    "-": "red",
    "!": "red",
    "…": "blue",
}

EFFECTS: Final = 48
"""The column at which it stands what a field does to access, where the value leaves room."""

USERS_LEFT: Final = "Linked users who left, or may no longer do it; nothing is done about them"
"""What stands above the credentials in use that have such a user."""

MOST_NAMED: Final = 5
"""So many addresses stand in a line that counts them."""

FREE_TEXT: Final = frozenset({"description"})
"""Fields whose values are sentences: always in quotes."""


def plan_text(plan: Plan, paint: Paint = unpainted) -> str:
    """The plan for a terminal. Ends without a newline."""
    if not plan.changes:
        return "\n".join(
            [*_unseen(plan), *_users_left(plan), *_unmanaged(plan), no_changes(plan), *secrets_unknown(plan)]
        )
    wide = max(len(str(change.address)) for change in plan.changes)
    lines = [_header(plan), ""]
    for change in plan.changes:
        lines.extend(_change(change, wide, paint))
    lines.append("")
    lines.extend(_unseen(plan))
    lines.extend(_users_left(plan))
    lines.extend(_unmanaged(plan))
    lines.extend(_verdicts(plan, paint))
    lines.extend([_legend(plan, paint), counts(plan), *secrets_unknown(plan)])
    return "\n".join(lines)


def no_changes(plan: Plan) -> str:
    """What to say of a plan that has none."""
    where = listed(sorted(plan.environments))
    if not plan.unchanged:
        return f"No changes. Nothing that was asked for is declared or recorded in {where}."
    things = "1 credential is" if plan.unchanged == 1 else f"{plan.unchanged} credentials are"
    by = "" if plan.observed_at else ", by the state alone: the vendors were not asked"
    return f"No changes. {things} as declared in {where}{by}."


def counts(plan: Plan) -> str:
    """The last line: how many changes of each kind, and how many credentials have none."""
    number = plan.count()
    parts = [
        f"{number[action]} {'waiting' if action is Action.WAIT else f'to {action}'}"
        for action in SYMBOLS
        if number[action]
    ]
    handoffs = sum(len(change.handoffs) for change in plan.changes)
    person = (
        f" {count_of(handoffs, 'step')} {'needs' if handoffs == 1 else 'need'} a person." if handoffs else ""
    )
    return f"Plan: {', '.join([*parts, f'{plan.unchanged} unchanged'])}.{person}"


def secrets_unknown(plan: Plan) -> Iterator[str]:
    """A line on the secrets that we never had, where there are any."""
    if not plan.secrets_unknown:
        return
    count, first = len(plan.secrets_unknown), plan.secrets_unknown[:MOST_NAMED]
    more = f" and {count - len(first)} more" if count > len(first) else ""
    what = "1 secret is" if count == 1 else f"{count} secrets are"
    it = "it" if count == 1 else "each"
    yield f"{what} unknown ({plain(', '.join(first))}{more}): provision renew ADDRESS makes {it} whole."


def seen(plan: Plan) -> str:
    """Whether the vendors were asked, and when."""
    if plan.observed_at is None:
        return "Not observed: the vendors were not asked"
    return f"Observed {plan.observed_at:%Y-%m-%d %H:%M} UTC"


def reason_text(change: Change) -> str:
    """Why, as the brackets hold it."""
    return plain("; ".join(reason.text for reason in change.reasons))


def field_lines(change: Change) -> Iterator[tuple[str, str, str]]:
    """Each field as (path, value, effect); of a create also the vendor."""
    if change.action is Action.CREATE:
        yield "provider", shown(change.provider), ""
    for field in change.fields:
        yield plain(field.path), _value(change, field), plain(field.effect)


def _value(change: Change, field: FieldChange) -> str:
    quoted = field.path in FREE_TEXT
    if change.action is not Action.CREATE:
        return moved(field.before, field.after, quoted=quoted)
    person = (change.desired or {}).get("user")
    if field.path == "user" and person and person != field.after:
        return f"{shown(person)} → {shown(field.after)}"
    return shown(field.after, quoted=quoted)


def _header(plan: Plan) -> str:
    seen = f"observed {plan.observed_at:%H:%M} UTC" if plan.observed_at else "not observed"
    where = listed(sorted(plan.environments))
    what = f"project {plain(plan.project)}, state {plain(plan.state)}, {seen}"
    return f"provision will do this in {where} ({what}):"


def _change(change: Change, wide: int, paint: Paint) -> Iterator[str]:
    symbol = SYMBOLS[change.action]
    sign = paint(symbol, COLORS[symbol])
    address = plain(str(change.address)).ljust(wide)
    yield f"  {sign} {address}   {change.action:<16}({reason_text(change)})"
    fields = list(field_lines(change))
    width = max([9, *(len(path) for path, _, _ in fields)]) + 2
    for path, value, effect in fields:
        line = f"      {path:<{width}}{value}"
        yield f"{line:<{EFFECTS}}  {effect}" if effect else line
    for note in change.notes:
        yield f"      {plain(note)}"
    for handoff in change.handoffs:
        yield f"      handoff: {plain(handoff)}"


def _unseen(plan: Plan) -> Iterator[str]:
    if not plan.unseen:
        return
    yield "Not observed, so a drift there would not show:"
    yield from (f"  {plain(text)}" for text in plan.unseen)
    yield ""


def _unmanaged(plan: Plan) -> Iterator[str]:
    if plan.unmanaged:
        yield from map(plain, plan.unmanaged)
        yield ""


def _users_left(plan: Plan) -> Iterator[str]:
    if not plan.users_left:
        return
    yield f"{USERS_LEFT}:"
    yield from (f"  {plain(text)}" for text in plan.users_left)
    yield ""


def _verdicts(plan: Plan, paint: Paint) -> Iterator[str]:
    if not plan.verdicts:
        return
    yield paint("Refused by the rails: an apply of this plan would do nothing.", "red")
    for verdict in plan.verdicts:
        yield f"  {verdict.rail}: {plain(verdict.text)}"
        yield f"      {plain(verdict.remedy)}"
    yield ""


def _legend(plan: Plan, paint: Paint) -> str:
    number = plan.count()
    return "  " + "  ".join(
        f"{paint(symbol, COLORS[symbol])} {action}" for action, symbol in SYMBOLS.items() if number[action]
    )
