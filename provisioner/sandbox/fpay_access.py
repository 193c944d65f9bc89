"""Who calls FPay, and what the permission of an AuthAccess lets its caller do: FP2, FP3, FP8.

A caller sends `Authorization: Bearer TOKEN:SECRETKEY`, both of one AuthAccess. The document says that the two
authenticate a request, not how they are sent: this form is ours.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from enum import Enum

from starlette.requests import Request

from provisioner.sandbox.dispatch import Gate, bearer_token, invalid_token
from provisioner.sandbox.replies import Refusal
from provisioner.sandbox.tenancy import Credential, Grant, Tenancy

ACTIVE, DISABLED = "active", "disabled"


class Right(Enum):
    """What a request does, for permissions."""

    READ = "reading"
    MONEY_IN = "bringing money in"
    WRITE = "writing"
    MONEY_OUT = "transferring money out"


_ALL = frozenset(Right)

#: FP2: what each permission allows. A read-write access may bring money in, for that is a write.
RIGHTS: Mapping[str, frozenset[Right]] = {
    "FullAccess": _ALL,
    "MoneyInOnly": frozenset({Right.MONEY_IN}),
    "ReadMoneyIn": frozenset({Right.READ, Right.MONEY_IN}),
    "ReadOnly": frozenset({Right.READ}),
    "ReadWriteNoMoneyOut": _ALL - {Right.MONEY_OUT},
}
PERMISSIONS = tuple(RIGHTS)

#: FP3: what each may create. Creating is a write, and nothing made may do more than its maker.
MAY_CREATE: Mapping[str, frozenset[str]] = {
    "FullAccess": frozenset(PERMISSIONS),
    "MoneyInOnly": frozenset(),
    "ReadMoneyIn": frozenset(),
    "ReadOnly": frozenset(),
    "ReadWriteNoMoneyOut": frozenset({"MoneyInOnly", "ReadMoneyIn", "ReadOnly", "ReadWriteNoMoneyOut"}),
}


def needs(right: Right) -> Gate:
    """A gate for callers whose AuthAccess is enabled and allows this."""

    def gate(data: Tenancy, request: Request) -> Grant:
        caller = _caller(data, bearer_token(data, request))
        if caller is None:
            raise invalid_token(data)
        if right not in RIGHTS[permission(caller)]:
            raise _forbidden(f"{permission(caller)} does not allow {right.value}")
        return Grant(caller, frozenset({permission(caller)}))

    return gate


def permission(access: Credential) -> str:
    """The permission of an AuthAccess."""
    return str(access.fields["permission"])


def require_no_escalation(creator: Credential, wanted: str) -> None:
    """Refuse (403) that this AuthAccess creates one with the permission `wanted` (FP3)."""
    if wanted not in MAY_CREATE[permission(creator)]:
        raise _forbidden(f"{permission(creator)} cannot create {wanted}, which allows more")


def _caller(data: Tenancy, bearer: str) -> Credential | None:
    token, _, secret_key = bearer.partition(":")
    access = data.by_client_id(token)
    if access is None or not hmac.compare_digest(access.secret.encode(), secret_key.encode()):
        return None
    return access if access.status == ACTIVE else None


def _forbidden(detail: str) -> Refusal:
    return Refusal(403, detail, headers={"www-authenticate": 'Bearer error="insufficient_scope"'})
