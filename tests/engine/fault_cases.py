"""Vendors' faults as data: what is armed, on which call, and what the apply that meets it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.sandbox.faults import WIDER
from provisioner.sandbox.world import LedgerEntry

DONE, FAILED = "done", "failed"


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor: what is declared of it, and the call by which each action has its effect."""

    parts: tuple[str, ...]
    first: Mapping[str, Any]
    calls: Mapping[str, str]
    """By action; those that a person does, or that it has not, are left out."""
    second: Mapping[str, Any] = field(default_factory=dict)
    """The same, edited in a way that is an update."""
    remote: Callable[[LedgerEntry], str] = lambda entry: entry.id
    """What the provider calls a credential of the ledger."""
    in_place: bool = False
    """Whether a renewal kills the old secret."""
    listed: bool = True
    """Whether an interrupted create is looked for in a list, which may lag behind."""


CLIENT = ("client_id", "client_secret")

VENDORS = {
    "payspace": Vendor(
        parts=CLIENT,
        first={"scopes": ["read-only"]},
        second={"scopes": ["read-only"], "description": "edited"},
        calls={
            "create": "POST api/v1/credentials",
            "update": "PATCH api/v1/credentials/{id}",
            "renew": "POST api/v1/credentials",
            "revoke": "DELETE api/v1/credentials/{id}",
        },
    ),
    "paynet": Vendor(
        parts=CLIENT,
        first={"scopes": ["rpp:merchant"]},
        second={"scopes": ["rpp:merchant"], "description": "edited"},
        calls={
            "create": "POST developer/v1/keys",
            "update": "PATCH developer/v1/keys/{id}",
            "renew": "POST developer/v1/keys/{id}/renew",
            "revoke": "DELETE developer/v1/keys/{id}",
        },
        in_place=True,
    ),
    "paytia": Vendor(
        parts=("api_key", *CLIENT, "access_token", "refresh_token"),
        first={"allow_ips": ["127.0.0.1/32"]},
        second={"allow_ips": ["127.0.0.1/32"], "description": "edited"},
        calls={
            "create": "POST admin/v1/api-keys",
            "update": "PATCH admin/v1/api-keys/{id}",
            "renew": "POST admin/v1/api-keys",
            "revoke": "DELETE admin/v1/api-keys/{id}",
        },
    ),
    "timeclock": Vendor(
        parts=("identifier", "key"),
        first={"user": 17},
        calls={
            "create": "POST admin/v1/users/{id}/api-access",
            "renew": "POST admin/v1/users/{id}/api-access/change-key",
            "revoke": "DELETE admin/v1/users/{id}/api-access",
        },
        remote=lambda entry: f"{entry.fields['user_id']}@{entry.created_at:%Y-%m-%dT%H:%M:%SZ}",
        in_place=True,
        listed=False,
    ),
    "fpay": Vendor(
        parts=("token", "secret_key"),
        first={"scopes": ["ReadOnly"]},
        second={"scopes": ["ReadOnly"], "description": "edited"},
        calls={
            "create": "POST authAccess",
            "update": "PATCH authAccess/{id:path}",
            "renew": "POST authAccess",
        },
        remote=lambda entry: entry.client_id,
        listed=False,
    ),
}
"""A vendor joins every test of faults by its row here."""

CASES = [(vendor, action) for vendor, row in VENDORS.items() for action in row.calls]
"""Every action that is a call."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and what each action comes to in the run that meets it; the next runs are well again."""

    kind: str
    outcomes: Mapping[str, str]
    times: int = 1
    seconds: float | None = None
    other: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By (vendor, action), where a vendor comes to something else than the others."""

    def outcome(self, vendor: str, action: str) -> str:
        """What the apply that meets it reports."""
        return self.other.get((vendor, action), self.outcomes[action])


def every(outcome: str, **other: str) -> dict[str, str]:
    """The same outcome for each action but those named."""
    return {**dict.fromkeys(("create", "update", "renew", "revoke"), outcome), **other}


UNREADABLE = every(DONE, create=FAILED, renew=FAILED)
"""An update's and a revocation's answers tell nothing that is needed."""

FOUND = dict.fromkeys(
    [("paynet", "create"), ("timeclock", "create"), ("fpay", "create"), ("fpay", "renew")], DONE
)
"""What was made without an answer is found, and its secret can be read after all."""

AS_LONG_AS = 99
"""More requests than any one apply makes."""

FAULTS = {
    "late": Fault("latency", every(DONE), seconds=0.01),
    "busy": Fault("busy", every(DONE)),
    "busy for 5 s": Fault("busy", every(DONE), seconds=5.0),
    "busy for an hour": Fault("busy", every(FAILED), seconds=3600.0),
    "busy all along": Fault("busy", every(FAILED), times=AS_LONG_AS),
    "error before": Fault("error-before", every(DONE)),
    "error before, all along": Fault("error-before", every(FAILED), times=AS_LONG_AS),
    "error after": Fault("error-after", every(DONE)),
    "error after, all along": Fault("error-after", every(FAILED), times=AS_LONG_AS, other=FOUND),
    "cut": Fault("cut", every(DONE)),
    "cut all along": Fault("cut", every(FAILED), times=AS_LONG_AS, other=FOUND),
    "truncated": Fault("truncated", every(DONE)),
    "truncated all along": Fault("truncated", UNREADABLE, times=AS_LONG_AS, other=FOUND),
    "empty": Fault("empty", every(DONE)),
    "empty all along": Fault("empty", UNREADABLE, times=AS_LONG_AS, other=FOUND),
    # An update that was not done shows as drift in the next plan; a revocation is proved.
    "swallowed": Fault("swallowed", every(DONE, revoke=FAILED)),
    "swallowed all along": Fault("swallowed", every(FAILED, update=DONE), times=AS_LONG_AS),
    "stale": Fault("stale", every(DONE), seconds=3600.0),
    "wider": Fault("wider", every(FAILED, revoke=DONE)),
}  # fmt: skip
"""Every fault that an action's own call can meet."""

MEETINGS = [
    (name, vendor, action)
    for name, fault in FAULTS.items()
    for vendor, action in CASES
    if fault.kind != "wider" or vendor in WIDER
]
"""Which fault meets which action."""
