"""The sandbox's operator as the person who does handoffs, so that a demo and tests run unattended.

It is refused for every endpoint but `sandbox`: a real vendor's portal takes a real person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.cli.session import SANDBOX
from provisioner.core.handoff import Answer
from provisioner.core.journal import Handoff
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError, Refused

if TYPE_CHECKING:
    from provisioner.cli.session import Session


def operates(session: Session, handoff: Handoff) -> bool:
    """Whether the operator may do it: the vendor is the embedded twin."""
    config = session.project.providers.get((handoff.provider, handoff.address.environment))
    return config is not None and config.endpoint == SANDBOX


class Operated:
    """The operator at the twins of a project. Fulfils `engine.ports.Person`."""

    def __init__(self, session: Session) -> None:
        from provisioner.sandbox.operator import Operator

        self._session = session
        self._operator = Operator(session.sandbox)

    async def perform(self, handoff: Handoff) -> Answer | None:
        """Work in the twin's console, and bring back what it shows.

        Raises Refused for a vendor that is no twin, ProviderError where the console does not let it.
        """
        from provisioner.sandbox.operator import Stuck

        if not operates(self._session, handoff):
            raise Refused(
                f"{handoff.id}: {handoff.provider} in {handoff.address.environment} is no sandbox,"
                " and its portal takes a person",
                remedy=f"provision handoff complete {handoff.id}",
            )
        try:
            shown = await self._work(handoff)
        except (Stuck, LookupError) as error:
            raise ProviderError(f"the operator is stuck at {handoff.id}: {error}") from None
        return Answer(
            Secret({name: shown[name] for name in handoff.asks if name in shown}), "sandbox operator"
        )

    async def again(self, handoff: Handoff, why: str) -> bool:
        """It would bring the same."""
        return False

    async def _work(self, handoff: Handoff) -> dict[str, str]:
        tenant = self._session.project.environments[handoff.address.environment].kind.value
        return await self._operator.perform(
            handoff.provider,
            tenant,
            handoff.verb.value,
            fields=handoff.fields,
            remote_id=handoff.remote_id or None,
            name=handoff.address.name,
            tag=handoff.tag,
        )
