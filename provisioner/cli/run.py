"""Plan, show, ask, apply, tell: what `apply`, `renew` and `revoke` have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from provisioner.cli import approvals
from provisioner.cli.applying import Manner, carry_out
from provisioner.cli.asking import confirm
from provisioner.cli.output import painter, say, show, show_json
from provisioner.cli.planning import Question, make_plan
from provisioner.cli.rendering.plan import plan_text
from provisioner.cli.rendering.summary import summary_json, summary_text
from provisioner.cli.saved_plan import document, write
from provisioner.cli.session import Session
from provisioner.cli.settings import Settings
from provisioner.cli.values import listed
from provisioner.core.plan import Plan


class Run(Struct, frozen=True):
    """One apply from the command line. Its methods return the exit code."""

    settings: Settings
    session: Session
    manner: Manner
    auto_approve: bool
    as_json: bool

    def plan_and_apply(self, question: Question, check: Callable[[Plan], None] = lambda plan: None) -> int:
        """Make a plan, show it, ask where it would do anything, and carry it out.

        `check` is asked first, and raises for a plan that is not what was meant.
        """
        from provisioner.engine.apply import refuse

        plan = make_plan(self.session, question)
        check(plan)
        show(plan_text(plan, painter(self.settings, to_stderr=self.as_json)), to_stderr=self.as_json)
        refuse(plan.verdicts)
        approvals.check(self.session, plan, None)
        if plan.pending:
            where = listed(sorted({change.address.environment for change in plan.changes}))
            confirm(f"Do this in {where}?", auto_approve=self.auto_approve)
        return self.apply(plan, told=True)

    def expect_and_apply(self, question: Question, digest: str) -> int:
        """Plan again, and carry it out where it is exactly the plan of this digest, which was looked at."""
        from provisioner.cli.expecting import differs, expected
        from provisioner.engine.apply import refuse

        plan, is_it = expected(self.session, question, digest)
        show(plan_text(plan, painter(self.settings, to_stderr=self.as_json)), to_stderr=self.as_json)
        if not is_it:
            raise differs(plan, digest)
        refuse(plan.verdicts)
        approvals.check(self.session, plan, None)
        return self.apply(plan, told=True)

    def plan_and_save(self, question: Question, path: Path) -> int:
        """Make a plan, show it, and save it for `provision apply FILE`."""
        plan = make_plan(self.session, question)
        show(plan_text(plan, painter(self.settings, to_stderr=self.as_json)), to_stderr=self.as_json)
        write(path, plan)
        say(f"Saved to {path}. To do exactly this: provision apply {path}")
        if self.as_json:
            show_json(document(plan))
        return 0

    def apply(self, plan: Plan, *, told: bool = False) -> int:
        """Carry out a plan that was looked at; `told` where it was shown, so that nothing to do is known."""
        from provisioner.engine.apply import Summary

        summary = carry_out(self.session, plan, self.manner) if plan.changes else Summary(())
        if self.as_json:
            show_json({"plan": document(plan), **summary_json(summary)})
        elif plan.changes or not told:
            show(summary_text(summary, painter(self.settings)))
        return summary.exit_code
