"""`apply --expect`: a plan that was looked at elsewhere is made again, and done only if it is the same.

The rule. What is compared is the digest, of a plan made in the way that is asked for. A plan that was made
without the vendors (`plan --no-refresh`, as on a pull request) may be expected by a run that does ask them:
then it is what is done, and no more. What the vendors show besides is left for another plan; where it makes a
rail refuse an address of this one, that refuses it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from provisioner.cli.output import say
from provisioner.cli.planning import Question, make_plan
from provisioner.cli.rendering.plan import counts
from provisioner.cli.values import count_of
from provisioner.core.plan import Plan, Verdict, judged
from provisioner.errors import PlanStale, UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session

_DIGEST = re.compile("[0-9a-f]{64}")


def parsed(text: str) -> str:
    """A digest as a plan prints it. Raises UsageError for less: a part of one could be met by chance."""
    digest = text.strip().lower()
    if not _DIGEST.fullmatch(digest):
        raise UsageError(
            f"{text!r} is no digest of a plan",
            remedy="copy all 64 digits from `provision plan --format markdown`",
        )
    return digest


def expected(session: Session, question: Question, digest: str) -> tuple[Plan, bool]:
    """The plan as it is now, and whether it is the one of this digest."""
    seen = make_plan(session, question)
    if seen.digest == digest or not question.refresh:
        return seen, seen.digest == digest
    unseen = make_plan(session, replace(question, refresh=False))
    if unseen.digest != digest:
        return seen, False
    beside = {change.address for change in seen.changes} - {change.address for change in unseen.changes}
    if beside:
        others = count_of(len(beside), "other credential")
        say(
            f"Note: by what the vendors show there is something to do about {others}, which this plan leaves."
        )
    return judged(unseen, (*unseen.verdicts, *_because_of_vendors(seen, unseen))), True


def differs(plan: Plan, digest: str) -> PlanStale:
    """What to say of a plan that is not the one that was looked at."""
    if not plan.changes:
        what = "there is nothing to do now; perhaps it was applied already"
    else:
        what = f"that is {plan.digest}. {counts(plan)}"
    return PlanStale(
        f"the plan that was looked at has the digest {digest}, and is not the one that is made now: {what}",
        remedy="look at the plan above and expect its digest; give the same --env, --target, --exclude,"
        " --allow-wider and --no-refresh as to `provision plan`",
    )


def check(plan: Plan, digest: str) -> None:
    """Raise PlanStale for a saved plan of another digest."""
    if plan.digest != digest:
        raise PlanStale(
            f"this plan has the digest {plan.digest}, and {digest} was expected",
            remedy="look at it with `provision show`, and expect its digest",
        )


def _because_of_vendors(seen: Plan, unseen: Plan) -> tuple[Verdict, ...]:
    """What the rails say only now that the vendors were asked, of what this plan would do."""
    addresses = {change.address for change in unseen.changes}
    known = set(unseen.verdicts)
    return tuple(one for one in seen.verdicts if one.address in addresses and one not in known)
