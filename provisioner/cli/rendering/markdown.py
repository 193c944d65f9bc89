"""A plan as Markdown, for a comment on a pull request.

Whatever comes from a manifest or a vendor stands in code spans: there neither Markdown nor HTML means
anything, and nobody is mentioned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
from provisioner.cli.values import listed, plain
from provisioner.core.plan import Change, Plan


def plan_markdown(plan: Plan) -> str:
    """The plan for a pull request. Ends without a newline."""
    lines = [f"### provision plan for {listed(sorted(plan.environments))}", ""]
    lines += [f"{seen(plan)}.", "", f"Digest: {code(plan.digest)}", ""]
    if plan.changes:
        lines.extend(line for change in plan.changes for line in _change(change))
        lines.append("")
    lines.extend(_block("Not observed, so a drift there would not show:", plan.unseen))
    lines.extend(_block("Not managed:", plan.unmanaged))
    lines.extend(_block(f"{USERS_LEFT}:", plan.users_left))
    lines.extend(
        _block(
            "Refused by the rails:", tuple(f"{one.rail}: {one.text}; {one.remedy}" for one in plan.verdicts)
        )
    )
    lines.append(f"**{counts(plan)}**" if plan.changes else f"**{no_changes(plan)}**")
    lines.extend(f"\n{code(line)}" for line in secrets_unknown(plan))
    return "\n".join(lines)


def code(text: str) -> str:
    """The text as a code span that holds it whatever it is."""
    inside = plain(text)
    longest = max((len(run) for run in re.findall("`+", inside)), default=0)
    fence = "`" * (longest + 1)
    # A backtick at an edge would join the fence; a space at both edges is not shown.
    edge = " " if not inside.strip() or inside[0] in "` " or inside[-1] in "` " else ""
    return f"{fence}{edge}{inside}{edge}{fence}"


def _change(change: Change) -> Iterator[str]:
    why = code(reason_text(change))
    yield f"- {code(SYMBOLS[change.action])} **{change.action}** {code(str(change.address))}: {why}"
    for path, value, effect in field_lines(change):
        yield f"  - {code(path)}: {code(value)}{f' ({code(effect)})' if effect else ''}"
    for note in change.notes:
        yield f"  - {code(note)}"
    for handoff in change.handoffs:
        yield f"  - handoff: {code(handoff)}"


def _block(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    if not lines:
        return
    yield title
    yield ""
    yield from (f"- {code(line)}" for line in lines)
    yield ""
