"""FPay: AuthAccess objects, which an API creates, and whose secret key and end only its console knows.

The vendor documents the object and its operations; their paths are the contract's that we publish
(`schemas/contracts/fpay.openapi.yaml`). Gaps of the document that we filled, marked `ours`: our tag is the
foreignId, and disabling in the console is how to revoke (FP11); a request carries `Bearer TOKEN:SECRETKEY`;
the remote id is the token, by which FPay gets an object as well as by its id (FP4), and which a person sees
beside the secret key; our name is its name; that accesses of the test environment do not survive a refresh;
and that a new or disabled one is settled within two seconds.

The management token is `TOKEN:SECRETKEY` of an AuthAccess that may write. What it creates may not do more
than it may itself (FP3): its permission is got by its own token (FP4). What is recognised and may not read
itself is MoneyInOnly, the one permission that reads nothing (FP2).
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
from provisioner.core.model import JsonValue, Listing, Observed, Tag, Via
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Authority, Issued, Provider, Spec, User, Verification
from provisioner.core.secret import Secret
from provisioner.errors import NotAuthorised, ProviderError, VendorRejected
from provisioner.providers.adapter import Adapter
from provisioner.providers.answers import GONE, nothing, present
from provisioner.providers.fpay_objects import created, modifiable, new, page, scope, unless_gone
from provisioner.providers.fpay_trial import PARTS, attempt, permission
from provisioner.providers.portal import Portal, by_hand
from provisioner.providers.route import Route, Safety
from provisioner.resources import schema

if TYPE_CHECKING:
    from provisioner.providers.http import Http

_PATH = "authAccess"
_CREATE = Route("POST", _PATH, Safety.ONCE, accept=frozenset({403, 409}))
_LIST = Route("GET", _PATH, Safety.READ)
_GET = Route("GET", f"{_PATH}/{{id}}", Safety.READ, accept=GONE)
_OWN = Route("GET", f"{_PATH}/{{id}}", Safety.READ, accept=frozenset({403}))
_UPDATE = Route("PATCH", f"{_PATH}/{{id}}", Safety.IDEMPOTENT, body=False)

_READS_NOTHING = "MoneyInOnly"
_WRITES = frozenset({"FullAccess", "ReadWriteNoMoneyOut"})
"""The permissions whose holder may create and update at all (FP2, FP3)."""

_PAGE_SIZE = 500
"""As large as the contract allows."""

RULES = (
    Rule(
        "FP1",
        "create takes name, permission, description, foreignData and foreignId (unique, 128 at most)",
        "document",
    ),
    Rule("FP2", "FullAccess, MoneyInOnly, ReadMoneyIn, ReadOnly or ReadWriteNoMoneyOut", "document"),
    Rule("FP3", "an access creates none that may do what it may not", "document"),
    Rule("FP4", "get by id, token or foreignId", "document"),
    Rule("FP5", "list has filter, sortBy and limit", "document"),
    Rule("FP6", "answers are paged; pagination.nextPage is followed", "document"),
    Rule("FP7", "update changes or removes description and foreignData only", "document"),
    Rule("FP8", "enabling and disabling can only be done in the console; there is no delete", "document"),
    Rule("FP9", "secretKey is hidden in every answer: a person reads it in the console", "document"),
    Rule("FP10", "createdTime is UTC, in ISO 8601 and as a timestamp", "document"),
    Rule(
        "FP11",
        "revoked by disabling in the console; renewed by another beside it; our tag is the foreignId",
        "ours",
    ),
)

API = Capabilities(
    secret=SecretAccess.PORTAL,  # FP9
    identity=Identity.UNIQUE_TAG,  # FP1, FP11
    renew=Renewal.OVERLAP,  # FP11
    observe=Observe.LIST,  # FP5
    portal=frozenset({Verb.CAPTURE, Verb.REVOKE}),  # FP9, FP8
    consistency=2.0,
    authority=True,  # FP3, FP4
    sessions=Sessions.DIE,  # each request carries the secret key, there are no others
)

_SCREEN = "Console > AuthAccess"
_COPY = "Copy its token, and reveal and copy its secretKey."

SCREENS = {
    Verb.CREATE: Screen(
        _SCREEN,
        (
            "Create an AuthAccess with the name {name}; its permission is the one scope below.",
            "{fields}",
            "Set foreignId to: {tag}",
            _COPY,
        ),
        PARTS,
        remote_id="token",
        public=frozenset({"token"}),
    ),
    Verb.CAPTURE: Screen(
        _SCREEN,
        ("Open the AuthAccess {name} with the token {remote_id}; its foreignId is {tag}.", _COPY),
        PARTS,
        remote_id="token",
        public=frozenset({"token"}),
    ),
    Verb.UPDATE: Screen(_SCREEN, ("Open the AuthAccess with the token {remote_id}.", "{fields}", "Save.")),
    Verb.REVOKE: Screen(_SCREEN, ("Open the AuthAccess with the token {remote_id}.", "Disable it.")),
}


class FPay:
    """FPay in one environment, over its API. Fulfils `core.provider.Provider`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def observe(self) -> Listing:
        """Every AuthAccess of the account, disabled ones too: none is ever deleted (FP6, FP8)."""
        found: dict[str, Observed] = {}
        query: dict[str, str | int] | None = {"limit": _PAGE_SIZE}
        seen: set[str] = set()
        while query is not None:
            items, following = await self._http.send(_LIST, page(seen), query=query)
            found.update((one.remote_id, one) for one in items)
            seen.add(following or "")
            query = {"page": following} if following else None
        return Listing(found)

    async def get(self, remote_id: str) -> Observed | None:
        """One AuthAccess by its token, id or foreignId (FP4); None when it is not there."""
        found = await self._http.send(_GET, unless_gone, id=remote_id)
        if found is None:
            await self._confirm()
        return found

    async def find(self, tag: Tag, spec: Spec) -> tuple[Observed, ...]:
        """The one whose foreignId is this tag (FP11): there is never a second (FP1)."""
        found = await self.get(str(tag))
        return (found,) if found is not None and found.tag == tag else ()

    async def create(self, spec: Spec, tag: Tag) -> Issued:
        """Create one (FP1). It comes without its secret key, which a person reads in the console (FP9).

        A foreignId that is taken is our own, of a first attempt that was thought lost: that one is it.
        """
        made = await self._http.send(_CREATE, created, json=new(spec, tag))
        if isinstance(made, Issued):
            return made
        status, said = made
        if status == 403:
            raise NotAuthorised(
                f"fpay: the AuthAccess that provision works with may not create"
                f" {scope(spec.fields)} (FP3): {said}",
                status=status,
                remedy="ask for a narrower permission, or work with an AuthAccess that has it itself",
            )
        found = await self.find(tag, spec)
        if not found:
            raise VendorRejected(f"fpay refused to create {spec.address}: {said}", status=status)
        return Issued(found[0].remote_id, Secret({}))

    async def update(self, remote_id: str, spec: Spec) -> None:
        """Change description and foreignData, or remove what is not declared; nothing else can be (FP7)."""
        wanted = modifiable(spec.fields)
        change = present(**wanted)
        remove = sorted(wanted.keys() - change.keys())
        body = {name: value for name, value in (("change", change), ("remove", remove)) if value}
        await self._http.send(_UPDATE, nothing, id=remote_id, json=body)

    async def renew(self, remote_id: str, spec: Spec, tag: Tag) -> Issued:
        """FPay cannot renew in place: a new AuthAccess stands beside the old one (FP11)."""
        raise ProviderError("fpay renews by a new AuthAccess beside the old one, never in place (FP11)")

    async def reveal(self, remote_id: str) -> Issued:
        """A person's step: no answer holds a secret key (FP9)."""
        raise ProviderError("fpay shows a secretKey in its console only (FP9)")

    async def revoke(self, remote_id: str) -> None:
        """A person's step: an AuthAccess is disabled in the console (FP8)."""
        raise ProviderError("fpay disables an AuthAccess in its console only (FP8)")

    async def verify(self, secret: Secret, spec: Spec) -> Verification:
        """Get the AuthAccess with its own token and secret key, and compare the permission (FP2, FP4)."""
        return await attempt(self._http, secret, spec)

    async def users(self) -> tuple[User, ...]:
        """FPay links an AuthAccess to no users."""
        return ()

    async def authority(self) -> Authority | None:
        """The AuthAccess that we work with, got by its own token (FP4); None for a token of another form."""
        public = _public(self._http.token)
        if not public:
            return None
        own = await self._http.send(_OWN, _own_permission, id=public)
        return Authority(public, own in _WRITES, frozenset({own}), "FP3")

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def _confirm(self) -> None:
        """Prove that a 404 came from the vendor: a wrong endpoint gives one to everything, its list too."""
        await self._http.send(_LIST, page(set()), query={"limit": 1})


def _public(token: Secret | None) -> str:
    """The public half of `TOKEN:SECRETKEY`. What has no such form may all be secret, and goes into no URL."""
    public, colon, _ = token.reveal("token").partition(":") if token is not None else ("", "", "")
    return public if colon else ""


def _own_permission(status: int, body: JsonValue) -> str:
    return _READS_NOTHING if status == 403 else permission(body)


def _open(config: ProviderConfig, http: Http) -> Provider:
    if config.via is Via.PORTAL:
        return Portal("fpay", http, lambda secret, spec: attempt(http, secret, spec))
    return FPay(http)


PROVIDER = Adapter(
    Declaration(
        name="fpay",
        title="FPay",
        schema=schema("providers/fpay"),
        parts=PARTS,
        capabilities={Via.API: API, Via.PORTAL: by_hand(API)},
        rules=RULES,
        screens=SCREENS,
    ),
    _open,
)
