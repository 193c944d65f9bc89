"""PaySpace: API credentials whose id and secret are shown once.

The vendor documents a portal screen, not an API behind it, so this speaks the contract that we publish
(`schemas/contracts/payspace.openapi.yaml`). Gaps of the document that we filled, marked `ours`:
the two scopes and the OAuth client credentials token (PS8); deleting as the way to revoke, at once for
access tokens as well (PS8); a label that need not be unique, in which our tag stands; `read-only` without a
linked user; that a role binds data and never the scope, so a user whose role allows anything can be linked
with either scope; and that a new or deleted credential is settled within two seconds.
"""

from __future__ import annotations

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
from provisioner.core.model import JsonObject, JsonValue, Listing, Observed, RemoteStatus, Tag, Via
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Issued, Outcome, Provider, Spec, User, Verification
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError
from provisioner.providers.adapter import Adapter
from provisioner.providers.answers import absent, called, moment, present, tag, text
from provisioner.providers.collection import Collection
from provisioner.providers.oauth import CLIENT, ask_for_token, compared, token_route, unexpected
from provisioner.providers.portal import Portal, by_hand
from provisioner.providers.route import Route, Safety
from provisioner.resources import schema

if TYPE_CHECKING:
    from provisioner.providers.http import Http

_PATH = "api/v1/credentials"
_USERS = Route("GET", "api/v1/users", Safety.READ)
_TOKEN = token_route("oauth/token")

_BOTH = frozenset({"full-access", "read-only"})

RULES = (
    Rule("PS1", '"+ New Credentials" makes a unique client_id and client_secret', "document"),
    Rule("PS2", "id and secret are shown once, after saving; never retrievable", "document"),
    Rule("PS3", "creating or updating data takes scope Full Access and a linked user profile", "document"),
    Rule("PS4", "the linked user's security role is enforced on API access", "document"),
    Rule("PS5", "Development Mode exists in the test environment only, and masks figures", "document"),
    Rule(
        "PS6",
        "test has its own host and the same process; its credentials survive the weekly refresh",
        "document",
    ),
    Rule("PS7", "a lost secret means a new credential: it is renewed by one beside the old one", "document"),
    Rule(
        "PS8", "scopes are full-access and read-only; OAuth client credentials; revoked by deleting", "ours"
    ),
)

API = Capabilities(
    secret=SecretAccess.ONCE,  # PS2
    identity=Identity.LABEL,
    renew=Renewal.OVERLAP,  # PS7
    observe=Observe.LIST,
    survives_refresh=True,  # PS6
    consistency=2.0,
    sessions=Sessions.DIE,  # PS8
)

_SCREEN = "Configuration > Basic Settings > General Company > Integrations > API Credentials"  # PS1

SCREENS = {
    Verb.CREATE: Screen(
        _SCREEN,
        (
            'Select "+ New Credentials".',
            "{fields}",
            "Where the screen has a field for a label, write {tag}.",
            "Save, and copy the client_id and the secret before leaving the page: they are shown this once.",
        ),
        CLIENT,
        remote_id="client_id",
    ),
    Verb.UPDATE: Screen(
        _SCREEN, ("Open the credential with the client_id {remote_id}.", "{fields}", "Save.")
    ),
    Verb.REVOKE: Screen(_SCREEN, ("Delete the credential with the client_id {remote_id}.",)),
}


class PaySpace:
    """PaySpace in one environment, over its API. Fulfils `core.provider.Provider`."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._credentials = Collection(http, _PATH, _observed)

    async def observe(self) -> Listing:
        """Every credential of this tenant."""
        return await self._credentials.observe()

    async def get(self, remote_id: str) -> Observed | None:
        """One credential, without its client id and secret (PS2)."""
        return await self._credentials.get(remote_id)

    async def find(self, tag: Tag, spec: Spec) -> tuple[Observed, ...]:
        """Those whose label is this tag; the spec tells nothing more here."""
        return await self._credentials.find(tag)

    async def create(self, spec: Spec, tag: Tag) -> Issued:
        """ "+ New Credentials": the only answer that ever holds the secret (PS1, PS2)."""
        body = {"label": str(tag), **_writable(spec.fields)}
        return await self._credentials.create(body, CLIENT)

    async def update(self, remote_id: str, spec: Spec) -> None:
        """Set every field that a person can change on the screen; one that is not declared is cleared."""
        await self._credentials.update(remote_id, _writable(spec.fields))

    async def renew(self, remote_id: str, spec: Spec, tag: Tag) -> Issued:
        """PaySpace cannot renew in place: a new credential stands beside the old one (PS7)."""
        raise ProviderError("payspace renews by a new credential beside the old one, never in place (PS7)")

    async def reveal(self, remote_id: str) -> Issued:
        """PaySpace shows a secret once (PS2)."""
        raise ProviderError("payspace never shows a secret again (PS2)", remedy="renew the credential")

    async def revoke(self, remote_id: str) -> None:
        """Delete; one that is gone is fine, where the vendor is the one that says so (PS8)."""
        await self._credentials.revoke(remote_id)

    async def verify(self, secret: Secret, spec: Spec) -> Verification:
        """Get an access token with it, and compare the scope (PS8)."""
        return await _trial(self._http, secret, spec)

    async def users(self) -> tuple[User, ...]:
        """Every user profile, with what its security role allows (PS3, PS4)."""
        return await self._http.send(_USERS, lambda status, body: tuple(_user(one) for one in body))

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()


async def _trial(http: Http, secret: Secret, spec: Spec) -> Verification:
    grant = await ask_for_token(http, _TOKEN, secret)
    if grant.error == "invalid_client":
        return Verification(Outcome.REJECTED, detail=grant.error)
    if grant.status >= 400:
        raise unexpected("payspace", grant)
    asked = frozenset(spec.fields.get("scopes", ()))
    return Verification(Outcome.WORKS, grant.scopes, compared(grant.scopes, asked))


def _writable(fields: JsonObject) -> JsonObject:
    (scope,) = fields["scopes"]
    return {
        "description": fields.get("description"),
        "scope": scope,
        "user": fields.get("user"),
        "development_mode": fields.get("settings", {}).get("development_mode", False),
    }


def _observed(body: JsonValue) -> Observed:
    mode = body["development_mode"]
    if not isinstance(mode, bool):
        raise ValueError("development_mode")
    return Observed(
        remote_id=text(body, "id"),
        status=RemoteStatus.LIVE,  # a deleted credential is not shown any more
        fields=present(
            description=body["description"],
            user=body["user"],
            scopes=[text(body, "scope")],
            settings={"development_mode": mode},
        ),
        tag=tag(body, "label"),
        name=called(body, "label"),
        created_at=moment(body, "created_at"),
        unset=absent(description=body["description"], user=body["user"]),
    )


def _user(body: JsonValue) -> User:
    permissions = body["permissions"]
    allowed = sorted(name for name, may in permissions.items() if may is True)
    denied = sorted(permissions.keys() - set(allowed))
    rights = [f"allows {', '.join(allowed)}"] * bool(allowed) + [f"denies {', '.join(denied)}"] * bool(denied)
    return User(
        id=text(body, "username"),
        active=body["active"] is True,
        scopes=_BOTH if allowed else frozenset(),
        detail=f"role {text(body, 'role')} {' and '.join(rights)}".rstrip(),
        allows=frozenset(allowed),
        denies=frozenset(denied),
    )


def _open(config: ProviderConfig, http: Http) -> Provider:
    if config.via is Via.PORTAL:
        return Portal("payspace", http, lambda secret, spec: _trial(http, secret, spec))
    return PaySpace(http)


PROVIDER = Adapter(
    Declaration(
        name="payspace",
        title="PaySpace",
        schema=schema("providers/payspace"),
        parts=CLIENT,
        capabilities={Via.API: API, Via.PORTAL: by_hand(API)},
        rules=RULES,
        screens=SCREENS,
    ),
    _open,
)
