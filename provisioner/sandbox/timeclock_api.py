"""Who calls TimeClock: the signed bearer header (TC4, TC5), and signing in by PIN (TC6)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

from starlette.requests import Request

from provisioner.sandbox.dispatch import Access, Call, Operation, bearer_token, invalid_token
from provisioner.sandbox.replies import NO_STORE, Refusal, Reply
from provisioner.sandbox.strict import Field, Text
from provisioner.sandbox.tenancy import Credential, Grant, Tenancy, digest
from provisioner.sandbox.timeclock_users import access_of, link

#: How far a timestamp may be from now, in whole seconds, either way (TC5).
TOLERANCE = 60

PIN = {"pin": Field(Text(), required=True)}

_TOKEN = re.compile(r"([0-9]{1,9}):([0-9]{1,12}):([0-9a-f]{40})")


def signed(data: Tenancy, request: Request) -> Grant:
    """The grant of `Bearer IDENTIFIER:TIMESTAMP:CHECKSUM` (TC4). Raises `Refusal` 401."""
    token = _TOKEN.fullmatch(bearer_token(data, request))
    if token is None:
        raise invalid_token(data)
    identifier, moment, checksum = token.groups()
    access = _access(data, identifier)
    if not hmac.compare_digest(_checksum(moment, access.secret), checksum):
        raise invalid_token(data)
    if abs(int(data.now.timestamp()) - int(moment)) > TOLERANCE:
        # Told only to who has the key: whose clock is wrong should learn so.
        headers = invalid_token(data).headers
        raise Refusal(401, "the timestamp is more than one minute away from now", headers=headers)
    return Grant(access, frozenset())


def _access(data: Tenancy, identifier: str) -> Credential:
    try:
        return access_of(data, identifier)
    except Refusal as refusal:
        raise invalid_token(data) from refusal


def _checksum(moment: str, key: str) -> str:
    return hashlib.sha1(f"{moment}{key}".encode()).hexdigest()  # noqa: S324 - the document's own (TC4)


def renew_pin(data: Tenancy, user: Mapping[str, object]) -> str:
    """A new PIN for this user, of six digits, that nobody else of the tenant has; an older one is dead."""
    if user["pin"] is not None:
        data.remove("pin", str(user["pin"]))
    pin = _free_pin(data)
    data.put("pin", digest(pin), {"user": user["id"]})
    link(data, user, pin=digest(pin))
    return pin


def _free_pin(data: Tenancy) -> str:
    while True:
        pin = f"{secrets.randbelow(10**6):06d}"
        if _holder(data, pin) is None:
            return pin


def _holder(data: Tenancy, pin: str) -> str | None:
    try:
        return str(data.stored("pin", digest(pin))["user"])
    except Refusal:
        return None


def _sign_in(call: Call) -> Reply:
    user = _holder(call.data, str(call.body["pin"]))
    if user is None:
        challenge = {"www-authenticate": f'PIN realm="{call.data.vendor}/{call.data.tenant}"'}
        raise Refusal(401, "the PIN is nobody's", headers=challenge)
    try:
        access = access_of(call.data, user)
    except Refusal as refusal:
        raise Refusal(403, "the user of this PIN has no API access") from refusal
    return Reply(200, {"user_id": access.fields["user_id"], "api_key": access.secret}, headers=NO_STORE)


SIGN_IN = Operation("POST", "api/sign-in", _sign_in, Access.OPEN, PIN, signs_in=True)
