"""Handoff: let a person do a step, now or later, and take what they bring back.

A handoff is a row bound to its operation, durable before anybody is asked. With a person at hand it is
done at once; without one the operation waits, and `provision handoff complete` goes on with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec.structs import replace

from provisioner.core.capabilities import Verb
from provisioner.core.copies import of_copy
from provisioner.core.handoff import Answer, instructions
from provisioner.core.journal import Audit, Handoff, HandoffState, Phase, SaveHandoff, Write
from provisioner.core.model import JsonObject
from provisioner.core.provider import Issued
from provisioner.core.recovery import MAKES
from provisioner.core.secret import Secret
from provisioner.engine.context import Waits, Work
from provisioner.errors import HandoffRefused, ProviderError


class Declined(HandoffRefused):
    """The person this was handed to will not do it."""


T = TypeVar("T")

Trial = Callable[[Issued], Awaitable[None]]
"""Tries what a person brought. Raises HandoffRefused or ProviderError for what does not prove to work."""

Proof = Callable[[], Awaitable[None]]
"""Looks whether a step was done. Raises ProviderError where it does not show."""


async def _on_their_word() -> None:
    """Nothing can be looked at."""


async def confirmed(
    work: Work,
    verb: Verb,
    generation: int,
    fields: JsonObject,
    remote_id: str,
    provider: str = "",
    proof: Proof = _on_their_word,
) -> None:
    """Have a person do a step that brings nothing back, and look whether it is done.

    Done before counts. `provider` is whose portal it is, where that is not the operation's vendor. Raises
    Waits, HandoffRefused.
    """
    handoff = await _open(work, verb, generation, fields, remote_id, provider or work.operation.provider)
    if handoff.state is HandoffState.COMPLETED:
        await proof()
        return
    answer, _ = await _accepted(work, handoff, lambda _: proof())
    await work.context.store.commit(_completed(work, handoff, f"done by {answer.by}"))


async def issued(work: Work, verb: Verb, fields: JsonObject, trial: Trial) -> Issued:
    """Have a person make, renew or read a secret, and bring it back; ask anew for what is not accepted.

    Nothing is kept before the trial: the capture's transaction completes the handoff. Raises Waits,
    HandoffRefused.
    """
    operation = work.operation
    handoff = await _open(
        work, verb, operation.generation, fields, operation.remote_id or "", operation.provider
    )

    async def try_(answer: Answer) -> Issued:
        brought = _read(work, handoff, answer)
        await trial(brought)
        return brought

    answer, brought = await _accepted(work, handoff, try_)
    work.with_next = _completed(work, handoff, f"done by {answer.by}")
    return brought


def _read(work: Work, handoff: Handoff, answer: Answer) -> Issued:
    """What a person brought, as a vendor's answer would bring it."""
    # Copying from a page takes white space along, and no vendor's secret begins or ends with any.
    values = {name: answer.values.reveal(name).strip() for name in answer.values}
    missing = [name for name in handoff.asks if not values.get(name)]
    if missing:
        raise HandoffRefused(
            f"{handoff.id} needs {', '.join(missing)} as well", remedy=f"provision handoff show {handoff.id}"
        )
    named = values[work.declaration.screens[handoff.verb].remote_id]
    remote_id = work.operation.remote_id or named
    if named != remote_id and _same_way(work):
        raise HandoffRefused(
            f"{handoff.id}: that is the secret of another credential, not of {remote_id}",
            remedy=f"provision handoff show {handoff.id}",
        )
    parts = {name: values[name] for name in work.declaration.parts if name in values}
    return Issued(remote_id, Secret(parts))


def _same_way(work: Work) -> bool:
    """Whether its remote id is the portal's, since the credential was made there too."""
    return work.record is None or work.record.via.value == work.operation.via


def brought_before(work: Work) -> list[Write]:
    """Complete what a person brought when the store could not take it: that is in the emergency folder."""
    return [
        write
        for handoff in work.context.store.handoffs_of(work.operation.id)
        if handoff.state is HandoffState.OPEN and handoff.asks
        for write in _completed(work, handoff, "its secret was taken in from the emergency folder")
    ]


REFUSALS = {
    HandoffState.COMPLETED: "was completed before",
    HandoffState.DECLINED: "was declined",
    HandoffState.DROPPED: "is not wanted any more",
}
"""Why nothing can be done about a handoff that is closed."""


def require_open(handoff: Handoff) -> None:
    """Raise HandoffRefused, with the reason, for a handoff that is closed."""
    if handoff.state is not HandoffState.OPEN:
        raise HandoffRefused(
            f"{handoff.id} {REFUSALS[handoff.state]}: {handoff.note}",
            remedy="see what waits with `provision handoff list`",
        )


async def decline(work: Work, handoff: Handoff, why: str) -> None:
    """Write down that a person will not do it, and close the operation where nothing is left behind.

    A secret that nobody reads leaves a credential: its operation goes on, to end that. Raises HandoffRefused
    where declining would leave a live credential that nobody knows.
    """
    require_open(handoff)
    if handoff.verb is Verb.REVOKE and work.operation.action in MAKES:
        raise HandoffRefused(f"{handoff.id} cannot be declined: it ends a credential that nothing else ends")
    now = work.context.now()
    writes: list[Write] = [
        SaveHandoff(replace(handoff, state=HandoffState.DECLINED, closed_at=now, note=why)),
        Audit("handoff declined", now, work.address, {"handoff": handoff.id, "why": why}),
    ]
    if handoff.verb is Verb.CAPTURE:
        await work.context.store.commit(writes)
    else:
        await work.advance(Phase.FAILED, *writes, note=f"declined: {why}", waiting="")


async def _open(
    work: Work, verb: Verb, generation: int, fields: JsonObject, remote_id: str, provider: str
) -> Handoff:
    """The handoff of this step, made durable when it is new."""
    before = work.context.store.handoffs_of(work.operation.id)
    for handoff in before:
        if (handoff.verb, handoff.generation) == (verb, generation):
            if handoff.state is HandoffState.DECLINED:
                raise Declined(f"{handoff.id} was declined: {handoff.note}")
            return handoff
    declaration = work.context.declarations[provider]
    known = {
        **fields,
        "remote_id": remote_id,
        "tag": str(work.operation.tag or ""),
        "name": work.address.name,
    }
    handoff = Handoff(
        id=f"{work.operation.id}-{len(before) + 1}",
        operation=work.operation.id,
        address=work.address,
        provider=provider,
        verb=verb,
        generation=generation,
        screen=declaration.screens[verb].path,
        steps=(*_warning(work), *instructions(declaration, verb, known, fields)),
        asks=declaration.screens[verb].asks,
        opened_at=work.context.now(),
        fields=fields,
        remote_id=remote_id,
        tag=str(work.operation.tag or ""),
    )
    opened = Audit("handoff opened", handoff.opened_at, work.address, {"handoff": handoff.id, "verb": verb})
    await work.context.store.commit([SaveHandoff(handoff), opened])
    return handoff


def _warning(work: Work) -> tuple[str, ...]:
    """Who ends a copy must not end its original, which has the same id in another place."""
    if not of_copy(work.address):
        return ()
    where = work.address.environment
    return (f"Sign in to {where}, and to nothing else: production has one with the same id, which stays.",)


async def _accepted(
    work: Work, handoff: Handoff, check: Callable[[Answer], Awaitable[T]]
) -> tuple[Answer, T]:
    """Ask until what comes back is accepted, and return that with what the check made of it."""
    while True:
        answer = await _ask(work, handoff)
        try:
            return answer, await check(answer)
        except HandoffRefused as error:
            refused = error
        except ProviderError as error:
            # Also where the vendor cannot be reached: the person still has it, and nothing untried is kept.
            refused = HandoffRefused(
                f"not accepted: {error.message}", remedy="look again, and complete it anew"
            )
        if work.context.person is None or not await work.context.person.again(handoff, refused.message):
            raise refused from None


async def _ask(work: Work, handoff: Handoff) -> Answer:
    person = work.context.person
    try:
        answer = await person.perform(handoff) if person is not None else None
    except ProviderError as error:
        # Who is stuck at the portal refused nothing for the vendor: the step is still to be done.
        raise HandoffRefused(
            f"{handoff.id} was not done: {error.message}", remedy=f"provision handoff show {handoff.id}"
        ) from None
    if answer is None:
        raise waits_for(handoff)
    return answer


def waits_for(handoff: Handoff) -> Waits:
    """What to raise, or to tell, of a handoff that nobody did yet."""
    how = f"provision handoff show {handoff.id}, then provision handoff complete {handoff.id}"
    return Waits("handoff", f"{handoff.verb}: {handoff.screen}", remedy=how)


def _completed(work: Work, handoff: Handoff, how: str) -> list[Write]:
    now = work.context.now()
    return [
        SaveHandoff(replace(handoff, state=HandoffState.COMPLETED, closed_at=now, note=how)),
        Audit("handoff completed", now, work.address, {"handoff": handoff.id, "how": how}),
    ]
