"""Deliver: hand a generation's secret to every sink that has not acknowledged it yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from provisioner.core.capabilities import SecretAccess, Verb
from provisioner.core.delivery import Parcel, pending
from provisioner.core.journal import SaveDelivery
from provisioner.core.model import Address, GenerationState, JsonObject
from provisioner.core.secret import Secret
from provisioner.engine import failpoints
from provisioner.engine.context import Waits, Work
from provisioner.errors import IdentityMissing


async def deliver(work: Work, *, again: bool = False) -> None:
    """Deliver to the sinks of the manifest, in its order; each ack is durable before the next begins.

    `again` delivers also where this generation was acknowledged before, as a changed path asks for.
    Raises SinkError, or Waits where the secret cannot be had on this machine.
    """
    targets = _targets(work)
    acked = {} if again or not targets else _acked(work)
    for target in targets:
        if target["to"] not in acked:
            await _hand_over(work, target["to"], target["as"], ack=target["to"])


async def announce(work: Work) -> None:
    """Deliver a new secret before its cut-over.

    A sink with `pending` gets it beside the present one, under names of its own, and in its place only
    by `deliver` after the cut-over; every other sink gets it in its place now.
    """
    targets = _targets(work)
    acked = _acked(work) if targets else {}
    beside = any(generation.state is GenerationState.ACTIVE for generation in work.generations)
    for target in targets:
        waits = beside and target.get("pending", False)
        ack = f"{target['to']} (pending)" if waits else target["to"]
        if ack not in acked:
            names = pending(target["as"]) if waits else target["as"]
            await _hand_over(work, target["to"], names, ack=ack)


def _acked(work: Work) -> Mapping[str, datetime]:
    return work.context.store.deliveries(work.address, work.operation.generation)


def _targets(work: Work) -> list[JsonObject]:
    targets: list[JsonObject] = work.desired["local"].get("deliver") or []
    return targets


async def _hand_over(work: Work, sink: str, names: Mapping[str, str], *, ack: str) -> None:
    number = work.operation.generation
    parcel = Parcel(
        address=work.address,
        provider=work.operation.provider,
        generation=number,
        operation=work.operation.id,
        names=names,
        secret=await secret_of(work),
    )
    failpoints.hit("before-delivery")
    await work.context.sinks[sink].deliver(parcel)
    failpoints.hit("after-delivery")
    await work.context.store.commit([SaveDelivery(work.address, number, ack, work.context.now())])


async def secret_of(work: Work) -> Secret:
    """The secret that the operation works with: from memory, from the vendor, or from its sealed row.

    Raises Waits("identity") where none of the three can give it.
    """
    if work.secret is None:
        work.secret = await _fetch(work)
    return work.secret


async def _fetch(work: Work) -> Secret:
    capabilities = work.capabilities
    if capabilities.secret is SecretAccess.RETRIEVABLE and Verb.CAPTURE not in capabilities.portal:
        return (await work.provider.reveal(work.remote_id)).secret
    sealed = work.context.store.sealed(work.address, work.operation.generation)
    if sealed is None:
        raise Waits("identity", "its secret was never captured here")
    try:
        return work.context.sealer.unseal(sealed, _sealed_as(work), work.operation.generation)
    except IdentityMissing as error:
        raise Waits("identity", error.message) from None


def _sealed_as(work: Work) -> Address:
    generation = next((g for g in work.generations if g.number == work.operation.generation), None)
    return generation.sealed_as(work.address) if generation else work.address
