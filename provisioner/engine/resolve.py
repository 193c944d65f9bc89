"""Resolve: a person says what became of an operation whose outcome nobody could see from here.

Either the vendor's console shows what it made, which is adopted; or it made nothing, which is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct
from msgspec.structs import replace

from provisioner.core.capabilities import Observe, SecretAccess, Verb
from provisioner.core.journal import Audit, Operation, Phase, SaveGeneration, SaveRecord
from provisioner.core.model import Address, Generation, GenerationState, Observed, Record, RemoteStatus, Via
from provisioner.core.plan import change_from_json
from provisioner.core.provider import KeepsSecrets
from provisioner.engine.adopt import holder_of
from provisioner.engine.apply import Outcome, Status, ended
from provisioner.engine.context import Context, Waits, Work
from provisioner.engine.make import capture
from provisioner.engine.operation import drive
from provisioner.engine.ports import Store
from provisioner.errors import ProvisionError, Refused


class Word(Struct, frozen=True):
    """What a person says: for which address, why, and who they are, for whoever meets our lease."""

    address: Address
    reason: str
    holder: str


async def adopt(context: Context, word: Word, remote_id: str) -> Outcome:
    """Take what has this id at the vendor for what the operation made.

    Where its secret can still be had, from the vendor or by a person in its console, the operation goes on to
    its end. Elsewhere the secret stays unknown: the record says so, and consumers keep what they have until a
    renewal. Raises Refused for an id that cannot be it, and for an operation that is not of unknown outcome.
    """
    with _leased(context, word) as work:
        seen = await _look(work, remote_id)
        _require_free(work, remote_id)
        told = _told(work, word, how="adopt", remote_id=remote_id)
        if Verb.CAPTURE in work.capabilities.portal:
            await work.advance(Phase.SENT, told, remote_id=remote_id, waiting="", note="")
        elif work.capabilities.secret is SecretAccess.RETRIEVABLE:
            work.with_next.append(told)
            await capture(work, await work.provider.reveal(remote_id))
        else:
            await _take_without_secret(work, remote_id, seen, told)
        return await _go_on(work)


async def forget(context: Context, word: Word) -> Outcome:
    """Close the operation: it made nothing, or nothing that anybody wants. The next plan begins anew.

    Raises Refused for an operation that is not of unknown outcome.
    """
    with _leased(context, word) as work:
        note = f"forgotten: {word.reason}"
        await work.advance(Phase.FAILED, _told(work, word, how="forget"), waiting="", note=note)
        return Outcome(work.change, Status.DONE, note)


def in_doubt(store: Store, address: Address) -> Operation:
    """The operation of an address whose outcome is unknown. Raises Refused where there is none."""
    found = [one for one in store.operations([address.environment]) if one.address == address]
    if not found:
        raise Refused(f"{address} has no open operation, so there is nothing to resolve")
    operation = found[0]
    if operation.phase is not Phase.UNKNOWN:
        raise Refused(
            f"the {operation.action} of {address} is {operation.phase}: its outcome can be found out",
            remedy="the next apply goes on with it",
        )
    return operation


@contextmanager
def _leased(context: Context, word: Word) -> Iterator[Work]:
    """The operation, read under the lease: no other run can touch it now."""
    in_doubt(context.store, word.address)
    context.store.acquire([word.address.environment], holder=word.holder)
    try:
        operation = in_doubt(context.store, word.address)
        change = change_from_json(operation.desired)
        yield Work(context, change, operation, context.store.record(word.address))
    finally:
        context.store.release()


async def _look(work: Work, remote_id: str) -> Observed | None:
    """What the vendor shows of this id; None where it cannot be asked. Raises Refused."""
    if work.capabilities.observe is Observe.NONE or isinstance(work.provider, KeepsSecrets):
        return None
    seen = await work.provider.get(remote_id)
    vendor = work.declaration.title
    if seen is None or seen.status in (RemoteStatus.DEAD, RemoteStatus.DENIED):
        raise Refused(
            f"{vendor} has no living credential {remote_id}",
            remedy="look it up in its console; if nothing was made, use --forget",
        )
    if seen.tag is not None and (seen.tag.project, seen.tag.address) != (work.context.project, work.address):
        raise Refused(f"{remote_id} is not of {work.address}: at {vendor} it carries the tag {seen.tag}")
    return seen


def _require_free(work: Work, remote_id: str) -> None:
    place = work.operation.provider, work.address.environment
    if held := holder_of(work.context.store, *place, remote_id):
        raise Refused(f"{remote_id} is generation {held[1]} of {held[0]} already")


def _told(work: Work, word: Word, **how: str) -> Audit:
    detail = {"operation": work.operation.id, "reason": word.reason, **how}
    return Audit("operation resolved", work.context.now(), work.address, detail)


async def _take_without_secret(work: Work, remote_id: str, seen: Observed | None, told: Audit) -> None:
    """The new generation is active and its secret unknown; older ones end with the renewal that follows."""
    made = Generation(
        number=work.operation.generation,
        state=GenerationState.ACTIVE,
        remote_id=remote_id,
        tag=str(work.tag),
        created_at=(seen and seen.created_at) or work.operation.updated_at,
        expires_at=seen.expires_at if seen else None,
        issued_at=seen.issued_at if seen else None,
        provider=work.operation.provider,
    )
    older = [
        replace(generation, state=GenerationState.RETIRING)
        for generation in work.generations
        if generation.live and generation.state is not GenerationState.RETIRING
    ]
    await work.advance(
        Phase.DONE,
        SaveRecord(_record(work)),
        *(SaveGeneration(work.address, generation) for generation in (*older, made)),
        told,
        remote_id=remote_id,
        waiting="",
        note="adopted without its secret",
    )


def _record(work: Work) -> Record:
    desired = work.desired
    return Record(
        address=work.address,
        provider=work.operation.provider,
        via=Via(work.operation.via),
        fields=desired["fields"],
        local=desired["local"],
        secret_known=False,
        user=desired["user"],
    )


async def _go_on(work: Work) -> Outcome:
    try:
        await drive(work)
    except Waits as waits:
        return Outcome(work.change, Status.WAITING, waits.text)
    except ProvisionError as error:
        return Outcome(work.change, Status.FAILED, error.message, error.remedy)
    return ended(work.change, work.operation)
