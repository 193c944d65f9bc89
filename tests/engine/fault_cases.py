"""Vendors' faults as data: what is armed, on which call, and what the apply that meets it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DONE, FAILED = "done", "failed"

ACTIONS = ("create", "update", "renew", "revoke")


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor: what is declared of it, and the call by which each action has its effect."""

    parts: tuple[str, ...]
    first: Mapping[str, Any]
    second: Mapping[str, Any]
    """The same, edited in a way that is an update."""
    calls: Mapping[str, str]
    in_place: bool = False
    """Whether a renewal kills the old secret."""


VENDORS = {
    "payspace": Vendor(
        parts=("client_id", "client_secret"),
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
        parts=("client_id", "client_secret"),
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
}
"""A vendor joins every test of faults by its row here."""


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
    return {**dict.fromkeys(ACTIONS, outcome), **other}


UNREADABLE = every(DONE, create=FAILED, renew=FAILED)
"""An update's and a revocation's answers tell nothing that is needed."""

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
    "error after, all along": Fault("error-after", every(FAILED), times=AS_LONG_AS, other={
        ("paynet", "create"): DONE,  # it is found, and its secret can be read
    }),
    "cut": Fault("cut", every(DONE)),
    "cut all along": Fault("cut", every(FAILED), times=AS_LONG_AS, other={("paynet", "create"): DONE}),
    "truncated": Fault("truncated", every(DONE)),
    "truncated all along": Fault("truncated", UNREADABLE, times=AS_LONG_AS, other={
        ("paynet", "create"): DONE,
    }),
    "empty": Fault("empty", every(DONE)),
    "empty all along": Fault("empty", UNREADABLE, times=AS_LONG_AS, other={
        ("paynet", "create"): DONE,
    }),
    # An update that was not done shows as drift in the next plan; a revocation is proved.
    "swallowed": Fault("swallowed", every(DONE, revoke=FAILED)),
    "swallowed all along": Fault("swallowed", every(FAILED, update=DONE), times=AS_LONG_AS),
    "stale": Fault("stale", every(DONE), seconds=3600.0),
    "wider": Fault("wider", every(FAILED, revoke=DONE)),
}  # fmt: skip
"""Every fault that an action's own call can meet."""
