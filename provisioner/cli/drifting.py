"""`plan --drift-only`: what the vendors show otherwise than it is recorded, and nothing of what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from provisioner.cli.output import painter, show, show_json
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from provisioner.cli.planning import Question
    from provisioner.cli.settings import Settings

FAILED: Final = 1
FOUND: Final = 2
WAITS: Final = 5

WITH: Final = frozenset({"environments", "targets", "excludes", "as_json", "drift_only", "detailed_exitcode"})
"""The options of `plan` that go with it; all others are about changes, or keep it from looking."""

FORMS: Final = frozenset({"text", "json"})


def report(question: Question, settings: Settings, *, as_json: bool, detailed: bool) -> int:
    """Print the findings; the exit code says whether there are any, where that is asked for.

    What only waits for a vendor's approval did not drift: it ends as a plan that waits does. A vendor
    that can be asked and did not answer is a failure: whatever is there would not have shown.
    """
    from provisioner.cli.planning import look_for_drift
    from provisioner.cli.rendering.drift import drift_json, drift_text
    from provisioner.cli.session import open_session
    from provisioner.core.drift import Kind

    _refuse(click.get_current_context())
    findings = look_for_drift(open_session(), question)
    if as_json:
        show_json(drift_json(findings))
    else:
        show(drift_text(findings, painter(settings)))
    if findings.failed and not (detailed and findings.found):
        return FAILED
    if not detailed or not findings.found:
        return 0
    return WAITS if all(one.finding.kind is Kind.WAITING for one in findings.found) else FOUND


def _refuse(context: click.Context) -> None:
    """Raise UsageError for what does not go with it."""
    for option in context.command.params:
        name, value = str(option.name), context.params.get(str(option.name))
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not given or name in WITH or (name == "form" and value in FORMS):
            continue
        text = f"{option.opts[0]} {value}" if name == "form" else option.opts[0]
        raise UsageError(
            f"--drift-only asks the vendors and proposes nothing: there is no {text} with it",
            remedy=f"leave out {option.opts[0]}, or --drift-only",
        )
