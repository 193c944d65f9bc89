"""PaySpace's twin: API credentials that are shown once, and tokens for them.

Rules PS1 to PS8; the document is a help page of the portal, so the management API is ours: see
`schemas/contracts/payspace.openapi.yaml`, which also says what was chosen where the document is silent.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping

from provisioner.sandbox.dispatch import Call, Operation, Vendor
from provisioner.sandbox.oauth import token_endpoint
from provisioner.sandbox.paging import QUERY, listing
from provisioner.sandbox.payspace_data import OPERATIONS as DATA_OPERATIONS
from provisioner.sandbox.payspace_data import seed, user_profile
from provisioner.sandbox.replies import NO_STORE, Fault, Reply, unprocessable
from provisioner.sandbox.strict import Field, Flag, Text, changes
from provisioner.sandbox.tenancy import Credential, Tenancy, digest

NEW_CREDENTIAL = {
    "label": Field(Text(), required=True),
    "description": Field(Text(2000, shortest=0), nullable=True),
    "scope": Field(Text(choices=("full-access", "read-only")), required=True),
    "user": Field(Text(), nullable=True),
    "development_mode": Field(Flag()),
}
CREDENTIAL_CHANGES = changes(NEW_CREDENTIAL, NEW_CREDENTIAL)

_DEFAULTS: Mapping[str, object] = {
    "description": None,
    "scope": None,
    "user": None,
    "development_mode": False,
}


def _create(call: Call) -> Reply:
    fields = _fields(_DEFAULTS, call)
    secret = secrets.token_urlsafe(32)
    credential = call.data.add(
        label=str(call.body["label"]),
        status="active",
        client_id=str(uuid.uuid4()),
        secret=digest(secret),  # PS2: never retrievable, so the vendor cannot have kept it
        fields=fields,
    )
    shown = {**_show(credential), "client_id": credential.client_id, "client_secret": secret}
    return Reply(201, shown, headers=NO_STORE)


def _get(call: Call) -> Reply:
    return Reply(200, _show(call.data.get(call.path["id"])))


def _update(call: Call) -> Reply:
    credential = call.data.get(call.path["id"])
    label = str(call.body.get("label", credential.label))
    changed = call.data.update(credential, label=label, fields=_fields(credential.fields, call))
    return Reply(200, _show(changed))


def _delete(call: Call) -> Reply:
    call.data.end(call.data.get(call.path["id"]))
    return Reply(204)


def _users(call: Call) -> Reply:
    return Reply(200, call.data.all_stored("user"))


def _fields(before: Mapping[str, object], call: Call) -> Mapping[str, object]:
    fields = {name: call.body.get(name, value) for name, value in before.items()}
    faults = _broken_rules(fields, call.data)
    if faults:
        raise unprocessable(*faults)
    return fields


def _broken_rules(fields: Mapping[str, object], data: Tenancy) -> list[Fault]:
    faults = []
    user = fields["user"]
    if user is None and fields["scope"] == "full-access":
        faults.append(Fault("/user", "is required with full-access, for the audit trail"))
    if user is not None and not user_profile(data, str(user)).get("active"):
        faults.append(Fault("/user", "is not an active user profile"))
    if fields["development_mode"] and data.tenant == "production":
        faults.append(Fault("/development_mode", "exists in the test environment only"))
    return faults


def _show(credential: Credential) -> dict[str, object]:
    return {
        "id": credential.id,
        "label": credential.label,
        **credential.fields,
        "created_at": credential.created_at,
    }


def _scopes(credential: Credential) -> list[str]:
    return [str(credential.fields["scope"])]


PAYSPACE = Vendor(
    "payspace",
    (
        Operation("POST", "api/v1/credentials", _create, body=NEW_CREDENTIAL),
        Operation("GET", "api/v1/credentials", listing(_show), query=QUERY),
        Operation("GET", "api/v1/credentials/{id}", _get),
        Operation("PATCH", "api/v1/credentials/{id}", _update, body=CREDENTIAL_CHANGES),
        Operation("DELETE", "api/v1/credentials/{id}", _delete),
        Operation("GET", "api/v1/users", _users),
        token_endpoint("oauth/token", seconds=3600, scopes=_scopes, kept_as=digest),
        *DATA_OPERATIONS,
    ),
    seed,
)
