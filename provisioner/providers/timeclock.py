"""TimeClock: one API access for each user, whose key is changed in place and signs every request.

The vendor documents three buttons of a user's profile and how requests are signed, but no paths; so this
speaks the contract that we publish (`schemas/contracts/timeclock.openapi.yaml`). Gaps of the document that
we filled, marked `ours`: the linked user is the identity of the credential (TC8); a label on each access,
in which our tag stands; that there is an API which does what the buttons do; accesses of the test
environment do not survive a refresh; and a new or ended access is settled within two seconds.

An access is told apart from a later one of the same user by the moment of its grant, so its remote id is
`USER@MOMENT`. What somebody else granted is never taken for ours, nor ended: a create says so instead.

The present key is read as the profile shows it (TC1). Signing in by PIN (TC6) gives the same key, but takes
a PIN that only its user knows, and generating one would end the one that the user signs in with.

No scopes, and nothing of an access can be changed but its key: there is nothing to update.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from provisioner.core.capabilities import (
    Capabilities,
    Declaration,
    Identity,
    Observe,
    Renewal,
    Rule,
    Screen,
    SecretAccess,
    Sessions,
    Verb,
)
from provisioner.core.model import JsonValue, Listing, Observed, RemoteStatus, Tag, Via
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Issued, Provider, Spec, User, Verification
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError, VendorRejected
from provisioner.providers.adapter import Adapter
from provisioner.providers.answers import GONE, called, latest, moment, nothing, tag, text, words
from provisioner.providers.collection import Collection
from provisioner.providers.portal import Portal, by_hand
from provisioner.providers.route import Route, Safety
from provisioner.providers.timeclock_trial import PARTS, attempt
from provisioner.resources import schema

if TYPE_CHECKING:
    from provisioner.providers.http import Http

_LIST = "admin/v1/api-access"
_ACCESS = "admin/v1/users/{id}/api-access"
_TAKEN, _FORBIDDEN = 409, 403

_GRANT = Route("POST", _ACCESS, Safety.ONCE, accept=frozenset({_FORBIDDEN, _TAKEN}))
_GET = Route("GET", _ACCESS, Safety.READ, accept=GONE)
_LABEL = Route("PATCH", _ACCESS, Safety.IDEMPOTENT, body=False)
_REVOKE = Route("DELETE", _ACCESS, Safety.IDEMPOTENT, accept=GONE, body=False)
_KEY = Route("GET", f"{_ACCESS}/key", Safety.READ, quotable=False)
_CHANGE = Route("POST", f"{_ACCESS}/change-key", Safety.ONCE, quotable=False)
_USERS = Route("GET", "admin/v1/users", Safety.READ)

RULES = (
    Rule("TC1", "a user grants API access: an identifier that never changes and a key; one each", "document"),
    Rule("TC2", "Change API key: a new random key; the previous one is no longer valid", "document"),
    Rule("TC3", "Revoke API access: access is gone and the key is removed", "document"),
    Rule("TC4", "requests are signed: Bearer IDENTIFIER:TIMESTAMP:SHA-1 of timestamp and key", "document"),
    Rule("TC5", "a timestamp more than one minute older or younger than now is rejected", "document"),
    Rule("TC6", "a user's PIN, generated in the profile, gives user id and key without a token", "document"),
    Rule("TC7", "sessions, off-times, holidays, profile and projects are asked for that way", "document"),
    Rule("TC8", "the linked user is the credential's identity: required; another is a replace", "ours"),
)

API = Capabilities(
    secret=SecretAccess.RETRIEVABLE,  # TC1, TC6
    identity=Identity.USER,  # TC8
    renew=Renewal.IN_PLACE,  # TC2
    observe=Observe.LIST,
    max_live=1,  # TC1: for one user
    consistency=2.0,
    sessions=Sessions.DIE,  # TC4: each request is signed, there are no others
)

_BACK = "Copy the API identifier and the access key, which the page shows from then on."

SCREENS = {
    Verb.CREATE: Screen(
        "Profile > Grant yourself API access",
        (
            "Sign in to TimeClock as user {user}.",
            'At the bottom of the Profile page, click the blue "Grant yourself API access".',
            "Where the page has a field for a label, write {tag}.",
            _BACK,
        ),
        PARTS,
        remote_id="identifier",
    ),
    Verb.CAPTURE: Screen(
        "Profile",
        ("Sign in to TimeClock as user {remote_id}, and open the Profile page.", _BACK),
        PARTS,
        remote_id="identifier",
    ),
    Verb.RENEW: Screen(
        "Profile > Change API key",
        (
            "Sign in to TimeClock as user {remote_id}.",
            'On the Profile page, click the yellow "Change API key": the previous key ends at once.',
            _BACK,
        ),
        PARTS,
        remote_id="identifier",
    ),
    Verb.REVOKE: Screen(
        "Profile > Revoke API access",
        (
            "Sign in to TimeClock as user {remote_id}.",
            'On the Profile page, click the red "Revoke API access".',
        ),
    ),
}

_log = logging.getLogger(__name__)


class TimeClock:
    """TimeClock in one environment, over its API. Fulfils `core.provider.Provider`."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._accesses = Collection(http, _LIST, _observed)

    async def observe(self) -> Listing:
        """Every access of this tenant."""
        return await self._accesses.observe()

    async def get(self, remote_id: str) -> Observed | None:
        """One access, without its key; None where its user has none, or one of another grant."""
        found = await self._of(_user_of(remote_id))
        return found if found is not None and found.remote_id == remote_id else None

    async def find(self, tag: Tag, spec: Spec) -> tuple[Observed, ...]:
        """The access of the spec's user (TC8), if it carries this tag: another's is not ours."""
        found = await self._of(str(spec.fields["user"]))
        return (found,) if found is not None and found.tag == tag else ()

    async def create(self, spec: Spec, tag: Tag) -> Issued:
        """ "Grant yourself API access" (TC1). Raises VendorRejected where the user has it already.

        One that carries this very tag is of a first attempt that was thought lost: that one is it.
        """
        user = str(spec.fields["user"])
        made = await self._http.send(_GRANT, _granted, id=user, json={"label": str(tag)})
        if isinstance(made, Issued):
            return made
        status, said = made
        if status == _TAKEN:
            found = await self._of(user)
            if found is None or found.tag != tag:
                raise _taken(user, found)
            return await self.reveal(found.remote_id)
        raise VendorRejected(f"timeclock does not grant user {user} API access: {said}", status=status)

    async def update(self, remote_id: str, spec: Spec) -> None:
        """Nothing of an access can be changed: another user takes another one (TC8)."""
        if await self.get(remote_id) is None:
            raise VendorRejected(f"timeclock has no API access {remote_id}", status=404)

    async def renew(self, remote_id: str, spec: Spec, tag: Tag) -> Issued:
        """ "Change API key": the same identifier, another key; the old one is dead at once (TC2).

        The tag is written only after that. Where it cannot be written the key is handed out all the same:
        losing it would be worse than an older tag, which still says whose the access is.
        """
        await self._require(remote_id)
        user = _user_of(remote_id)
        renewed = await self._http.send(_CHANGE, _with_key, id=user)
        try:
            await self._http.send(_LABEL, nothing, id=user, json={"label": str(tag)})
        except ProviderError as error:
            _log.warning("%s was renewed, but keeps its older tag: %s", spec.address, error)
        return renewed

    async def reveal(self, remote_id: str) -> Issued:
        """Identifier and key, as the profile shows them (TC1)."""
        await self._require(remote_id)
        return Issued(remote_id, await self._http.send(_KEY, _pair, id=_user_of(remote_id)))

    async def revoke(self, remote_id: str) -> None:
        """ "Revoke API access" (TC3). One that is gone is fine; a later grant of that user stays."""
        if await self.get(remote_id) is None:
            return
        status = await self._http.send(_REVOKE, lambda status, _: status, id=_user_of(remote_id))
        if status in GONE:
            await self._accesses.confirm()

    async def verify(self, secret: Secret, spec: Spec) -> Verification:
        """Ask for the user's own profile, signed with the key (TC4, TC7)."""
        return await attempt(self._http, secret, spec)

    async def users(self) -> tuple[User, ...]:
        """Everybody who can be granted an access; it may do what its user may."""
        return await self._http.send(_USERS, lambda status, body: tuple(_user(one) for one in body))

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def _of(self, user: str) -> Observed | None:
        """The access of this user, whoever granted it."""
        found = await self._http.send(_GET, _unless_gone, id=user)
        if found is None:
            await self._accesses.confirm()
        return found

    async def _require(self, remote_id: str) -> None:
        """Raise VendorRejected where the access of this grant is gone: a later one is somebody else's."""
        if await self.get(remote_id) is None:
            raise VendorRejected(f"timeclock has no API access {remote_id} any more", status=404)


def _taken(user: str, found: Observed | None) -> VendorRejected:
    if found is not None and found.tag is not None:
        return VendorRejected(
            f"timeclock: user {user} has API access already, granted by provision for {found.tag.address}",
            status=_TAKEN,
            remedy="there is one for each user (TC1): link another user, or import it, or revoke it",
        )
    return VendorRejected(
        f"timeclock: user {user} has API access that provision did not grant",
        status=_TAKEN,
        remedy="import it, or revoke it",
    )


def _user_of(remote_id: str) -> str:
    """The user whose access it is: the part before the moment of the grant."""
    return remote_id.partition("@")[0]


def _granted(status: int, body: JsonValue) -> Issued | tuple[int, str]:
    return (status, words(body)) if status in {_FORBIDDEN, _TAKEN} else _with_key(status, body)


def _with_key(_status: int, body: JsonValue) -> Issued:
    made = _observed(body)
    return Issued(made.remote_id, _pair(_status, body), issued_at=made.issued_at)


def _pair(_status: int, body: JsonValue) -> Secret:
    return Secret({"identifier": str(int(body["identifier"])), "key": text(body, "key")})


def _unless_gone(status: int, body: JsonValue) -> Observed | None:
    return None if status in GONE else _observed(body)


def _observed(body: JsonValue) -> Observed:
    user = body["user_id"]
    if not isinstance(user, int):
        raise ValueError("user_id")
    return Observed(
        remote_id=f"{user}@{text(body, 'created_at')}",
        status=RemoteStatus.LIVE,  # an access that was revoked is not shown any more
        fields={"user": user},
        tag=tag(body, "label"),
        name=called(body, "label"),
        created_at=moment(body, "created_at"),
        issued_at=latest(body, "key_changed_at", "created_at"),
    )


def _user(body: JsonValue) -> User:
    has = "has API access" if body["api_access"] is True else "no API access yet"
    return User(id=int(body["id"]), active=body["active"] is True, detail=f"{text(body, 'name')}, {has}")


def _open(config: ProviderConfig, http: Http) -> Provider:
    if config.via is Via.PORTAL:
        return Portal("timeclock", http, lambda secret, spec: attempt(http, secret, spec))
    return TimeClock(http)


PROVIDER = Adapter(
    Declaration(
        name="timeclock",
        title="TimeClock",
        schema=schema("providers/timeclock"),
        parts=PARTS,
        capabilities={Via.API: API, Via.PORTAL: by_hand(API)},
        rules=RULES,
        screens=SCREENS,
    ),
    _open,
)
