"""Paytia's twin: API keys with tokens, restricted to addresses, and with enhanced security if switched on.

Rules PY1 to PY9. The document shows a portal for the keys, so the management API is ours: see
`schemas/contracts/paytia.openapi.yaml`, which also says what was chosen where the document is silent.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping

from provisioner.sandbox.dispatch import Call, Operation, Vendor
from provisioner.sandbox.networks import Networks, canonical
from provisioner.sandbox.paging import QUERY, listing
from provisioner.sandbox.paytia_api import KEY, issue_pair, seed
from provisioner.sandbox.paytia_api import OPERATIONS as API_OPERATIONS
from provisioner.sandbox.paytia_webhook import FORMATS, sample
from provisioner.sandbox.replies import NO_STORE, Reply
from provisioner.sandbox.strict import Field, Flag, Text, changes
from provisioner.sandbox.tenancy import Credential, digest, timestamp

NEW_KEY = {
    "label": Field(Text(), required=True),
    "description": Field(Text(2000, shortest=0), nullable=True),
    "allow_ips": Field(Networks()),
    "webhook_format": Field(Text(choices=FORMATS)),
    "enhance_security": Field(Flag()),
}
KEY_CHANGES = changes(NEW_KEY, NEW_KEY)

_DEFAULTS: Mapping[str, object] = {
    "description": None,
    "allow_ips": [],
    "webhook_format": "single",
    "enhance_security": False,
}


def _create(call: Call) -> Reply:
    """ "Generate API Key" (PY1): no tokens yet, those are a step of their own (PY5)."""
    api_key = secrets.token_hex(32)
    key = call.data.add(
        label=str(call.body["label"]),
        status="active",
        client_id=str(uuid.uuid4()),  # unique over every tenant: the ledger's column is (PY5)
        secret="",
        fields={
            **_settings(_DEFAULTS, call),
            "api_key_ending": api_key[-4:],
            "tokens_generated_at": None,
        },
    )
    call.data.issue(key, KEY, float("inf"), api_key)
    return Reply(201, {**_show(key), "api_key": api_key}, headers=NO_STORE)


def _generate_tokens(call: Call) -> Reply:
    """ "Generate Tokens" (PY5): the client id stays, everything else is new and the old is dead."""
    key = call.data.get(call.path["id"])
    client_secret = secrets.token_urlsafe(48)
    fields = {**key.fields, "tokens_generated_at": timestamp(call.data.now)}
    call.data.forget_tokens(key, keeping=KEY)
    key = call.data.update(key, label=key.label, fields=fields, secret=digest(client_secret))
    pair = issue_pair(call.data, key)
    shown = {
        "id": key.id,
        "client_id": key.client_id,
        "client_secret": client_secret,
        **pair,
        "tokens_generated_at": fields["tokens_generated_at"],
    }
    return Reply(201, shown, headers=NO_STORE)


def _get(call: Call) -> Reply:
    return Reply(200, _show(call.data.get(call.path["id"])))


def _update(call: Call) -> Reply:
    """ "Save" (PY4)."""
    key = call.data.get(call.path["id"])
    label = str(call.body.get("label", key.label))
    changed = call.data.update(key, label=label, fields=_settings(key.fields, call))
    return Reply(200, _show(changed))


def _delete(call: Call) -> Reply:
    call.data.end(call.data.get(call.path["id"]))
    return Reply(204)


def _webhook_sample(call: Call) -> Reply:
    return Reply(200, sample(str(call.data.get(call.path["id"]).fields["webhook_format"])))


def _settings(before: Mapping[str, object], call: Call) -> dict[str, object]:
    settings = {name: call.body.get(name, value) for name, value in before.items()}
    addresses = settings["allow_ips"]
    return {**settings, "allow_ips": canonical(addresses) if isinstance(addresses, list) else []}


def _show(key: Credential) -> dict[str, object]:
    generated = key.fields["tokens_generated_at"] is not None
    return {
        "id": key.id,
        "label": key.label,
        **key.fields,
        "client_id": key.client_id if generated else None,
        "created_at": key.created_at,
    }


PAYTIA = Vendor(
    "paytia",
    (
        Operation("POST", "admin/v1/api-keys", _create, body=NEW_KEY),
        Operation("GET", "admin/v1/api-keys", listing(_show), query=QUERY),
        Operation("GET", "admin/v1/api-keys/{id}", _get),
        Operation("PATCH", "admin/v1/api-keys/{id}", _update, body=KEY_CHANGES),
        Operation("DELETE", "admin/v1/api-keys/{id}", _delete),
        Operation("POST", "admin/v1/api-keys/{id}/tokens", _generate_tokens),
        Operation("GET", "admin/v1/api-keys/{id}/webhook-sample", _webhook_sample),
        *API_OPERATIONS,
    ),
    seed,
)
