"""The vendors that the conformance suite runs against: a row for each tenant, and what differs."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from provider_on_twin import Twin

from provisioner.core.capabilities import Verb
from provisioner.core.model import JsonObject, Kind
from provisioner.core.provider import Issued
from provisioner.core.secret import Secret
from provisioner.sandbox.operator import Operator

Use = Callable[[], Awaitable[int]]
"""A consumer's request; its status, where 401 means that it is not let in."""


async def _by_token(twin: Twin, secret: Secret, token: str, data: str) -> Use:
    """A consumer that got an access token while its credential lived."""
    session = await twin.session(token, secret)

    async def use() -> int:
        return await twin.status("GET", data, session)

    return use


async def payspace(twin: Twin, secret: Secret) -> Use:
    """PS8."""
    return await _by_token(twin, secret, "oauth/token", "api/v1/pay-rates")


async def paynet(twin: Twin, secret: Secret) -> Use:
    """PN5, PN6."""
    return await _by_token(twin, secret, "auth/token", "rpp/v1/merchants/none")


async def paytia(twin: Twin, secret: Secret) -> Use:
    """PY6: the document's own request, with the tokens that the consumer holds."""
    headers = {"x-api-key": secret.reveal("api_key"), "access-token": secret.reveal("access_token")}
    body = {name: secret.reveal(name) for name in ("client_id", "client_secret")}

    async def use() -> int:
        return (await twin.call("POST", "api/authorize", headers=headers, json=body)).status_code

    return use


async def timeclock(twin: Twin, secret: Secret) -> Use:
    """TC4: each request is signed with the moment."""

    async def use() -> int:
        now = int(twin.sandbox.now().timestamp())
        checksum = hashlib.sha1(f"{now}{secret.reveal('key')}".encode()).hexdigest()
        return await twin.status("GET", "api/sessions", f"{secret.reveal('identifier')}:{now}:{checksum}")

    return use


async def fpay(twin: Twin, secret: Secret) -> Use:
    """FP2: each request carries token and secret key."""

    async def use() -> int:
        return await twin.status("GET", "wallet", f"{secret.reveal('token')}:{secret.reveal('secret_key')}")

    return use


def same(twin: Twin, fields: JsonObject, number: int) -> JsonObject:
    """Most vendors make any number of the same."""
    return fields


def another_user(twin: Twin, fields: JsonObject, number: int) -> JsonObject:
    """TC1: each access takes a user of its own."""
    user = 1000 + number if number else int(fields["user"])
    with twin.sandbox.tenancy("timeclock", twin.tenant) as data:
        if str(user) not in [str(one["id"]) for one in data.all_stored("user")]:
            blank = {"email": None, "access": None, "pin": None}
            data.put("user", str(user), {"id": user, "name": f"User {user}", "active": True, **blank})
    return {**fields, "user": user}


@dataclass(frozen=True)
class Case:
    """One vendor's tenant: what a credential may hold, what may be changed, and how a consumer uses it."""

    name: str
    tenant: str
    fields: JsonObject
    changed: JsonObject
    wrong: JsonObject
    """What the vendor refuses."""
    use: Callable[[Twin, Secret], Awaitable[Use]]
    secret: str = "client_secret"
    """The part that only its consumer may ever see."""
    another: Callable[[Twin, JsonObject, int], JsonObject] = same
    """The fields of one more, by number."""


def _scopes(*scopes: str, **fields: object) -> JsonObject:
    return {"scopes": list(scopes), **fields}


_WRONG = _scopes("no-such-scope", user="svc.payroll")
_PAYSPACE = _scopes("full-access", description="ledger", user="svc.payroll")
_MASKED = {**_PAYSPACE, "settings": {"development_mode": True}}
_PAYNET = _scopes("rpp:merchant", "duitnow:read", description="merchants")
_PAYTIA = {"description": "cards", "allow_ips": ["127.0.0.0/8", "2001:db8::/48", "203.0.113.7/32"],
           "settings": {"webhook_format": "multiple", "enhance_security": True}}  # fmt: skip
_ANYWHERE = {"allow_ips": [], "settings": {"webhook_format": "single"}}
_HOST_BITS = {"allow_ips": ["203.0.113.7/28"]}
_FPAY = _scopes("ReadOnly", description="CRM", settings={"foreign_data": '{"team": 7}'})

CASES = (
    Case("payspace", "test", _MASKED, _scopes("read-only"), _WRONG, payspace),
    Case("payspace", "production", _PAYSPACE, {**_PAYSPACE, "description": "nightly"}, _WRONG, payspace),
    Case("paynet", "test", _PAYNET, {**_PAYNET, "description": "shops"}, _WRONG, paynet),
    Case("paynet", "production", _PAYNET, {"scopes": _PAYNET["scopes"]}, _WRONG, paynet),
    Case("paytia", "test", _PAYTIA, {**_ANYWHERE, "description": "shop"}, _HOST_BITS, paytia),
    Case("paytia", "production", _ANYWHERE, _PAYTIA, _HOST_BITS, paytia),
    Case("timeclock", "test", {"user": 17}, {"user": 17}, {"user": 999}, timeclock, "key", another_user),
    Case("timeclock", "production", {"user": 18}, {"user": 18}, {"user": 21}, timeclock, "key", another_user),
    Case("fpay", "test", _FPAY, _scopes("ReadOnly"), _WRONG, fpay, "secret_key"),
    Case("fpay", "production", _scopes("FullAccess"), _scopes("FullAccess", description="all"), _WRONG,
         fpay, "secret_key"),
)  # fmt: skip


async def make(twin: Twin, case: Case, generation: int = 1, nonce: str = "n0", number: int = 0) -> Issued:
    """A credential, as its vendor answers: perhaps without its secret, perhaps not approved."""
    spec = twin.spec(case.another(twin, case.fields, number))
    return await twin.provider.create(spec, twin.tag(generation, nonce))


async def made(twin: Twin, case: Case, generation: int = 1, nonce: str = "n0", number: int = 0) -> Issued:
    """A credential that works: approved, and its secret read by a person, where the vendor wants that."""
    issued = await make(twin, case, generation, nonce, number)
    if Kind(case.tenant) in twin.capabilities.approval:
        twin.sandbox.approve(case.name, issued.remote_id)
    return await captured(twin, case, issued)


async def captured(twin: Twin, case: Case, issued: Issued) -> Issued:
    """With its secret, which a person reads where that is a person's step."""
    if Verb.CAPTURE not in twin.capabilities.portal:
        return issued
    shown = await at_the_portal(twin, case, Verb.CAPTURE, issued.remote_id)
    return Issued(issued.remote_id, Secret({part: shown[part] for part in twin.parts}))


async def ended(twin: Twin, case: Case, remote_id: str) -> None:
    """Revoke, by call or by a person."""
    if Verb.REVOKE in twin.capabilities.portal:
        await at_the_portal(twin, case, Verb.REVOKE, remote_id)
    else:
        await twin.provider.revoke(remote_id)


async def at_the_portal(
    twin: Twin, case: Case, verb: Verb, remote_id: str | None, fields: JsonObject | None = None
) -> dict[str, str]:
    """Have a person do it in the twin's console."""
    return await Operator(twin.sandbox).perform(
        case.name,
        case.tenant,
        verb.value,
        fields=fields or {},
        remote_id=remote_id,
        name="payroll-export",
        tag=str(twin.tag()),
    )
