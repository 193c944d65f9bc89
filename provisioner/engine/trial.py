"""Try: use secrets that were issued before, the way their consumers do, to see whether they still work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from provisioner.core.model import Address, JsonObject
from provisioner.core.provider import Outcome, Provider, Spec, Verification
from provisioner.core.secret import Secret
from provisioner.engine.observe import Place
from provisioner.errors import ProvisionError


class Trial(Struct, frozen=True):
    """One secret to try, at the vendor that issued it."""

    address: Address
    provider: str
    fields: JsonObject
    issued_at: datetime
    settles_in: float
    """Seconds for which a new secret may look otherwise there."""
    secret: Secret


async def try_all(
    trials: Sequence[Trial],
    providers: Mapping[Place, Provider],
    now: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[Verification | ProvisionError]:
    """What each of them showed, or why it could not be tried; all at once. Never raises for a vendor."""
    return list(await asyncio.gather(*(_one(trial, providers, now, sleep) for trial in trials)))


async def _one(
    trial: Trial,
    providers: Mapping[Place, Provider],
    now: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]],
) -> Verification | ProvisionError:
    spec = Spec(trial.address, trial.fields)
    try:
        provider = providers[trial.provider, trial.address.environment]
        seen = await provider.verify(trial.secret, spec)
        left = trial.settles_in - (now() - trial.issued_at).total_seconds()
        if seen.outcome is Outcome.REJECTED and left > 0:
            await sleep(left)
            seen = await provider.verify(trial.secret, spec)
    except ProvisionError as error:
        return error
    return seen
