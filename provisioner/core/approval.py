"""Approvals: who must have signed a plan before it may be done, and which signatures count. Pure.

An approver signs a `Statement`, which names the plan by its digests, so that a signature says nothing about
any other plan, nor about this one once it was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from msgspec import Struct

from provisioner.core.canonical import canonical
from provisioner.core.journal import Action
from provisioner.core.model import JsonObject, JsonValue
from provisioner.core.plan import Plan
from provisioner.core.project import Environment
from provisioner.core.renewal import duration

DEFAULT_VALID_FOR = "24h"
"""How long an approval counts where the environment does not say."""

GOES_ON = frozenset({Action.RECOVER, Action.ACTIVATE, Action.WAIT})
"""What needs no approval: it goes on with an operation whose own plan had them."""


class Policy(Struct, frozen=True):
    """What one environment asks for."""

    environment: str
    required: int
    signers: str
    """The path of the allowed-signers file, as the manifest gives it."""
    valid_for: timedelta

    @classmethod
    def of(cls, environment: Environment) -> Policy | None:
        """What `approvals` of this environment says; None where it asks for none."""
        asked = environment.options.get("approvals")
        if asked is None:
            return None
        valid_for = duration(asked.get("valid_for", DEFAULT_VALID_FOR))
        return cls(environment.name, asked["required"], asked["signers"], valid_for)


class Subject(Struct, frozen=True):
    """The plan that is approved, as an approver signs it."""

    project: str
    environments: tuple[str, ...]
    """Where it would do anything."""
    digest: str
    """The plan's own: over all that it would do."""
    file: str
    """Over the whole saved plan, with its author and its moments."""
    author: str


class Statement(Struct, frozen=True):
    """What an approver signs. All moments are UTC."""

    subject: Subject
    approved_at: datetime
    expires_at: datetime

    def to_json(self) -> dict[str, JsonValue]:
        """As its file and the audit log hold it."""
        return {
            "project": self.subject.project,
            "environments": list(self.subject.environments),
            "digest": self.subject.digest,
            "file": self.subject.file,
            "author": self.subject.author,
            "approved_at": self.approved_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
        }

    @classmethod
    def from_json(cls, document: JsonObject) -> Statement:
        """What `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        names = [document[name] for name in ("project", "digest", "file", "author")]
        environments = tuple(document["environments"])
        if not all(isinstance(text, str) for text in (*names, *environments)):
            raise TypeError("a statement is made of texts")
        project, digest, file, author = names
        approved_at, expires_at = (datetime.fromisoformat(document[k]) for k in ("approved_at", "expires_at"))
        if approved_at.tzinfo is None or expires_at.tzinfo is None:
            raise ValueError("a moment without a zone")
        return cls(Subject(project, environments, digest, file, author), approved_at, expires_at)

    @property
    def text(self) -> str:
        """The signed bytes: the one way to write it."""
        return canonical(self.to_json()) + "\n"


class Approval(Struct, frozen=True):
    """One statement, and whose signature on it was proved."""

    name: str
    """The name of its file."""
    statement: Statement
    signature: str
    signers: frozenset[str] = frozenset()
    """Every name that the allowed-signers file gives the key; empty where nobody's signature was proved."""

    @property
    def who(self) -> str:
        """Its signers in words."""
        return ", ".join(sorted(self.signers)) or "nobody"


class Judgement(Struct, frozen=True):
    """What of the approvals counts for one environment."""

    policy: Policy
    counted: tuple[Approval, ...]
    set_aside: tuple[str, ...]
    """Why each of the others does not count, in words."""

    @property
    def enough(self) -> bool:
        """Whether the plan may be done there."""
        return len(self.counted) >= self.policy.required


def needed(plan: Plan, environments: Mapping[str, Environment]) -> tuple[Policy, ...]:
    """What is asked for by the environments in which this plan would begin anything."""
    begun = {change.address.environment for change in plan.changes if change.action not in GOES_ON}
    policies = [Policy.of(environments[name]) for name in sorted(begun) if name in environments]
    return tuple(policy for policy in policies if policy is not None)


def touched(plan: Plan) -> tuple[str, ...]:
    """The environments in which a plan would do anything, sorted."""
    return tuple(sorted({change.address.environment for change in plan.changes}))


def judge(policy: Policy, subject: Subject, approvals: Iterable[Approval], now: datetime) -> Judgement:
    """Which approvals count. A person counts once, whatever the number of their keys and signatures."""
    counted: list[Approval] = []
    set_aside: list[str] = []
    seen: set[str] = set()
    for approval in approvals:
        why = next((why for check in CHECKS if (why := check(approval, policy, subject, now))), None)
        if why is None and seen & approval.signers:
            why = f"{approval.who} approved it already"
        if why is None:
            seen |= approval.signers
            counted.append(approval)
        else:
            set_aside.append(f"{approval.name}: {why}")
    return Judgement(policy, tuple(counted), tuple(set_aside))


def is_authors(signers: Collection[str], author: str) -> bool:
    """Whether these are names of the plan's author. A name may be a pattern, such as *@example.com."""
    return any(fnmatchcase(author.casefold(), signer.casefold()) for signer in signers)


def _unsigned(approval: Approval, policy: Policy, subject: Subject, now: datetime) -> str | None:
    return None if approval.signers else f"no signature of anybody in {policy.signers}"


def _of_another(approval: Approval, policy: Policy, subject: Subject, now: datetime) -> str | None:
    if approval.statement.subject == subject:
        return None
    return "it approves another plan, or this one as it was before it was changed"


def _expired(approval: Approval, policy: Policy, subject: Subject, now: datetime) -> str | None:
    statement = approval.statement
    until = min(statement.expires_at, statement.approved_at + policy.valid_for)
    return None if now < until else f"it expired {until:%Y-%m-%d %H:%M} UTC"


def _authors_own(approval: Approval, policy: Policy, subject: Subject, now: datetime) -> str | None:
    return f"{subject.author} made the plan" if is_authors(approval.signers, subject.author) else None


CHECKS: tuple[Callable[[Approval, Policy, Subject, datetime], str | None], ...] = (
    _unsigned,
    _of_another,
    _expired,
    _authors_own,
)
"""Why an approval does not count; the first that has something to say is told."""
