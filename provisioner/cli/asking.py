"""Asking a person: only `yes` is a yes, and where nobody can answer, nothing is asked."""

from __future__ import annotations

import sys

from provisioner.cli.output import say
from provisioner.errors import ProvisionError, UsageError


def confirm(question: str, *, auto_approve: bool) -> None:
    """Return after a `yes`. Raises UsageError without a terminal, ProvisionError after anything else."""
    if auto_approve:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask on",
            remedy="look at the plan, then apply with --auto-approve, or apply a plan saved with --out",
        )
    say(f"{question} Only `yes` is a yes:")
    if sys.stdin.readline().strip() != "yes":
        raise ProvisionError("nothing was done: the answer was not `yes`")
