"""Deliver: hand a generation's secret to every sink that has not acknowledged it yet."""

from __future__ import annotations

from provisioner.core.capabilities import SecretAccess, Verb
from provisioner.core.delivery import Parcel
from provisioner.core.journal import SaveDelivery
from provisioner.core.model import Address
from provisioner.core.secret import Secret
from provisioner.engine import failpoints
from provisioner.engine.context import Waits, Work
from provisioner.errors import IdentityMissing


async def deliver(work: Work, *, again: bool = False) -> None:
    """Deliver to the sinks of the manifest, in its order; each ack is durable before the next begins.

    `again` delivers also where this generation was acknowledged before, as a changed path asks for.
    Raises SinkError, or Waits where the secret cannot be had on this machine.
    """
    number = work.operation.generation
    acked = {} if again else work.context.store.deliveries(work.address, number)
    for target in work.desired["local"].get("deliver") or []:
        if target["to"] in acked:
            continue
        parcel = Parcel(
            address=work.address,
            provider=work.operation.provider,
            generation=number,
            operation=work.operation.id,
            names=target["as"],
            secret=await secret_of(work),
        )
        failpoints.hit("before-delivery")
        await work.context.sinks[target["to"]].deliver(parcel)
        failpoints.hit("after-delivery")
        ack = SaveDelivery(work.address, number, target["to"], work.context.now())
        await work.context.store.commit([ack])


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
