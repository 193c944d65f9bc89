"""OAuth 2.0 clients, registered by RFC 7591 and managed by RFC 7592, at any authorization server.

A client is managed with a registration access token of its own, which its server may replace with every
answer. So it is one more part of the client's secret, sealed with it and never delivered: get, update and
revoke take it from a keyring (`core.provider.Keyring`), and keep what replaces it before they look at the
rest of the answer. Where that cannot be kept, or the answer was lost on its way, the client lives on and
cannot be managed: that is told as such, and never taken for its end.

Gaps of the RFCs that we filled, marked `ours`: no server lists or finds clients, so a registration whose
answer was lost is `unknown`; planning reads nothing, since a read may replace the token; a 401 alone does not
prove that a client is gone; `implied_scopes` under `options` names the scopes that a server adds to every
client; access tokens may outlive their client by an hour; and a new or deleted client is settled within two
seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provisioner.core.capabilities import (
    Capabilities,
    Declaration,
    Identity,
    Observe,
    Renewal,
    Rule,
    SecretAccess,
    Sessions,
)
from provisioner.core.model import Listing, Observed, RemoteStatus, Tag, Via
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Issued, Keyring, Provider, Spec, User, Verification
from provisioner.core.secret import Secret
from provisioner.errors import NotAuthorised, OutcomeUnknown, ProviderError, VendorRejected
from provisioner.providers import oauth2_metadata as metadata
from provisioner.providers.adapter import Adapter
from provisioner.providers.answers import GONE
from provisioner.providers.oauth import CLIENT
from provisioner.providers.oauth2_discovery import Discovery, is_url
from provisioner.providers.oauth2_held import Held
from provisioner.providers.oauth2_registration import TOKEN, URI, Registration, expires_at, issued, reader
from provisioner.providers.oauth2_trial import Trial
from provisioner.providers.route import Elsewhere, Route, Safety
from provisioner.resources import schema

if TYPE_CHECKING:
    from provisioner.providers.http import Http

_UNKNOWN = GONE | {401}
"""How a server says that it does not know this client, or not this token (RFC 7592 §2.1, §2.3)."""

_REGISTER = Route("POST", "(registration_endpoint)", Safety.ONCE)
_READ = Route("GET", "(registration_client_uri)", Safety.READ, accept=_UNKNOWN, quotable=False)
_UPDATE = Route("PUT", "(registration_client_uri)", Safety.IDEMPOTENT)
_DELETE = Route("DELETE", "(registration_client_uri)", Safety.IDEMPOTENT, accept=_UNKNOWN, body=False)

_OPTIONS = frozenset({"implied_scopes"})

RULES = (
    Rule("OA1", "a client is registered by POST, with our initial access token", "RFC 7591 §3"),
    Rule("OA2", "the answer brings client id, secret and when that expires, 0 for never", "RFC 7591 §3.2.1"),
    Rule(
        "OA3", "a server may register otherwise than asked; access that differs is refused", "RFC 7591 §3.2.1"
    ),
    Rule(
        "OA4", "any read or update may replace token and secret: kept before all else", "RFC 7592 §2.1, §2.2"
    ),
    Rule(
        "OA5",
        "an update sends all metadata, with the client id, without what only servers set",
        "RFC 7592 §2.2",
    ),
    Rule("OA6", "deleting ends a client and its token, which then answers 401", "RFC 7592 §2.3"),
    Rule("OA7", "endpoints come from metadata that names the very same issuer", "RFC 8414 §3"),
    Rule("OA8", "a secret is tried by client credentials, in Basic or in the form", "RFC 6749 §2.3.1, §4.4"),
    Rule("OA9", "our tag is software_id and software_version, but no server finds by them", "ours"),
    Rule("OA10", "renewal is a new client beside the old one", "ours"),
    Rule("OA11", "planning reads no client, since that may replace its token", "ours"),
    Rule("OA12", "a client is gone when the token endpoint does not know it either", "ours"),
    Rule("OA13", "implied_scopes are not counted where they were not asked for", "ours"),
)

API = Capabilities(
    secret=SecretAccess.ONCE,  # a read may show it, but takes a token that is sealed together with it
    identity=Identity.NONE,  # OA9
    renew=Renewal.OVERLAP,  # OA10
    observe=Observe.GET,
    consistency=2.0,
    sessions=Sessions.OUTLIVE,  # RFC 7592 §2.3 asks to end them, and self-contained ones cannot be ended
    session_lifetime=3600.0,
)


class OAuth2:
    """One authorization server. Fulfils `core.provider.Provider` and `core.provider.KeepsSecrets`."""

    def __init__(self, config: ProviderConfig, http: Http) -> None:
        self._name = f"{config.provider} in {config.environment}"
        self._implied = _implied_scopes(config)
        self._http = http
        self._discovery = Discovery(config, http)
        self._trial = Trial(self._discovery, http)
        self._held = Held()

    def lend(self, keyring: Keyring) -> None:
        """Where registration access tokens are, and where those go that replace them (OA4)."""
        self._held.lend(keyring)

    async def observe(self) -> Listing:
        """Nothing: no RFC lists clients, and a plan must not spend tokens (OA11)."""
        return Listing(unseen="RFC 7592 lists no clients, and to read one may replace its token")

    async def get(self, remote_id: str) -> Observed | None:
        """One client; None once it is proved gone (OA12). What the answer replaces is kept first."""
        async with self._held.turn(remote_id):
            found = await self._read(remote_id)
        return None if found is None else self._understood(found)

    async def find(self, tag: Tag, spec: Spec) -> tuple[Observed, ...]:
        """Nothing: clients cannot be searched (OA9)."""
        return ()

    async def create(self, spec: Spec, tag: Tag) -> Issued:
        """Register a client (OA1). What is otherwise than asked shows when it is verified (OA3)."""
        endpoints = await self._discovery.endpoints()
        body = metadata.registration(spec, tag)
        made = await self._http.send(_REGISTER, reader(), json=body, at=Elsewhere(endpoints.registration))
        answer = _certain(made).issued()
        self._held.remember(answer)
        return answer

    async def update(self, remote_id: str, spec: Spec) -> None:
        """Read all metadata, and send it back with what the spec wants in it (OA5).

        Raises ProviderError where the server then holds other access than that (OA3).
        """
        async with self._held.turn(remote_id):
            before = await self._read(remote_id)
            if before is None:
                raise VendorRejected(
                    f"{self._name}: client {remote_id} is not there any more",
                    status=404,
                    remedy="renew it: a new client takes its place",
                )
            body = metadata.changed(before.metadata, spec)
            place = self._place(remote_id, await self._held.secret_of(remote_id))
            answer = _certain(await self._http.send(_UPDATE, reader(remote_id), json=body, at=place))
            await self._keep(answer)
        self._check(spec, answer)

    async def renew(self, remote_id: str, spec: Spec, tag: Tag) -> Issued:
        """Clients are not renewed in place (OA10)."""
        raise ProviderError("oauth2 renews by a new client beside the old one, never in place (OA10)")

    async def reveal(self, remote_id: str) -> Issued:
        """A server need not show a secret again, and to ask takes a token that is sealed with it."""
        raise ProviderError("oauth2 shows a secret once (OA2)", remedy="renew the credential")

    async def revoke(self, remote_id: str) -> None:
        """Delete the client (OA6); one that is proved gone is fine (OA12)."""
        async with self._held.turn(remote_id):
            secret = await self._held.secret_of(remote_id)
            place = self._place(remote_id, secret)
            status = await self._http.send(_DELETE, lambda status, _: status, at=place)
            if status in _UNKNOWN:
                await self._prove_gone(remote_id, secret)

    async def verify(self, secret: Secret, spec: Spec) -> Verification:
        """Get an access token with it (OA8), and compare what was registered (OA3). Replaces no token."""
        return await self._trial.verification(secret, spec, self._implied)

    async def users(self) -> tuple[User, ...]:
        """OAuth clients are linked to no users."""
        return ()

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def _read(self, client_id: str) -> Registration | None:
        """What the server shows, with its secrets kept; None for a client that is proved gone."""
        self._held.must_keep(client_id)
        secret = await self._held.secret_of(client_id)
        place = self._place(client_id, secret)
        found = await self._http.send(_READ, reader(client_id, absent=_UNKNOWN), at=place)
        if found is None:
            await self._prove_gone(client_id, secret)
            return None
        await self._keep(found)
        return found

    async def _keep(self, answer: Registration) -> None:
        before = await self._held.secret_of(answer.client_id)
        await self._held.replace(issued(answer.client_id, answer.over(before)))

    def _place(self, client_id: str, secret: Secret) -> Elsewhere:
        """Where this client is managed, with its own token."""
        if TOKEN not in secret or not is_url(secret.reveal(URI) if URI in secret else None):
            raise ProviderError(
                f"{self._name} gave client {client_id} no registration access token (RFC 7592 §3)",
                remedy="manage this client at the server itself",
            )
        return Elsewhere(secret.reveal(URI), _bearer(secret))

    async def _prove_gone(self, client_id: str, secret: Secret) -> None:
        """A token that is not accepted may only have been replaced: the token endpoint decides (OA12)."""
        if await self._trial.is_stranger(secret):
            return
        raise NotAuthorised(
            f"{self._name} does not accept the registration access token of client {client_id},"
            " and the client is not proved gone",
            status=401,
            remedy="renew the credential, and delete this client at the server itself",
        )

    def _check(self, spec: Spec, answer: Registration) -> None:
        unmet = metadata.unmet(spec, answer.metadata, self._implied)
        if unmet:
            raise ProviderError(
                f"{self._name} was asked to change client {answer.client_id}, but holds otherwise:"
                f" {'; '.join(unmet.values())}",
                remedy="look at what the server allows, and declare that",
            )

    def _understood(self, found: Registration) -> Observed:
        shown = found.metadata
        since = shown.get("client_id_issued_at")
        return Observed(
            remote_id=found.client_id,
            status=RemoteStatus.LIVE,
            fields=metadata.fields_of(shown),
            tag=metadata.tag_of(shown),
            created_at=datetime.fromtimestamp(since, UTC) if isinstance(since, int) else None,
            expires_at=expires_at(found.secret),
        )


def _certain(answer: Registration | None) -> Registration:
    if answer is None:  # its route accepts no status for which the reader gives none
        raise OutcomeUnknown("oauth2: the vendor gave no answer")
    return answer


def _bearer(secret: Secret) -> Secret:
    return Secret({"authorization": f"Bearer {secret.reveal(TOKEN)}"})


def _implied_scopes(config: ProviderConfig) -> frozenset[str]:
    given = config.options.get("implied_scopes", [])
    if config.options.keys() - _OPTIONS or not isinstance(given, list):
        raise ProviderError(
            "it has options that it does not know",
            where=config.where,
            remedy="the only one is `implied_scopes`, a list of scopes",
        )
    return frozenset(map(str, given))


def _open(config: ProviderConfig, http: Http) -> Provider:
    return OAuth2(config, http)


PROVIDER = Adapter(
    Declaration(
        name="oauth2",
        title="OAuth 2.0",
        schema=schema("providers/oauth2"),
        parts=CLIENT,
        capabilities={Via.API: API},
        rules=RULES,
    ),
    _open,
)
