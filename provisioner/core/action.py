"""What a change does, and how far doing it got: the words that plans and the journal share."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What a change does to its address."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    RENEW = "renew"
    REVOKE = "revoke"
    RETIRE = "retire"
    IMPORT = "import"
    WAIT = "wait"
    ACTIVATE = "activate"
    RECOVER = "recover"


class Phase(StrEnum):
    """How far an operation got; each is durable before the next step begins."""

    INTENT = "intent"
    SENT = "sent"
    CAPTURED = "captured"
    VERIFIED = "verified"
    DELIVERED = "delivered"
    CUT_OVER = "cut_over"
    DONE = "done"
    FAILED = "failed"  # the vendor said no, or the new secret was bad: nothing new is left behind
    DROPPED = "dropped"  # not wanted any more: it was never sent, or what it made is ended
    UNKNOWN = "unknown"  # only a person can find out what happened


CLOSED = frozenset({Phase.DONE, Phase.FAILED, Phase.DROPPED})
"""An operation in one of these phases is history."""
