"""A person at the twins' portals: works in their consoles, and brings back what they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from provisioner.core.handoff import Answer
from provisioner.core.journal import Handoff
from provisioner.core.secret import Secret
from provisioner.sandbox.operator import Operator
from provisioner.sandbox.world import Sandbox

Values = dict[str, str]


@dataclass
class PortalPerson:
    """Fulfils `engine.ports.Person`, for environments that are named as their tenants."""

    sandbox: Sandbox
    slip: Callable[[Values], Values] = lambda values: values
    """What the person makes of what the console shows; a test's way to paste something wrong."""
    done: list[Handoff] = field(default_factory=list)
    """What was asked for, in order."""
    told: list[str] = field(default_factory=list)
    """Why something was not accepted."""
    patience: int = 0
    """How often they look again after that."""
    _shown: dict[str, Values] = field(default_factory=dict)

    async def perform(self, handoff: Handoff) -> Answer | None:
        """Do it once; whoever is asked again pastes again."""
        self.done.append(handoff)
        if handoff.id not in self._shown:
            self._shown[handoff.id] = await self._work(handoff)
        shown = self._shown[handoff.id]
        return Answer(Secret(self.slip({name: shown[name] for name in handoff.asks})), by="a test")

    async def again(self, handoff: Handoff, why: str) -> bool:
        """Told why; pastes what the console showed, as it is, while patience lasts."""
        self.told.append(why)
        self.patience -= 1
        return self.patience >= 0

    async def _work(self, handoff: Handoff) -> Values:
        # A browser belongs to one event loop, and each apply of a test has its own.
        return await Operator(self.sandbox).perform(
            handoff.provider,
            handoff.address.environment,
            handoff.verb.value,
            fields=handoff.fields,
            remote_id=handoff.remote_id or None,
            name=handoff.address.name,
            tag=handoff.tag,
        )
