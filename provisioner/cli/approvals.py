"""Approvals as files beside a saved plan: `approve` writes one, `apply` proves and weighs them all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from provisioner.cli import saved_plan, ssh_signatures
from provisioner.cli.values import count_of, listed
from provisioner.core.approval import (
    Approval,
    Judgement,
    Policy,
    Statement,
    Subject,
    is_authors,
    judge,
    needed,
    touched,
)
from provisioner.core.journal import Audit
from provisioner.core.plan import Plan
from provisioner.errors import NotApproved, ProvisionError, Refused

if TYPE_CHECKING:
    from provisioner.cli.session import Session

FORMAT = 1
MOST = 1000
"""Files that are looked at beside one plan."""
LIMIT = 1 << 16
"""Bytes. A larger file is no approval of ours."""


def folder_of(path: Path) -> Path:
    """Where the approvals of a saved plan lie."""
    return path.with_name(f"{path.name}.approvals")


def approve(session: Session, plan: Plan, path: Path, key: Path) -> tuple[Approval, Path]:
    """Sign a plan that was read from `path` with somebody's SSH key; returns the approval and its file.

    Raises ProvisionError where no environment of the plan asks for approvals, and NotApproved for a key that
    no environment would count; nothing is written then.
    """
    if plan.project != session.project.name:
        raise Refused(f"this plan is for project {plan.project}, and here project is {session.project.name}")
    policies = needed(plan, session.project.environments)
    if not policies:
        raise ProvisionError("no environment in which this plan begins anything asks for approvals")
    now = session.now()
    until = now + min(policy.valid_for for policy in policies)
    statement = Statement(_subject(plan), now.replace(microsecond=0), until.replace(microsecond=0))
    made = Approval("", statement, ssh_signatures.sign(statement.text, key))
    signed = _counted(session, policies, made, plan.author, key)
    return signed, _write(path, signed)


def check(session: Session, plan: Plan, path: Path | None) -> tuple[Audit, ...]:
    """One audit row for each approval that lets this plan be done; none where none is needed.

    `path` is where the plan was read from; None for one that was made just now, which nobody can have signed.
    Raises NotApproved saying what is missing.
    """
    policies = needed(plan, session.project.environments)
    if not policies:
        return ()
    if path is None:
        raise NotApproved(
            f"{listed([policy.environment for policy in policies])} asks for approvals, so nothing is applied"
            " there without a saved plan",
            remedy="provision plan --out plan.json, have it approved with provision approve plan.json, then"
            " provision apply plan.json",
        )
    now, subject, found = session.now(), _subject(plan), list(_read(path))
    judgements = [judge(policy, subject, _proved(session, policy, found), now) for policy in policies]
    short = [judgement for judgement in judgements if not judgement.enough]
    if short:
        raise NotApproved("\n".join(_shortfall(one) for one in short), remedy=f"provision approve {path}")
    return tuple(
        _used(session, judgement.policy, approval)
        for judgement in judgements
        for approval in judgement.counted
    )


def asked_for(session: Session, plan: Plan) -> str:
    """What approvals a plan needs, in words; empty for none."""
    told = [
        f"{count_of(policy.required, 'approval')} in {policy.environment}"
        for policy in needed(plan, session.project.environments)
    ]
    return listed(told)


def _subject(plan: Plan) -> Subject:
    return Subject(plan.project, touched(plan), plan.digest, saved_plan.fingerprint(plan), plan.author)


def _counted(
    session: Session, policies: tuple[Policy, ...], made: Approval, author: str, key: Path
) -> Approval:
    """The approval with its signers' names. Raises NotApproved where no environment would count it."""
    names = frozenset[str]().union(
        *(proved.signers for policy in policies for proved in _proved(session, policy, [made]))
    )
    if not names:
        files = listed(sorted({policy.signers for policy in policies}))
        raise NotApproved(
            f"{key} is the key of nobody in {files}", remedy="add its public key there, reviewed"
        )
    if is_authors(names, author):
        raise NotApproved(
            f"{author} made this plan, so their own approval does not count", remedy="ask somebody else"
        )
    return replace(made, signers=names)


def _proved(session: Session, policy: Policy, found: list[Approval]) -> Iterator[Approval]:
    allowed = session.root / policy.signers
    for approval in found:
        names = ssh_signatures.signers(approval.statement.text, approval.signature, allowed)
        yield replace(approval, signers=names)


def _shortfall(judgement: Judgement) -> str:
    policy = judgement.policy
    has = listed([approval.who for approval in judgement.counted]) or "none"
    lines = [f"{policy.environment} asks for {count_of(policy.required, 'approval')}, and has {has}"]
    return "\n".join([*lines, *(f"  {why}" for why in judgement.set_aside)])


def _used(session: Session, policy: Policy, approval: Approval) -> Audit:
    """The signature goes into the history with what was signed: it can be proved again from there."""
    detail = {
        "environment": policy.environment,
        "signers": sorted(approval.signers),
        "statement": approval.statement.to_json(),
        "signature": approval.signature,
    }
    return Audit("approval used", session.now(), detail=detail)


def _write(path: Path, approval: Approval) -> Path:
    from provisioner.secrets import files

    folder = folder_of(path.absolute())
    name = re.sub(r"[^A-Za-z0-9@._-]", "_", min(approval.signers)) + ".json"
    body = {"format": FORMAT, "statement": approval.statement.to_json(), "signature": approval.signature}
    text = json.dumps(body, indent=2) + "\n"
    try:
        with files.open_folder(folder, trusted=folder.parent) as opened, files.locked(opened):
            files.replace(opened, name, text.encode())
    except OSError as error:
        raise ProvisionError(f"the approval cannot be written to {folder}: {error.strerror}") from None
    return folder_of(path) / name


def _read(path: Path) -> Iterator[Approval]:
    """Every approval beside the plan. One that cannot be read proves nothing, and hinders no other."""
    for file in sorted(folder_of(path).glob("*.json"))[:MOST]:
        try:
            with file.open("rb") as opened:
                document = json.loads(opened.read(LIMIT))
            if document["format"] != FORMAT or not isinstance(document["signature"], str):
                continue
            statement = Statement.from_json(document["statement"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        yield Approval(file.name, statement, document["signature"])
