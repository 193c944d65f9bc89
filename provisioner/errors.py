"""Every error that reaches a user, with its exit code and its remedy.

    ProvisionError                 1   anything that stops a command
    ├── UsageError                64   the command line asks for what cannot be
    ├── ManifestInvalid            1   the manifests have problems, each with its place
    ├── Refused                    3   provision could, but must not
    │   ├── RailsRefused               a safety check on the plan says no
    │   ├── PlanEdited                 a saved plan is not what was saved
    │   ├── PlanStale                  an address of the plan moved since it was made
    │   ├── NotApproved                the environment asks for approvals that the plan lacks
    │   ├── StoreRestored              the store is an older copy: it is read-only until it is reconciled
    │   └── HandoffRefused             a handoff cannot be completed: done, declined, or of another plan
    ├── LeaseHeld                  4   another run works on this environment
    ├── StateError                 1   the store cannot be used
    │   ├── StateNewer                 it was written by a newer version
    │   ├── StateUnavailable           it cannot be reached, read or written
    │   └── Fenced                     this run lost its lease: it may write nothing
    ├── SecretError                1   sealing or opening a secret failed
    │   └── IdentityMissing            a sealed secret is needed and no identity opens it
    ├── SinkError                  1   a sink did not take its delivery
    └── ProviderError              1   a vendor did not do what was asked
        ├── VendorUnreachable          certainly nothing was sent
        ├── OutcomeUnknown             it may have been sent; only the vendor knows
        └── VendorRejected             the vendor answered no; nothing changed there
            ├── NotAuthorised          our own authority at the vendor does not suffice
            └── VendorBusy             too many requests, try later

The top of the program is one `except ProvisionError`. An error says what is wrong and where; its
`remedy` says what to do. Neither ever holds a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class ProvisionError(Exception):
    """Anything that stops a command. `exit_code` is what the process ends with (design §10).

    `message` begins with `where`, such as `payspace in test`, if that is given; `why` is the rest of it, for
    those who have said where already.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, why: str, *, where: str = "", remedy: str = "") -> None:
        message = f"{where}: {why}" if where else why
        super().__init__(message)
        self.message = message
        self.why = why
        self.remedy = remedy


class UsageError(ProvisionError):
    """The command line asks for something that cannot be."""

    exit_code = 64


class ManifestInvalid(ProvisionError):
    """The manifests have problems. `problems` are lines `file:line:column: what, and what to do`."""

    def __init__(self, problems: Sequence[str]) -> None:
        count = len(problems)
        super().__init__(f"{count} problem{'' if count == 1 else 's'} in the manifests")
        self.problems = tuple(problems)


class Refused(ProvisionError):
    """Something that provision could do, but must not."""

    exit_code = 3


class RailsRefused(Refused):
    """A rail, a safety check on the plan, refuses the apply."""


class PlanEdited(Refused):
    """A saved plan is not what was saved."""


class PlanStale(Refused):
    """An address in the plan moved since the plan was made."""


class NotApproved(Refused):
    """The environment asks for approvals that the plan does not have."""


class StoreRestored(Refused):
    """The store is older than what was done since, so it may not be written before it is reconciled."""


class HandoffRefused(Refused):
    """A handoff cannot be completed: it was before, it was declined, or the plan changed."""


class LeaseHeld(ProvisionError):
    """Another run holds the lease of this environment."""

    exit_code = 4


class StateError(ProvisionError):
    """The state store cannot be used."""


class StateNewer(StateError):
    """The store was written by a newer version of provision."""


class StateUnavailable(StateError):
    """The store cannot be reached, read or written."""


class Fenced(StateError):
    """This run lost its lease to another one, so it may write nothing more."""


class SecretError(ProvisionError):
    """A secret could not be sealed or opened."""


class IdentityMissing(SecretError):
    """A sealed secret is needed, and no identity at hand opens it."""


class SinkError(ProvisionError):
    """A sink did not take its delivery."""


class ProviderError(ProvisionError):
    """A vendor did not do what was asked."""


class VendorUnreachable(ProviderError):
    """The vendor could not be reached, and certainly nothing was sent."""


class OutcomeUnknown(ProviderError):
    """The request may have taken effect: the answer was lost, cut, or a server error."""


class VendorRejected(ProviderError):
    """The vendor answered no, and nothing changed there. `status` is its HTTP status."""

    def __init__(self, why: str, *, status: int, where: str = "", remedy: str = "") -> None:
        super().__init__(why, where=where, remedy=remedy)
        self.status = status


class NotAuthorised(VendorRejected):
    """Our own authority at the vendor does not suffice (401 or 403 on a management call)."""


class VendorBusy(VendorRejected):
    """Too many requests. `retry_after` is in seconds, or None where the vendor does not say."""

    def __init__(
        self, why: str, *, status: int, retry_after: float | None = None, where: str = "", remedy: str = ""
    ) -> None:
        super().__init__(why, status=status, where=where, remedy=remedy)
        self.retry_after = retry_after
