"""What becomes of a request to a vendor: when it is sent again, how long we wait, which error it ends in.

Pure: no I/O, no clock, no randomness. The whole behaviour is the two tables `STATUSES` and `FATES`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from msgspec import Struct

from provisioner.errors import (
    NotAuthorised,
    OutcomeUnknown,
    ProviderError,
    VendorBusy,
    VendorRejected,
    VendorUnreachable,
)
from provisioner.providers.route import Safety


class Fate(StrEnum):
    """What became of one attempt."""

    ANSWERED = "answered"
    NOT_SENT = "not sent"
    LOST = "lost"
    BUSY = "busy"
    STUMBLED = "stumbled"
    BROKEN = "broken"
    UNREADABLE = "unreadable"
    UNAUTHORISED = "unauthorised"
    REFUSED = "refused"


STATUSES = {
    303: Fate.BROKEN,  # "see other" means that it was done, and the answer is elsewhere
    401: Fate.UNAUTHORISED,
    403: Fate.UNAUTHORISED,
    408: Fate.STUMBLED,
    429: Fate.BUSY,
    500: Fate.STUMBLED,
    502: Fate.STUMBLED,
    503: Fate.STUMBLED,  # Fate.BUSY when it names a time to come back, see fate_of
    504: Fate.STUMBLED,
}
"""Statuses with a meaning of their own. The others: 2xx answered, 3xx and 4xx refused, 5xx broken."""

_ANY = frozenset(Safety)
_SAFE = frozenset({Safety.READ, Safety.IDEMPOTENT})
_NEVER: frozenset[Safety] = frozenset()


class Row(Struct, frozen=True):
    """One row of the table: who is sent again, which error it ends in, and what to tell people."""

    again: frozenset[Safety]
    error: type[ProviderError]
    effect: bool
    """Whether the vendor may have done what was asked."""
    what: str
    remedy: str


FATES = {
    Fate.NOT_SENT: Row(
        _ANY, VendorUnreachable, False, "could not be reached", "check the endpoint and the network"
    ),
    Fate.LOST: Row(_SAFE, OutcomeUnknown, True, "gave no whole answer", "plan again: it finds out"),
    Fate.BUSY: Row(_ANY, VendorBusy, False, "is too busy", "try later, or lower the provider's parallelism"),
    Fate.STUMBLED: Row(_SAFE, OutcomeUnknown, True, "failed", "plan again: it finds out"),
    Fate.BROKEN: Row(_NEVER, OutcomeUnknown, True, "failed", "plan again: it finds out"),
    Fate.UNREADABLE: Row(
        _SAFE, OutcomeUnknown, True, "answered what its contract does not allow", "check the endpoint"
    ),
    Fate.UNAUTHORISED: Row(
        _NEVER, NotAuthorised, False, "does not let us", "check the management token of this provider"
    ),
    Fate.REFUSED: Row(_NEVER, VendorRejected, False, "refused", ""),
}
"""How every attempt ends that was not answered."""


class Policy(Struct, frozen=True):
    """How often and how long. All times are in seconds."""

    attempts: int = 5
    base: float = 0.5
    """The longest first pause; it doubles each time."""
    cap: float = 15.0
    """The longest pause that we choose ourselves."""
    patience: float = 60.0
    """All pauses of one call together; a vendor that asks for more is left alone instead."""

    def pause(
        self, safety: Safety, fate: Fate, *, attempt: int, waited: float, asked: float | None, jitter: float
    ) -> float | None:
        """Seconds until attempt number `attempt + 1`; None when there is to be none.

        Exponential backoff with full jitter (`jitter` is between 0 and 1), on top of what the vendor
        asked for: sooner than that would be rude, and all at once would be no help.
        """
        if safety not in FATES[fate].again or attempt >= self.attempts:
            return None
        pause = (asked or 0.0) + jitter * min(self.cap, self.base * 2 ** (attempt - 1))
        return pause if waited + pause <= self.patience else None


def fate_of(status: int, asked: float | None) -> Fate:
    """What an answer with this status means; `asked` is its Retry-After in seconds."""
    if 200 <= status < 300:
        return Fate.ANSWERED
    if status == 503 and asked is not None:
        return Fate.BUSY  # a vendor that says when to come back has not begun
    return STATUSES.get(status, Fate.BROKEN if status >= 500 else Fate.REFUSED)


def seconds_asked(header: str | None, now: datetime) -> float | None:
    """Retry-After in seconds from `now`: it is a number or an HTTP date (RFC 9110 §10.2.3); else None."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


class Failure(Struct, frozen=True):
    """How a call ended that was never answered, after its last attempt."""

    where: str
    """The vendor and the environment, such as `payspace in test`."""
    route: str
    """Such as `POST api/v1/credentials`; no id and no value."""
    fate: Fate
    status: int = 0
    asked: float | None = None
    words: str = ""
    """The vendor's own, from a route where they can hold no secret."""
    unsure: bool = False
    """Whether an earlier attempt may have taken effect: then no later answer proves that nothing did."""


def error_for(failure: Failure) -> ProviderError:
    """The error that a failure is, by the table."""
    row = FATES[failure.fate]
    status = f" ({failure.status})" if failure.status else ""
    words = f": {failure.words}" if failure.words else ""
    why, where = f"{failure.route}: the vendor {row.what}{status}{words}", failure.where
    if failure.unsure and not row.effect:
        why = f"{why}; an earlier attempt may have taken effect"
        return OutcomeUnknown(why, where=where, remedy=FATES[Fate.LOST].remedy)
    if issubclass(row.error, VendorBusy):
        remedy = row.remedy if failure.asked is None else f"apply again in {failure.asked:.0f} seconds"
        return row.error(why, status=failure.status, retry_after=failure.asked, where=where, remedy=remedy)
    if issubclass(row.error, VendorRejected):
        return row.error(why, status=failure.status, where=where, remedy=row.remedy)
    return row.error(why, where=where, remedy=row.remedy)
