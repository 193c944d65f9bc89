"""One round of `provision run`: read the manifests anew, plan the upkeep, carry it out under the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from provisioner.cli.planning import Question, make_plan, track
from provisioner.cli.session import Session
from provisioner.core.approval import GOES_ON, Policy
from provisioner.core.copies import of_copy
from provisioner.core.model import Address, JsonValue
from provisioner.core.plan import Change, Plan
from provisioner.core.rails import judge

if TYPE_CHECKING:
    from provisioner.engine.apply import Outcome, Summary
    from provisioner.engine.context import Step


class Log(Protocol):
    """Where a round tells what it does."""

    def __call__(self, event: str, **detail: JsonValue) -> None:
        """Write one line."""


class Rounds(Struct, frozen=True):
    """What every round has in common."""

    root: Path
    identities: tuple[Path, ...]
    parallelism: int
    log: Log
    stopping: Callable[[], bool]

    def once(self, resting: Collection[Address], only: Collection[Address] = ()) -> Summary:
        """One round. Leaves out what is resting; with `only` it is about nothing else.

        Raises ProvisionError where nothing could be done at all: the manifests are broken, the store cannot
        be reached, or another run holds the lease.
        """
        session = Session(self.root)
        try:
            return self._round(session, resting, only)
        finally:
            session.close()

    def _round(self, session: Session, resting: Collection[Address], only: Collection[Address]) -> Summary:
        from provisioner.engine.apply import Summary, refuse

        made = make_plan(session, Question(targets=tuple(sorted(map(str, only))), upkeep=True))
        refuse(verdict for verdict in made.verdicts if verdict.address is None)
        plan = self._allowed(session, made, resting)
        self.log("planned", changes=len(plan.changes), held_back=len(made.changes) - len(plan.changes))
        if not plan.changes or self.stopping():
            return Summary(())
        summary = self._carried_out(session, plan)
        for outcome in summary.outcomes:
            self._tell(outcome)
        return summary

    def _allowed(self, session: Session, plan: Plan, resting: Collection[Address]) -> Plan:
        """The plan without what must not be done now; each is told of. The others do not wait for it."""
        why = dict.fromkeys(resting, "it failed, and is tried again later")
        why |= {verdict.address: verdict.text for verdict in plan.verdicts if verdict.address is not None}
        kept: list[Change] = []
        for change in plan.changes:
            reason = why.get(change.address) or _lacks_approval(session, change) or _is_of_a_copy(change)
            if reason:
                self.log("held back", address=str(change.address), action=change.action.value, text=reason)
            else:
                kept.append(change)
        return replace(plan, changes=tuple(kept), verdicts=())

    def _carried_out(self, session: Session, plan: Plan) -> Summary:
        sealer = session.sealer(plan.environments, self.identities)
        with session.store(writing=True) as store:
            verdicts = judge(plan, track(session, plan, store.records(plan.environments), allow_wider=False))

            async def run() -> Summary:
                from provisioner.engine import apply as engine
                from provisioner.state.process import whoami

                async with session.vendors() as vendors:
                    context = session.context(store, sealer, vendors, self._watch)
                    return await engine.apply(
                        context,
                        plan,
                        verdicts,
                        holder=whoami(),
                        parallelism=self.parallelism,
                        stopping=self.stopping,
                    )

            try:
                return asyncio.run(run())
            finally:
                session.keep_head(store)

    def _watch(self, step: Step) -> None:
        self.log("step", address=str(step.address), action=step.action, phase=step.phase.value)

    def _tell(self, outcome: Outcome) -> None:
        change = outcome.change
        self.log(
            outcome.status.value,
            address=str(change.address),
            action=change.action.value,
            reasons=[reason.text for reason in change.reasons],
            text=outcome.text,
            remedy=outcome.remedy,
        )


def _is_of_a_copy(change: Change) -> str:
    """What ends at a vendor because it is a copy of production's ends where that was just looked at."""
    where = change.address.environment
    return f"ends with provision bootstrap {where}" if of_copy(change.address) else ""


def _lacks_approval(session: Session, change: Change) -> str:
    """Why somebody would have to sign this first; empty where nobody has to."""
    environment = session.project.environments.get(change.address.environment)
    if change.action in GOES_ON or environment is None or Policy.of(environment) is None:
        return ""
    return f"{environment.name} asks for approvals: apply a saved plan there"
