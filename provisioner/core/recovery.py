"""What to do with an operation whose answer was never seen: a table, pure in its decision (design §7).

An operation in phase `sent` may or may not have reached its vendor. What it was asking for, what the vendor
can do and what it now shows decide; where that does not suffice, the outcome is `unknown` and only a
person may say.
"""

from __future__ import annotations

from enum import StrEnum

from provisioner.core.capabilities import Capabilities, Identity, Renewal, SecretAccess, Verb
from provisioner.core.journal import Action

MAKES = frozenset({Action.CREATE, Action.REPLACE, Action.RENEW})
"""The actions that issue a secret."""


class Decision(StrEnum):
    """How to go on after an answer that was never seen."""

    REPEAT = "repeat"  # idempotent, or a person's: do it again
    RESEND = "resend"  # nothing is there: send the same tag again
    READ = "read"  # it is there and its secret can be read
    RENEW = "renew"  # it is there, its secret is lost, and can be replaced in place
    SUPERSEDE = "supersede"  # it is there, its secret is lost: revoke it and take the next generation
    CAPTURE = "capture"  # it is there, and a person must read its secret
    UNKNOWN = "unknown"  # nobody can tell from here


def decide(action: Action, capabilities: Capabilities, *, found: bool) -> Decision:
    """The way to go on; `found` says whether the vendor shows what the operation was asking for."""
    if action not in MAKES or in_place(action, capabilities) or Verb.CREATE in capabilities.portal:
        return Decision.REPEAT
    if capabilities.identity is Identity.NONE:
        return Decision.UNKNOWN
    if not found:
        return Decision.RESEND
    return FOUND[capabilities.secret, capabilities.renew]


FOUND = {
    (SecretAccess.RETRIEVABLE, Renewal.IN_PLACE): Decision.READ,
    (SecretAccess.RETRIEVABLE, Renewal.OVERLAP): Decision.READ,
    (SecretAccess.ONCE, Renewal.IN_PLACE): Decision.RENEW,
    (SecretAccess.ONCE, Renewal.OVERLAP): Decision.SUPERSEDE,
    (SecretAccess.PORTAL, Renewal.IN_PLACE): Decision.CAPTURE,
    (SecretAccess.PORTAL, Renewal.OVERLAP): Decision.CAPTURE,
}
"""What is there after all: can its secret be had, and how."""


def in_place(action: Action, capabilities: Capabilities) -> bool:
    """Whether this action replaces the secret of a credential that stays."""
    return action is Action.RENEW and capabilities.renew is Renewal.IN_PLACE
