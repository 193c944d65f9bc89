"""Update: bring the fields of an existing credential to what is declared, here and at the vendor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

from msgspec.structs import replace

from provisioner.core.capabilities import Verb
from provisioner.core.drift import left_alone
from provisioner.core.journal import Audit, Phase, SaveRecord
from provisioner.core.provider import KeepsSecrets, Spec
from provisioner.engine import handoff, prove
from provisioner.engine.context import Work, not_masking
from provisioner.engine.deliver import deliver
from provisioner.errors import OutcomeUnknown, ProviderError

LOCAL = frozenset({"owner", "labels", "deliver", "rotate", "protect", "ignore_drift", "name"})
"""Fields that only we keep: the vendor is not called for them."""


async def send(work: Work) -> None:
    """intent ► sent."""
    _ = work.provider  # one that cannot be opened is certainly not asked
    await work.advance(Phase.SENT)


async def change_fields(work: Work) -> None:
    """sent ► verified: the vendor is asked for what is declared. Idempotent, so a repeat is fine."""
    try:
        await at_vendor(work)
    except OutcomeUnknown:
        raise
    except ProviderError as error:
        # It was refused, or grants too much: the next plan decides anew, by what is then declared.
        with not_masking(error):
            await work.give_up(error.message)
        raise
    await work.advance(Phase.VERIFIED, waiting="", note="")


async def at_vendor(work: Work) -> None:
    """Have the vendor's fields be what is declared, by a call or by a person. Ours are not its business."""
    changed = {field.path: field.after for field in work.change.fields if field.path not in LOCAL}
    if not changed:
        return
    if Verb.UPDATE in work.capabilities.portal:
        await handoff.confirmed(work, Verb.UPDATE, work.operation.generation, changed, work.remote_id)
    else:
        spec = await _to_set(work, changed)
        await work.provider.update(work.remote_id, spec)
        await prove.within(work, spec.fields)


async def _to_set(work: Work, changed: Collection[str]) -> Spec:
    """What is declared, but for what is to be left as the vendor has it: an update sets every field."""
    if not work.desired["local"].get("ignore_drift"):
        return work.spec
    seen = await work.provider.get(work.remote_id)
    if seen is None:
        return work.spec
    return Spec(work.address, left_alone(work.desired["fields"], seen, work.desired["local"], changed))


async def hand_over(work: Work) -> None:
    """verified ► delivered: the present secret goes where it was not yet, as one does that was replaced."""
    if work.record is not None and not work.record.secret_known:
        pass  # there is nothing to deliver before it is renewed
    elif any(field.path == "deliver" for field in work.change.fields):
        await deliver(work, again=True)
    elif isinstance(work.provider, KeepsSecrets):
        await deliver(work)
    await work.advance(Phase.DELIVERED, waiting="", note="")


async def finish(work: Work) -> None:
    """delivered ► done: record the fields as applied."""
    if work.record is None:
        raise ValueError(f"{work.address} has no record to update")
    desired = work.desired
    applied = replace(work.record, fields=desired["fields"], local=desired["local"], user=desired["user"])
    await work.advance(
        Phase.DONE,
        SaveRecord(applied),
        Audit(
            "update done",
            work.context.now(),
            work.address,
            {
                "operation": work.operation.id,
                "fields": [field.path for field in work.change.fields],
                "reasons": [reason.text for reason in work.change.reasons],
            },
        ),
    )


STEPS: Mapping[Phase, Callable[[Work], Awaitable[None]]] = {
    Phase.INTENT: send,
    Phase.SENT: change_fields,
    Phase.VERIFIED: hand_over,
    Phase.DELIVERED: finish,
}
"""What follows each phase."""
