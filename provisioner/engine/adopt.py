"""Adopt: take what a vendor has already into the state. No vendor is asked to change anything.

    intent ► done               where nobody here has its secret
    intent ► cut over ► done    where the vendor shows it again, or somebody brought it

What makes it ours is one transaction; before it nothing is recorded, so a killed run is planned anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from provisioner.core.adoption import reads_secret, unusable
from provisioner.core.capabilities import Observe, Verb
from provisioner.core.diff import declared_only
from provisioner.core.journal import Audit, Phase, SaveGeneration, SaveRecord, Write
from provisioner.core.model import Address, Generation, GenerationState, Observed, Record, Via
from provisioner.core.provider import KeepsSecrets
from provisioner.core.secret import Secret
from provisioner.engine import prove
from provisioner.engine.context import Waits, Work, not_masking
from provisioner.engine.deliver import deliver
from provisioner.engine.ports import Store
from provisioner.errors import ProviderError, Refused, SecretError


async def take(work: Work) -> None:
    """intent ► done, or cut over. Where it cannot be taken, its operation is closed and nothing recorded."""
    try:
        seen = await _look(work)
        secret = await _secret(work)
        sealed = _sealed(work, secret)
        if secret is not None:
            await _proved(work, secret)
    except (ProviderError, Refused, SecretError) as error:
        with not_masking(error):
            await work.give_up(error.message)
        raise
    work.secret = secret
    writes = _writes(work, seen, sealed)
    if sealed is None:
        await work.advance(Phase.DONE, *writes, _told(work), remote_id=work.change.remote_id)
        return
    await work.advance(Phase.CUT_OVER, *writes, remote_id=work.change.remote_id)
    work.reload()


async def finish(work: Work) -> None:
    """cut over ► done: its secret goes to the sinks, which mostly have it already."""
    await deliver(work)
    await work.advance(Phase.DONE, _told(work), waiting="", note="")


STEPS: Mapping[Phase, Callable[[Work], Awaitable[None]]] = {Phase.INTENT: take, Phase.CUT_OVER: finish}
"""What follows each phase."""


def holder_of(store: Store, provider: str, environment: str, remote_id: str) -> tuple[Address, int] | None:
    """The address that has this id of this vendor, and as which generation."""
    for address, record in store.records([environment]).items():
        for generation in record.generations:
            if (generation.provider or record.provider, generation.remote_id) == (provider, remote_id):
                return address, generation.number
    return None


async def _look(work: Work) -> Observed | None:
    """What the vendor shows of it now; None where only people can look. Raises Refused, ProviderError."""
    remote_id = work.change.remote_id
    held = holder_of(work.context.store, work.operation.provider, work.address.environment, remote_id)
    if held is not None:
        raise Refused(f"{remote_id} is generation {held[1]} of {held[0]} already")
    if isinstance(work.provider, KeepsSecrets):
        raise Refused(f"{work.operation.provider} lets nobody manage what was not made here")
    if work.capabilities.observe is Observe.NONE:
        return None
    seen = await work.provider.get(remote_id)
    if why := unusable(work.declaration.title, remote_id, seen):
        raise Refused(f"import of {remote_id}: {why}", remedy="see what there is: provision discover")
    return seen


async def _secret(work: Work) -> Secret | None:
    """Its secret: as somebody brought it, or as the vendor shows it; None where neither does."""
    brought = work.context.brought.get(work.address)
    if brought is not None and _names_another(work, brought):
        raise _of_another(work)
    if not reads_secret(work.capabilities):
        return brought
    shown = (await work.provider.reveal(work.change.remote_id)).secret
    if brought is not None and any(brought.reveal(part) != shown.reveal(part) for part in shown):
        raise _of_another(work)
    return shown


def _names_another(work: Work, secret: Secret) -> bool:
    """Whether a part of it is the vendor's id, where people see one, and not this one."""
    screen = work.declaration.screens.get(Verb.CREATE)
    by_people = bool({Verb.CREATE, Verb.CAPTURE} & work.capabilities.portal)
    if screen is None or not by_people or screen.remote_id not in secret:
        return False
    return secret.reveal(screen.remote_id) != work.change.remote_id


def _of_another(work: Work) -> Refused:
    return Refused(f"that is not the secret of {work.change.remote_id}")


def _sealed(work: Work, secret: Secret | None) -> str | None:
    if secret is None:
        return None
    return work.context.sealer.seal(secret, work.address, work.operation.generation)


async def _proved(work: Work, secret: Secret) -> None:
    """Raise Refused for a secret that does not work; one that may do more is for the plan that follows.

    What somebody brought has to prove itself, what the vendor shows has only not to be rejected.
    """
    brought = work.address in work.context.brought
    try:
        with suppress(Waits, prove.TooWide):
            await prove.works(work, secret, brought=brought)
    except prove.Unproven as error:
        remedy = "bring it as it is now, or import it without and renew it"
        raise Refused(error.message, remedy=remedy) from None


def _writes(work: Work, seen: Observed | None, sealed: str | None) -> tuple[Write, ...]:
    desired = work.desired
    record = Record(
        address=work.address,
        provider=work.operation.provider,
        via=Via(work.operation.via),
        fields=declared_only(desired["fields"], seen.fields) if seen else desired["fields"],
        local=desired["local"],
        secret_known=sealed is not None,
        user=desired["user"],
    )
    generation = Generation(
        number=work.operation.generation,
        state=GenerationState.ACTIVE,
        remote_id=work.change.remote_id,
        tag=str(work.tag),  # ours alone: it says what its secret is sealed as, and is not at the vendor
        created_at=(seen and seen.created_at) or work.context.now(),
        expires_at=seen.expires_at if seen else None,
        provider=work.operation.provider,
        issued_at=seen.issued_at if seen and sealed else None,
    )
    return SaveRecord(record), SaveGeneration(work.address, generation, sealed)


def _told(work: Work) -> Audit:
    detail = {
        "operation": work.operation.id,
        "generation": work.operation.generation,
        "remote_id": work.change.remote_id,
        "secret_known": work.secret is not None or work.operation.phase is Phase.CUT_OVER,
        "reasons": [reason.text for reason in work.change.reasons],
    }
    return Audit("import done", work.context.now(), work.address, detail)
