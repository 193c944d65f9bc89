"""A vendor that people manage in its portal: every step is a handoff, and only trying a secret is a call.

What a person brings back can still be tried, since that takes the vendor's own endpoint and the secret
itself, and no authority of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NoReturn

from msgspec.structs import replace

from provisioner.core.capabilities import Capabilities, Identity, Observe, Renewal, SecretAccess, Verb
from provisioner.core.model import Listing, Observed, Tag
from provisioner.core.provider import Issued, Spec, User, Verification
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError

if TYPE_CHECKING:
    from provisioner.providers.http import Http

Trial = Callable[[Secret, Spec], Awaitable[Verification]]
"""Tries a secret the way its consumer would."""

BY_HAND = frozenset({Verb.CREATE, Verb.CAPTURE, Verb.UPDATE, Verb.REVOKE, Verb.OBSERVE, Verb.FIND})
"""What nobody but a person can do in a portal. Where secrets are renewed in place, so is that."""


def by_hand(api: Capabilities) -> Capabilities:
    """The same vendor, managed in its portal: what it is does not change, what we see of it does."""
    renewing = {Verb.RENEW} if api.renew is Renewal.IN_PLACE else set()
    return replace(
        api,
        secret=SecretAccess.PORTAL,
        identity=Identity.NONE,
        observe=Observe.NONE,
        portal=BY_HAND | renewing,
        authority=False,  # no credential of ours is at work there
    )


class Portal:
    """A vendor in one environment, managed by people. Fulfils `core.provider.Provider`."""

    def __init__(self, name: str, http: Http, trial: Trial) -> None:
        self._name = name
        self._http = http
        self._trial = trial

    async def observe(self) -> Listing:
        """Nothing: only a person can look."""
        return Listing(unseen="managed in its portal, where only people can look")

    async def get(self, remote_id: str) -> Observed | None:
        """A person's."""
        self._refuse(Verb.OBSERVE)

    async def find(self, tag: Tag, spec: Spec) -> tuple[Observed, ...]:
        """A person's."""
        self._refuse(Verb.FIND)

    async def create(self, spec: Spec, tag: Tag) -> Issued:
        """A person's."""
        self._refuse(Verb.CREATE)

    async def update(self, remote_id: str, spec: Spec) -> None:
        """A person's."""
        self._refuse(Verb.UPDATE)

    async def renew(self, remote_id: str, spec: Spec, tag: Tag) -> Issued:
        """A person's."""
        self._refuse(Verb.RENEW)

    async def reveal(self, remote_id: str) -> Issued:
        """A person's."""
        self._refuse(Verb.CAPTURE)

    async def revoke(self, remote_id: str) -> None:
        """A person's."""
        self._refuse(Verb.REVOKE)

    async def verify(self, secret: Secret, spec: Spec) -> Verification:
        """Try the secret at the vendor's own endpoint: that takes no authority but the secret's."""
        return await self._trial(secret, spec)

    async def users(self) -> tuple[User, ...]:
        """Nobody that we can see."""
        return ()

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    def _refuse(self, verb: Verb) -> NoReturn:
        raise ProviderError(f"{self._name} is managed in its portal: {verb} is a person's step")
