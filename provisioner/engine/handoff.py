"""Handoff: let a person do a step, now or later, and take what they bring back.

A handoff is a row bound to its operation, durable before anybody is asked. With a person at hand it is
done at once; without one the operation waits, and `provision handoff complete` goes on with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from provisioner.core.capabilities import Verb
from provisioner.core.handoff import Answer, announce, instructions
from provisioner.core.journal import Audit, Handoff, HandoffState, Phase, SaveHandoff, Write
from provisioner.core.model import JsonObject
from provisioner.core.provider import Issued
from provisioner.core.recovery import MAKES
from provisioner.core.secret import Secret
from provisioner.engine.context import Waits, Work
from provisioner.errors import HandoffRefused


class Declined(HandoffRefused):
    """The person this was handed to will not do it."""


async def confirmed(work: Work, verb: Verb, generation: int, fields: JsonObject, remote_id: str) -> None:
    """Have a person do a step that brings nothing back. Done before counts. Raises Waits, HandoffRefused."""
    handoff = await _open(work, verb, generation, fields, remote_id)
    if handoff.state is HandoffState.COMPLETED:
        return
    answer = await _ask(work, handoff)
    await work.context.store.commit(_completed(work, handoff, answer))


async def issued(work: Work, verb: Verb, fields: JsonObject) -> Issued:
    """Have a person make, renew or read a secret, and bring it back.

    What was asked for is checked for completeness here; the capture's transaction completes the handoff.
    Raises Waits, HandoffRefused.
    """
    number = work.operation.generation
    handoff = await _open(work, verb, number, fields, work.operation.remote_id or "")
    answer = await _ask(work, handoff)
    screen = work.declaration.screens[verb]
    values = {name: answer.values.reveal(name) for name in answer.values}
    missing = [name for name in screen.asks if not values.get(name)]
    if missing:
        raise HandoffRefused(
            f"{handoff.id} needs {', '.join(missing)} as well", remedy=f"provision handoff show {handoff.id}"
        )
    work.with_next = _completed(work, handoff, answer)
    remote_id = work.operation.remote_id or values[screen.remote_id]
    parts = {name: values[name] for name in work.declaration.parts if name in values}
    return Issued(remote_id, Secret(parts))


async def decline(work: Work, handoff: Handoff, why: str) -> None:
    """Write down that a person will not do it, and close the operation where nothing is left behind.

    A secret that nobody reads leaves a credential: its operation goes on, to end that. Raises HandoffRefused
    where declining would leave a live credential that nobody knows.
    """
    if handoff.state is not HandoffState.OPEN:
        raise HandoffRefused(f"{handoff.id} is {handoff.state} already: {handoff.note}")
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


async def _open(work: Work, verb: Verb, generation: int, fields: JsonObject, remote_id: str) -> Handoff:
    """The handoff of this step, made durable when it is new."""
    before = work.context.store.handoffs_of(work.operation.id)
    for handoff in before:
        if (handoff.verb, handoff.generation) == (verb, generation):
            if handoff.state is HandoffState.DECLINED:
                raise Declined(f"{handoff.id} was declined: {handoff.note}")
            return handoff
    known = {"remote_id": remote_id, "tag": str(work.operation.tag or ""), "name": work.address.name}
    handoff = Handoff(
        id=f"{work.operation.id}-{len(before) + 1}",
        operation=work.operation.id,
        address=work.address,
        provider=work.operation.provider,
        verb=verb,
        generation=generation,
        screen=work.declaration.screens[verb].path,
        steps=instructions(work.declaration, verb, known, fields),
        asks=work.declaration.screens[verb].asks,
        opened_at=work.context.now(),
        fields=fields,
        remote_id=remote_id,
        tag=str(work.operation.tag or ""),
    )
    opened = Audit("handoff opened", handoff.opened_at, work.address, {"handoff": handoff.id, "verb": verb})
    await work.context.store.commit([SaveHandoff(handoff), opened])
    return handoff


async def _ask(work: Work, handoff: Handoff) -> Answer:
    person = work.context.person
    answer = await person.perform(handoff) if person is not None else None
    if answer is None:
        raise Waits("handoff", announce(work.declaration, handoff.verb))
    return answer


def _completed(work: Work, handoff: Handoff, answer: Answer) -> list[Write]:
    now = work.context.now()
    detail: Mapping[str, object] = {"handoff": handoff.id, "by": answer.by}
    return [
        SaveHandoff(
            replace(handoff, state=HandoffState.COMPLETED, closed_at=now, note=f"done by {answer.by}")
        ),
        Audit("handoff completed", now, work.address, detail),
    ]
