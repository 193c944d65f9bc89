"""Prove: that a new secret works and is not wider than asked, and that an ended one is dead.

A new or dead key may look otherwise for a while, so proofs poll with a deadline, never once (design §5).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from provisioner.core.capabilities import Observe, field_rules
from provisioner.core.model import JsonObject, Observed, RemoteStatus
from provisioner.core.privilege import covers, weigh
from provisioner.core.provider import KeepsSecrets, Outcome, Provider, Verification
from provisioner.core.secret import Secret
from provisioner.engine.context import Waits, Work
from provisioner.errors import ProviderError

T = TypeVar("T")

PAUSE = 0.25
"""Seconds before the first second look; each further pause is twice as long."""

LONGEST_PAUSE = 5.0


class Unproven(ProviderError):
    """A new secret does not work, or it may do more than was asked."""


class TooWide(Unproven):
    """What the vendor granted is more than was asked."""


async def works(work: Work, secret: Secret, *, brought: bool = False) -> None:
    """Try a new secret the way its consumer would.

    What a person brought has to work now, while they can look again. Later, what proves nothing either way
    speaks against no secret that was accepted, or that the vendor itself gave.
    Raises Waits while the vendor has not approved it, Unproven when it is rejected, TooWide.
    """
    found = await settled(
        work,
        lambda: work.provider.verify(secret, work.spec),
        lambda seen: seen.outcome is not Outcome.REJECTED,
    )
    match found.outcome:
        case Outcome.WAITING:
            raise Waits("approval", "waits for the vendor's approval")
        case Outcome.DENIED:
            raise Waits("approval", "denied by the vendor")
        case Outcome.INCONCLUSIVE if not brought:
            return
        case Outcome.REJECTED | Outcome.INCONCLUSIVE:
            why = f": {found.detail}" if found.detail else ""
            raise Unproven(f"the new secret is rejected by {work.operation.provider}{why}")
    _not_wider(work, found)


async def dead(work: Work, provider: Provider, remote_id: str) -> None:
    """Look until the vendor no longer shows a credential as usable. Raises ProviderError if it still does."""
    found = await settled(
        work,
        lambda: provider.get(remote_id),
        lambda seen: seen is None or seen.status in (RemoteStatus.DEAD, RemoteStatus.DISABLED),
    )
    if found is not None and found.status not in (RemoteStatus.DEAD, RemoteStatus.DISABLED):
        raise ProviderError(
            f"{work.operation.provider} still shows {remote_id} as {found.status}",
            remedy="the next apply tries again",
        )


async def within(work: Work, asked: JsonObject) -> None:
    """Look at what an update left at the vendor. Raises TooWide where that allows more than these fields.

    A vendor that may replace a secret with every answer is not asked again: its next plan shows it.
    """
    if work.capabilities.observe is Observe.NONE or isinstance(work.provider, KeepsSecrets):
        return
    if not LIMITS & asked.keys():
        return
    look = partial(work.provider.get, work.remote_id)
    found = await settled(work, look, lambda seen: not _wider(work, asked, seen))
    if more := ", ".join(_wider(work, asked, found)):
        raise TooWide(f"{work.operation.provider} granted more than asked ({more})")


LIMITS = frozenset({"scopes", "allow_ips"})
"""The fields that say what a credential may do, and from where."""


def _wider(work: Work, asked: JsonObject, seen: Observed | None) -> list[str]:
    shown = seen.fields if seen is not None else {}
    rules = field_rules(work.declaration.schema)
    both = sorted(LIMITS & asked.keys() & shown.keys())
    return [path for path in both if weigh(path, asked[path], shown[path], rules).more]


def _not_wider(work: Work, found: Verification) -> None:
    asked = work.desired["fields"].get("scopes")
    if found.scopes is None or asked is None:
        return
    includes = field_rules(work.declaration.schema).includes
    if not covers(found.scopes, asked, includes):
        more = ", ".join(sorted(found.scopes - set(asked)))
        raise TooWide(f"{work.operation.provider} granted more than asked ({more})")


async def settled(work: Work, look: Callable[[], Awaitable[T]], good: Callable[[T], bool]) -> T:
    """Look again until it is good or the vendor's consistency has passed; the last look counts."""
    pause, waited = PAUSE, 0.0
    while not good(seen := await look()) and waited < work.capabilities.consistency:
        await work.context.sleep(pause)
        waited += pause
        pause = min(2 * pause, LONGEST_PAUSE)
    return seen
