"""The sandbox's operator as the engine's person, for tests that run unattended."""

from __future__ import annotations

from provisioner.core.handoff import Answer
from provisioner.core.journal import Handoff
from provisioner.core.secret import Secret
from provisioner.sandbox.operator import Operator
from provisioner.sandbox.world import Sandbox


class OperatorPerson:
    """Does every handoff at once, on the twins' consoles. Fulfils `engine.ports.Person`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._operator = Operator(sandbox)

    async def perform(self, handoff: Handoff) -> Answer | None:
        """Work in the console, and bring back what was asked for."""
        shown = await self._operator.perform(
            handoff.provider,
            handoff.address.environment,
            handoff.verb.value,
            fields=handoff.fields,
            remote_id=handoff.remote_id or None,
            name=handoff.address.name,
            tag=handoff.tag,
        )
        return Answer(Secret({name: shown[name] for name in handoff.asks if name in shown}), "operator")

    async def again(self, handoff: Handoff, why: str) -> bool:
        """It would bring the same."""
        return False
