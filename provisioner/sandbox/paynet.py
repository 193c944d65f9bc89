"""PayNet's twin: API keys that can be revealed, renewed in place, and wait for approval in production.

Rules PN1 to PN7; the token endpoint is the document's, the management API ours: see
`schemas/contracts/paynet.openapi.yaml`, which also says what was chosen where the document is silent.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from provisioner.sandbox.dispatch import Access, Call, Operation, Vendor
from provisioner.sandbox.oauth import token_endpoint
from provisioner.sandbox.paging import QUERY, listing
from provisioner.sandbox.replies import NO_STORE, Fault, Refusal, Reply, unprocessable
from provisioner.sandbox.strict import Choices, Field, Text, changes
from provisioner.sandbox.tenancy import Credential, timestamp

#: Only `rpp:merchant` is in the document (PN5); the others are ours.
SCOPES = ("duitnow:read", "duitnow:transfer", "rpp:acquirer", "rpp:merchant")

NEW_KEY = {
    "label": Field(Text(), required=True),
    "description": Field(Text(2000, shortest=0), nullable=True),
    "scopes": Field(Choices(SCOPES), required=True),
}
KEY_CHANGES = changes(NEW_KEY, ("label", "description"))
MERCHANT = {"name": Field(Text(), required=True)}

#: What the token endpoint says to a known client by the status of its key (PN2).
_NOT_APPROVED: Mapping[str, str] = {
    "pending": "the key waits for approval of production access",
    "denied": "production access was denied to this key",
}


def _create(call: Call) -> Reply:
    scopes = call.body["scopes"]
    key = call.data.add(
        label=str(call.body["label"]),
        # PN2: generated at once in either environment, but of no use in production until approved.
        status="pending" if call.data.tenant == "production" else "active",
        client_id=secrets.token_hex(16),
        secret=secrets.token_hex(32),
        fields={
            "description": call.body.get("description"),
            "scopes": sorted(scopes) if isinstance(scopes, list) else [],
            "renewed_at": None,
        },
    )
    return Reply(201, {**_show(key), "client_secret": key.secret}, headers=NO_STORE)


def _get(call: Call) -> Reply:
    return Reply(200, _show(call.data.get(call.path["id"])))


def _update(call: Call) -> Reply:
    key = call.data.get(call.path["id"])
    fields = {**key.fields, "description": call.body.get("description", key.fields["description"])}
    changed = call.data.update(key, label=str(call.body.get("label", key.label)), fields=fields)
    return Reply(200, _show(changed))


def _delete(call: Call) -> Reply:
    call.data.end(call.data.get(call.path["id"]))
    return Reply(204)


def _reveal(call: Call) -> Reply:
    key = call.data.get(call.path["id"])
    return Reply(
        200, {"id": key.id, "client_id": key.client_id, "client_secret": key.secret}, headers=NO_STORE
    )


def _renew(call: Call) -> Reply:
    key = call.data.get(call.path["id"])
    fields = {**key.fields, "renewed_at": timestamp(call.data.now)}
    renewed = call.data.update(key, label=key.label, fields=fields, secret=secrets.token_hex(32))
    call.data.forget_tokens(key)
    return Reply(200, {**_show(renewed), "client_secret": renewed.secret}, headers=NO_STORE)


def _show(key: Credential) -> dict[str, object]:
    return {
        "id": key.id,
        "client_id": key.client_id,
        "status": key.status,
        "label": key.label,
        **key.fields,
        "created_at": key.created_at,
    }


def _scopes(key: Credential) -> list[str]:
    scopes = key.fields["scopes"]
    return scopes if isinstance(scopes, list) else []


def _require_approval(key: Credential) -> None:
    if key.status in _NOT_APPROVED:
        raise Refusal(403, _NOT_APPROVED[key.status], error="unauthorized_client")


def _merchant_scope(call: Call) -> None:
    if "rpp:merchant" not in call.bearer.scopes:
        headers = {"www-authenticate": 'Bearer error="insufficient_scope", scope="rpp:merchant"'}
        raise Refusal(403, "the access token lacks rpp:merchant", headers=headers)


def _get_merchant(call: Call) -> Reply:
    _merchant_scope(call)
    return Reply(200, call.data.stored("merchant", call.path["id"]))


def _put_merchant(call: Call) -> Reply:
    _merchant_scope(call)
    fault = Text().fault(call.path["id"])
    if fault:
        raise unprocessable(Fault("/id", fault))
    merchant = {"id": call.path["id"], "name": call.body["name"]}
    call.data.put("merchant", call.path["id"], merchant)
    return Reply(200, merchant)


PAYNET = Vendor(
    "paynet",
    (
        Operation("POST", "developer/v1/keys", _create, body=NEW_KEY),
        Operation("GET", "developer/v1/keys", listing(_show), query=QUERY),
        Operation("GET", "developer/v1/keys/{id}", _get),
        Operation("PATCH", "developer/v1/keys/{id}", _update, body=KEY_CHANGES),
        Operation("DELETE", "developer/v1/keys/{id}", _delete),
        Operation("GET", "developer/v1/keys/{id}/secret", _reveal),
        Operation("POST", "developer/v1/keys/{id}/renew", _renew),
        token_endpoint(
            "auth/token", seconds=86400, scopes=_scopes, kept_as=lambda secret: secret, gate=_require_approval
        ),
        Operation("GET", "rpp/v1/merchants/{id}", _get_merchant, Access.BEARER),
        Operation("PUT", "rpp/v1/merchants/{id}", _put_merchant, Access.BEARER, MERCHANT),
    ),
)
