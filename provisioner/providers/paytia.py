"""Paytia: an API key with its tokens, shown once, and restricted to addresses where that is asked for.

The vendor documents a portal screen and, for callers, `POST /api/authorize`; for the keys this speaks the
contract that we publish (`schemas/contracts/paytia.openapi.yaml`). Gaps of the document that we filled,
marked `ours`: one credential is the whole bundle of API key and tokens (PY9); a label that need not be
unique, in which our tag stands; deleting as the way to revoke, at once for all tokens; that API key and
tokens are shown once; that a key says when its tokens were generated, by which tokens of somebody else
show; keys of the test environment do not survive a refresh; and a new or deleted key is settled within two
seconds.

Trying a bundle is the document's own pre-authorization (PY6), which spends nothing of it (PY8) and leaves
the key pre-authorized for the rest of its access token's hour. It cannot always tell:

- The access token lasts one hour (PY5). A refusal afterwards proves nothing about the rest of the bundle,
  and asking for another token would spend the refresh token; so it is `inconclusive` once that hour may be
  over.
- A key with allowed addresses (PY2) can only be tried from there. A refusal of the address (403) comes
  after the API key was recognised, so it counts as working, in words that say how little was tried.
"""

from __future__ import annotations

from datetime import datetime, timedelta
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
from provisioner.errors import OutcomeUnknown, ProviderError
from provisioner.providers.adapter import Adapter
from provisioner.providers.answers import absent, called, issued, latest, moment, networks, present, tag, text
from provisioner.providers.collection import Collection
from provisioner.providers.paytia_trial import attempt
from provisioner.providers.portal import Portal, by_hand
from provisioner.providers.route import Route, Safety
from provisioner.resources import schema

if TYPE_CHECKING:
    from provisioner.providers.http import Http

_KEY = ("api_key",)
_TOKENS = ("client_id", "client_secret", "access_token", "refresh_token")
PARTS = (*_KEY, *_TOKENS)
"""The parts of the bundle (PY9), in the order in which the document has a person meet them."""
_MOMENT = "tokens_generated_at"

_PATH = "admin/v1/api-keys"
# Asked again it replaces what it gave before: a second answer is as good as the first.
_GENERATE = Route("POST", f"{_PATH}/{{id}}/tokens", Safety.IDEMPOTENT, quotable=False)
_ACCESS_TOKEN_LASTS = timedelta(hours=1)  # PY5
_CLOCKS_DIFFER = timedelta(minutes=1)

RULES = (
    Rule("PY1", "an API key is generated at Account Security > API Secret Key and listed there", "document"),
    Rule("PY2", "a key can be restricted to the IP addresses of the calling server", "document"),
    Rule("PY3", "webhook output format: single JSON, or multiple JSON for Worldpay Corporate", "document"),
    Rule("PY4", "settings take effect on Save", "document"),
    Rule(
        "PY5",
        "Generate Tokens gives client id, client secret, access token (one hour) and refresh token",
        "document",
    ),
    Rule("PY6", "Enhance Security: requests are pre-authorized by POST /api/authorize", "document"),
    Rule("PY7", "a refresh gives a new access and a new refresh token; the old one is spent", "document"),
    Rule("PY8", "verifying never spends a delivered refresh token", "ours"),
    Rule(
        "PY9",
        "one credential is the whole bundle; it is renewed by a new key beside the old one; "
        "a key says when its tokens were generated",
        "ours",
    ),
)

API = Capabilities(
    secret=SecretAccess.ONCE,  # PY9
    identity=Identity.LABEL,
    renew=Renewal.OVERLAP,  # PY9
    observe=Observe.LIST,  # PY1
    consistency=2.0,
    sessions=Sessions.DIE,
)

_SCREEN = "Account Security > API Secret Key"

SCREENS = {
    Verb.CREATE: Screen(
        _SCREEN,
        (
            'Click "Generate API Key", and copy the API key from the list.',
            "{fields}",
            "Where the screen has a field for a label, write {tag}.",
            'Click "Save".',
            'Click "Generate Tokens" under "Action" for this key, and copy Client ID, Client Secret,'
            " Access Token and Refresh Token.",
        ),
        PARTS,
        remote_id="client_id",
    ),
    Verb.UPDATE: Screen(
        _SCREEN, ("Find the API key with the Client ID {remote_id}.", "{fields}", 'Click "Save".')
    ),
    Verb.REVOKE: Screen(_SCREEN, ("Delete the API key with the Client ID {remote_id}.",)),
}


class Paytia:
    """Paytia in one environment, over its API. Fulfils `core.provider.Provider`."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._keys = Collection(http, _PATH, _observed)

    async def observe(self) -> Listing:
        """Every API key of this account (PY1)."""
        return await self._keys.observe()

    async def get(self, remote_id: str) -> Observed | None:
        """One key, without anything of its bundle."""
        return await self._keys.get(remote_id)

    async def find(self, tag: Tag, spec: Spec) -> tuple[Observed, ...]:
        """Those whose label is this tag, with tokens or still without; the spec tells nothing more here."""
        return await self._keys.find(tag)

    async def create(self, spec: Spec, tag: Tag) -> Issued:
        """ "Generate API Key", then "Generate Tokens" (PY1, PY5).

        A key that gets no tokens is removed again. Where that fails too, or nobody can tell, it is
        OutcomeUnknown: what is there is found by its label, and its API key was seen by nobody.
        """
        made = await self._keys.create({"label": str(tag), **_writable(spec.fields)}, _KEY)
        rest = await self._generate(made.remote_id)
        if isinstance(rest, Issued):
            return Issued(made.remote_id, _bundle(made.secret, rest.secret), issued_at=rest.issued_at)
        if isinstance(rest, OutcomeUnknown) or not await self._removed(made.remote_id):
            raise OutcomeUnknown(
                f"an API key was made, and got no tokens: {rest.message}",
                remedy="plan again: it finds out",
            )
        raise rest

    async def update(self, remote_id: str, spec: Spec) -> None:
        """ "Save" (PY4): every field of the screen; one that is not declared goes back to its default."""
        await self._keys.update(remote_id, _writable(spec.fields))

    async def renew(self, remote_id: str, spec: Spec, tag: Tag) -> Issued:
        """Paytia cannot renew in place: a new key stands beside the old one (PY9)."""
        raise ProviderError("paytia renews by a new key beside the old one, never in place (PY9)")

    async def reveal(self, remote_id: str) -> Issued:
        """Paytia shows a bundle once (PY9)."""
        raise ProviderError("paytia never shows a bundle again (PY9)", remedy="renew the credential")

    async def revoke(self, remote_id: str) -> None:
        """Delete the key and all its tokens; one that is gone is fine."""
        await self._keys.revoke(remote_id)

    async def verify(self, secret: Secret, spec: Spec) -> Verification:
        """Pre-authorize with it (PY6, PY8), and look at the key where that does not tell."""
        seen = await attempt(self._http, secret, spec)
        if seen.outcome is Outcome.WORKS and not seen.detail:
            return seen
        generated = await self._generated_at(secret)
        if generated is None:
            return Verification(Outcome.REJECTED, detail="no key of this account has this client id")
        if seen.outcome is not Outcome.INCONCLUSIVE or self._may_be_over(generated):
            return seen
        return Verification(Outcome.REJECTED, detail="refused within the hour of its access token")

    async def users(self) -> tuple[User, ...]:
        """Paytia links keys to no users."""
        return ()

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def _generate(self, remote_id: str) -> Issued | ProviderError:
        try:
            return await self._http.send(_GENERATE, issued(_TOKENS, _MOMENT), id=remote_id)
        except ProviderError as error:
            return error

    async def _removed(self, remote_id: str) -> bool:
        try:
            await self._keys.revoke(remote_id)
        except ProviderError:
            return False  # what stopped the tokens is the news; that the key is still there follows from it
        return True

    async def _generated_at(self, secret: Secret) -> datetime | None:
        """When the tokens of this client were generated; None where there is no such client (any more)."""
        clients = dict(await self._keys.everything(_client_tokens))
        return clients.get(secret.reveal("client_id"))

    def _may_be_over(self, generated: datetime) -> bool:
        return self._http.now() >= generated + _ACCESS_TOKEN_LASTS - _CLOCKS_DIFFER


def _bundle(key: Secret, tokens: Secret) -> Secret:
    return Secret({part: one.reveal(part) for one in (key, tokens) for part in one})


def _writable(fields: JsonObject) -> JsonObject:
    settings: JsonObject = fields.get("settings", {})
    return {
        "description": fields.get("description"),
        "allow_ips": list(fields.get("allow_ips", ())),
        "webhook_format": settings.get("webhook_format", "single"),
        "enhance_security": settings.get("enhance_security", False),
    }


def _observed(body: JsonValue) -> Observed:
    enhanced = body["enhance_security"]
    if not isinstance(enhanced, bool):
        raise ValueError("enhance_security")
    return Observed(
        remote_id=text(body, "id"),
        status=RemoteStatus.LIVE,  # a deleted key is not shown any more
        fields=present(
            description=body["description"],
            allow_ips=networks(body, "allow_ips"),
            settings={"webhook_format": text(body, "webhook_format"), "enhance_security": enhanced},
        ),
        tag=tag(body, "label"),
        name=called(body, "label"),
        created_at=moment(body, "created_at"),
        issued_at=latest(body, _MOMENT),
        unset=absent(description=body["description"]),
    )


def _client_tokens(body: JsonValue) -> tuple[str | None, datetime | None]:
    if body["tokens_generated_at"] is None:
        return None, None
    return text(body, "client_id"), moment(body, "tokens_generated_at")


def _open(config: ProviderConfig, http: Http) -> Provider:
    if config.via is Via.PORTAL:
        return Portal("paytia", http, lambda secret, spec: attempt(http, secret, spec))
    return Paytia(http)


PROVIDER = Adapter(
    Declaration(
        name="paytia",
        title="Paytia",
        schema=schema("providers/paytia"),
        parts=PARTS,
        capabilities={Via.API: API, Via.PORTAL: by_hand(API)},
        rules=RULES,
        screens=SCREENS,
    ),
    _open,
)
