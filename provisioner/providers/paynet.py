"""PayNet: API keys that can be revealed, renewed in place, and wait for approval in production.

The vendor documents its token endpoint, and a portal screen for the keys; for the latter this speaks the
contract that we publish (`schemas/contracts/paynet.openapi.yaml`). Gaps of the document that we filled,
marked `ours`: a renewal keeps the client id and replaces the secret in place (PN7); it and a deletion end
the key's access tokens at once; a label that need not be unique, in which our tag stands; scopes beyond
`rpp:merchant`; a key that waits or was denied answers `unauthorized_client` at the token endpoint, and its
status tells which; keys of the test environment do not survive a refresh; and a new or deleted key is
settled within two seconds.
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
from provisioner.core.model import JsonObject, JsonValue, Kind, Listing, Observed, RemoteStatus, Tag, Via
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Issued, Outcome, Provider, Spec, User, Verification
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError
from provisioner.providers.adapter import Adapter
from provisioner.providers.answers import absent, called, issued, latest, moment, present, tag, text, texts
from provisioner.providers.collection import Collection
from provisioner.providers.oauth import CLIENT, ask_for_token, compared, token_route, unexpected
from provisioner.providers.portal import Portal, by_hand
from provisioner.providers.route import Route, Safety
from provisioner.resources import schema

if TYPE_CHECKING:
    from provisioner.providers.http import Http

_PATH = "developer/v1/keys"
_REVEAL = Route("GET", "developer/v1/keys/{id}/secret", Safety.READ, quotable=False)
_RENEW = Route("POST", "developer/v1/keys/{id}/renew", Safety.ONCE, quotable=False)
_TOKEN = token_route("auth/token")

_MOMENTS = ("renewed_at", "created_at")
"""When the present secret was issued: the later first, which a key has that was renewed."""

_STATUSES = {
    "active": RemoteStatus.LIVE,
    "pending": RemoteStatus.WAITING,  # PN2
    "denied": RemoteStatus.DENIED,  # PN2
}

_UNAUTHORISED = {
    RemoteStatus.WAITING: (Outcome.WAITING, "waits for the vendor's approval (PN2)"),
    RemoteStatus.DENIED: (Outcome.DENIED, "the vendor denied production access (PN2)"),
    # Approved between the two questions: the next try of the secret will show it.
    RemoteStatus.LIVE: (Outcome.WAITING, "approved this moment"),
}
"""What `unauthorized_client` means, by the key's status."""

RULES = (
    Rule("PN1", "registering gives a client id and secret for the Development environment", "document"),
    Rule(
        "PN2",
        "production keys are generated at once, but work only once approved; approved or denied",
        "document",
    ),
    Rule("PN3", "a key can be created, renewed and revoked; a revoke deletes at once, for good", "document"),
    Rule("PN4", "the secret can be revealed again", "document"),
    Rule("PN5", "token: POST /auth/token by client credentials; it lasts 86400 seconds", "document"),
    Rule("PN6", "API calls carry the bearer token; the application renews an expired one", "document"),
    Rule("PN7", "renew keeps the client id and replaces the secret in place", "ours"),
)

API = Capabilities(
    secret=SecretAccess.RETRIEVABLE,  # PN4
    identity=Identity.LABEL,
    renew=Renewal.IN_PLACE,  # PN7
    observe=Observe.LIST,
    approval=frozenset({Kind.PRODUCTION}),  # PN2
    consistency=2.0,
    sessions=Sessions.DIE,
)

_SCREEN = "PayNet Developer Portal > API Keys"
_MENU = "Click the three dots next to the key {remote_id}, then "
_REVEAL_IT = 'Click "Reveal" next to it, and copy its Client ID and Client Secret.'

SCREENS = {
    Verb.CREATE: Screen(
        _SCREEN,
        (
            'Click "+ Create API Key".',
            "{fields}",
            "Where the portal has a field for a label, write {tag}.",
            'Click "Confirm". The new key is listed.',
            _REVEAL_IT,
        ),
        CLIENT,
        remote_id="client_id",
    ),
    Verb.CAPTURE: Screen(_SCREEN, ("Find the key {remote_id}.", _REVEAL_IT), CLIENT, remote_id="client_id"),
    Verb.UPDATE: Screen(
        _SCREEN, ("Find the key {remote_id}.", "{fields}", "Save, where the portal keeps that of a key.")
    ),
    Verb.RENEW: Screen(
        _SCREEN,
        (_MENU + '"Renew".', 'Click "Confirm": the present secret ends at once.', _REVEAL_IT),
        CLIENT,
        remote_id="client_id",
    ),
    Verb.REVOKE: Screen(_SCREEN, (_MENU + '"Revoke".', 'Click "Confirm": this cannot be undone.')),
}

_log = logging.getLogger(__name__)


class PayNet:
    """PayNet in one environment, over its API. Fulfils `core.provider.Provider`."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._keys = Collection(http, _PATH, _observed)

    async def observe(self) -> Listing:
        """Every key of this tenant."""
        return await self._keys.observe()

    async def get(self, remote_id: str) -> Observed | None:
        """One key, without its secret."""
        return await self._keys.get(remote_id)

    async def find(self, tag: Tag, spec: Spec) -> tuple[Observed, ...]:
        """Those whose label is this tag; the spec tells nothing more here."""
        return await self._keys.find(tag)

    async def create(self, spec: Spec, tag: Tag) -> Issued:
        """ "Create API Key": made at once in either environment (PN1, PN2)."""
        body = {"label": str(tag), "scopes": list(spec.fields["scopes"]), **_writable(spec.fields)}
        return await self._keys.create(body, CLIENT, *_MOMENTS)

    async def update(self, remote_id: str, spec: Spec) -> None:
        """Set the description, or clear it where none is declared; other scopes take a new key."""
        await self._keys.update(remote_id, _writable(spec.fields))

    async def renew(self, remote_id: str, spec: Spec, tag: Tag) -> Issued:
        """ "Renew": the same client id, another secret; the old one is dead at once (PN3, PN7).

        The tag is written only after the renewal, so that finding it proves the renewal. Where it cannot be
        written the secret is handed out all the same: losing it would be worse than an older tag, which
        still says whose the key is, and at worst lets a recovery renew once more.
        """
        renewed = await self._http.send(_RENEW, issued(CLIENT, *_MOMENTS), id=remote_id)
        try:
            await self._keys.update(remote_id, {"label": str(tag)})
        except ProviderError as error:
            _log.warning("%s was renewed, but keeps its older tag: %s", spec.address, error)
        return renewed

    async def reveal(self, remote_id: str) -> Issued:
        """ "Reveal" (PN4)."""
        return await self._http.send(_REVEAL, issued(CLIENT), id=remote_id)

    async def revoke(self, remote_id: str) -> None:
        """Delete, for good (PN3); one that is gone is fine, where the vendor is the one that says so."""
        await self._keys.revoke(remote_id)

    async def verify(self, secret: Secret, spec: Spec) -> Verification:
        """Get an access token with it, and compare the scopes (PN5)."""
        seen = await _trial(self._http, secret, spec)
        return await self._unauthorised(secret) if seen.outcome is Outcome.WAITING else seen

    async def _unauthorised(self, secret: Secret) -> Verification:
        """The token endpoint does not say whether a key waits or was denied; its status does (PN2)."""
        for client_id, status in await self._keys.everything(_client_status):
            if client_id == secret.reveal("client_id"):
                outcome, detail = _UNAUTHORISED[status]
                return Verification(outcome, detail=detail)
        return Verification(Outcome.REJECTED, detail="unauthorized_client")

    async def users(self) -> tuple[User, ...]:
        """PayNet links keys to no users."""
        return ()

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()


async def _trial(http: Http, secret: Secret, spec: Spec) -> Verification:
    """What the token endpoint tells (PN5); a key that it does not let in may wait, or was denied (PN2)."""
    grant = await ask_for_token(http, _TOKEN, secret)
    if grant.error == "invalid_client":
        return Verification(Outcome.REJECTED, detail=grant.error)
    if grant.error == "unauthorized_client":
        return Verification(Outcome.WAITING, detail="waits for the vendor's approval, or was denied (PN2)")
    if grant.status >= 400:
        raise unexpected("paynet", grant)
    asked = frozenset(spec.fields.get("scopes", ()))
    return Verification(Outcome.WORKS, grant.scopes, compared(grant.scopes, asked))


def _writable(fields: JsonObject) -> JsonObject:
    return {"description": fields.get("description")}


def _observed(body: JsonValue) -> Observed:
    return Observed(
        remote_id=text(body, "id"),
        status=_STATUSES[text(body, "status")],
        fields=present(description=body["description"], scopes=texts(body, "scopes")),
        tag=tag(body, "label"),
        name=called(body, "label"),
        created_at=moment(body, "created_at"),
        issued_at=latest(body, *_MOMENTS),
        unset=absent(description=body["description"]),
    )


def _client_status(body: JsonValue) -> tuple[str, RemoteStatus]:
    return text(body, "client_id"), _STATUSES[text(body, "status")]


def _open(config: ProviderConfig, http: Http) -> Provider:
    if config.via is Via.PORTAL:
        return Portal("paynet", http, lambda secret, spec: _trial(http, secret, spec))
    return PayNet(http)


PROVIDER = Adapter(
    Declaration(
        name="paynet",
        title="PayNet",
        schema=schema("providers/paynet"),
        parts=CLIENT,
        capabilities={Via.API: API, Via.PORTAL: by_hand(API)},
        rules=RULES,
        screens=SCREENS,
    ),
    _open,
)
