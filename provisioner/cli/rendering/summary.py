"""What became of a plan, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from provisioner.cli.values import Paint, plain, unpainted
from provisioner.core.model import JsonValue

if TYPE_CHECKING:
    from provisioner.engine.apply import Outcome, Summary

COLORS = {"done": "green", "waiting": "blue", "failed": "red", "not started": "yellow"}
"""Every status, in the order in which it is shown."""


def summary_text(summary: Summary, paint: Paint = unpainted, *, word: str = "Apply") -> str:
    """Each change with what became of it, then a last line that counts. Ends without a newline."""
    lines = [line for status in COLORS for line in _block(summary, status, paint)]
    counted = [f"{_count(summary, status)} {status}" for status in COLORS if _count(summary, status)]
    return "\n".join([*lines, f"{word}: {', '.join(counted) or 'nothing to do'}."])


def summary_json(summary: Summary) -> JsonValue:
    """The same for programs."""
    return {
        "exit_code": summary.exit_code,
        "outcomes": [
            {
                "address": str(one.change.address),
                "action": one.change.action.value,
                "status": one.status.value,
                "text": one.text,
                "remedy": one.remedy,
            }
            for one in summary.outcomes
        ],
    }


def _count(summary: Summary, status: str) -> int:
    return len(_of(summary, status))


def _of(summary: Summary, status: str) -> list[Outcome]:
    return [one for one in summary.outcomes if one.status == status]


def _block(summary: Summary, status: str, paint: Paint) -> Iterator[str]:
    for one in _of(summary, status):
        why = f": {plain(one.text)}" if one.text else ""
        yield f"  {paint(status, COLORS[status])}  {one.change.address} {one.change.action}{why}"
        if one.remedy:
            yield f"      {plain(one.remedy)}"
