"""What the vendors show otherwise than it is recorded, as text and as JSON; nothing is proposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from provisioner.cli.rendering.plan import EFFECTS, FREE_TEXT
from provisioner.cli.values import Paint, count_of, listed, moved, plain, unpainted
from provisioner.core.drift import Kind
from provisioner.core.findings import Findings, Found, counted
from provisioner.core.model import JsonValue

FORMAT_VERSION: Final = 1
"""Counts the incompatible changes of the JSON (schemas/drift.json)."""

COLORS: Final = {
    Kind.GONE: "red",
    Kind.DISABLED: "red",
    Kind.DENIED: "red",
    Kind.ROTATED: "red",
    Kind.WIDER: "red",
    Kind.WAITING: "blue",
    Kind.ALTERED: "yellow",
}
"""How each kind looks; also their order in the last line."""


def drift_text(findings: Findings, paint: Paint = unpainted) -> str:
    """The findings for a terminal. Ends without a newline."""
    lines: list[str] = []
    if findings.found:
        lines = [_header(findings), ""]
        wide = max(len(str(one.address)) for one in findings.found)
        for one in findings.found:
            lines.extend(_found(one, wide, paint))
        lines.append("")
    if findings.unseen:
        lines.append("Not observed, so a drift there would not show:")
        lines.extend(f"  {plain(f'{name} in {where}: {why}')}" for (name, where), why in _unseen(findings))
        lines.append("")
    if findings.unmanaged:
        lines.extend([*map(plain, counted(findings.unmanaged)), ""])
    return "\n".join([*lines, _last(findings)])


def drift_json(findings: Findings) -> dict[str, JsonValue]:
    """The findings for programs (schemas/drift.json)."""
    return {
        "format_version": FORMAT_VERSION,
        "project": findings.project,
        "state": findings.state,
        "environments": list(findings.environments),
        "observed_at": findings.observed_at.isoformat() if findings.observed_at else None,
        "findings": [_json(one) for one in findings.found],
        "as_recorded": findings.as_recorded,
        "unmanaged": [
            {"provider": provider, "environment": environment, "count": count}
            for (provider, environment), count in findings.unmanaged.items()
        ],
        "unseen": [
            {"provider": provider, "environment": environment, "why": why}
            for (provider, environment), why in _unseen(findings)
        ],
    }


def _json(one: Found) -> dict[str, JsonValue]:
    return {
        "address": str(one.address),
        "provider": one.provider,
        "kind": one.finding.kind.value,
        "text": one.finding.text,
        "fields": [
            {"path": field.path, "recorded": field.before, "shown": field.after, "effect": field.effect}
            for field in one.finding.fields
        ],
    }


def _unseen(findings: Findings) -> list[tuple[tuple[str, str], str]]:
    return sorted(findings.unseen.items())


def _header(findings: Findings) -> str:
    seen = f", observed {findings.observed_at:%Y-%m-%d %H:%M} UTC" if findings.observed_at else ""
    what = f"project {plain(findings.project)}, state {plain(findings.state)}{seen}"
    return f"The vendors show this otherwise than it is recorded ({what}):"


def _found(one: Found, wide: int, paint: Paint) -> Iterator[str]:
    kind = one.finding.kind
    address = plain(str(one.address)).ljust(wide)
    yield f"  {address}   {paint(kind.value.ljust(8), COLORS[kind])}  {plain(one.finding.text)}"
    width = max([9, *(len(field.path) for field in one.finding.fields)]) + 2
    for field in one.finding.fields:
        value = moved(field.before, field.after, quoted=field.path in FREE_TEXT)
        line = f"      {plain(field.path):<{width}}{value}"
        yield f"{line:<{EFFECTS}}  {plain(field.effect)}" if field.effect else line


def _last(findings: Findings) -> str:
    where = listed(sorted(findings.environments))
    if not findings.found:
        are = "is" if findings.as_recorded == 1 else "are"
        return f"No drift. {count_of(findings.as_recorded, 'credential')} {are} as recorded in {where}."
    number = Counter(one.finding.kind for one in findings.found)
    kinds = [f"{number[kind]} {kind}" for kind in COLORS if number[kind]]
    return f"Drift: {', '.join([*kinds, f'{findings.as_recorded} as recorded'])}."
