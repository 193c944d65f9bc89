"""TimeClock's twin: one API access for each user, whose key is changed in place and proved by a checksum.

Rules TC1 to TC8. The document names the buttons of the profile page and the requests, but no paths: see
`schemas/contracts/timeclock.openapi.yaml`, which also says what was chosen where the document is silent.
"""

from __future__ import annotations

import secrets

from provisioner.sandbox.dispatch import Call, Operation, Vendor
from provisioner.sandbox.paging import QUERY, listing
from provisioner.sandbox.replies import NO_STORE, Refusal, Reply
from provisioner.sandbox.strict import Field, Text
from provisioner.sandbox.tenancy import Credential, timestamp
from provisioner.sandbox.timeclock_api import SIGN_IN, renew_pin
from provisioner.sandbox.timeclock_data import OPERATIONS as DATA_OPERATIONS
from provisioner.sandbox.timeclock_users import access_of, link, seed, show_user, user_of

LABEL = {"label": Field(Text(), required=True)}


def _grant(call: Call) -> Reply:
    """ "Grant yourself API access" (TC1)."""
    user = user_of(call.data, call.path["id"])
    if not user["active"]:
        raise Refusal(403, "this user is not active")
    if user["access"] is not None:
        raise Refusal(409, "this user has API access already")
    access = call.data.add(
        label=str(call.body["label"]),
        status="active",
        # The identifier is the user's id and outlives each access; the ledger wants one that does not.
        client_id=f"{call.data.tenant}/{user['id']}/{secrets.token_hex(6)}",
        secret=_new_key(),
        fields={"user_id": user["id"], "key_changed_at": None},
    )
    link(call.data, user, access=access.id)
    return Reply(201, {**_show(access), "key": access.secret}, headers=NO_STORE)


def _get(call: Call) -> Reply:
    return Reply(200, _show(access_of(call.data, call.path["id"])))


def _show_key(call: Call) -> Reply:
    """The profile page keeps showing identifier and key (TC1)."""
    access = access_of(call.data, call.path["id"])
    return Reply(200, {"identifier": access.fields["user_id"], "key": access.secret}, headers=NO_STORE)


def _relabel(call: Call) -> Reply:
    access = access_of(call.data, call.path["id"])
    return Reply(200, _show(call.data.update(access, label=str(call.body["label"]), fields=access.fields)))


def _change_key(call: Call) -> Reply:
    """ "Change API key" (TC2)."""
    access = access_of(call.data, call.path["id"])
    fields = {**access.fields, "key_changed_at": timestamp(call.data.now)}
    changed = call.data.update(access, label=access.label, fields=fields, secret=_new_key())
    return Reply(200, {**_show(changed), "key": changed.secret}, headers=NO_STORE)


def _revoke(call: Call) -> Reply:
    """ "Revoke API access" (TC3): the key is removed with it."""
    access = access_of(call.data, call.path["id"])
    call.data.end(access)
    link(call.data, user_of(call.data, call.path["id"]), access=None)
    return Reply(204)


def _users(call: Call) -> Reply:
    return Reply(200, [show_user(user) for user in call.data.all_stored("user")])


def _generate_pin(call: Call) -> Reply:
    pin = renew_pin(call.data, user_of(call.data, call.path["id"]))
    return Reply(201, {"pin": pin}, headers=NO_STORE)


def _new_key() -> str:
    return secrets.token_hex(20)


def _show(access: Credential) -> dict[str, object]:
    return {
        "identifier": access.fields["user_id"],
        **access.fields,
        "label": access.label,
        "created_at": access.created_at,
    }


TIMECLOCK = Vendor(
    "timeclock",
    (
        Operation("POST", "admin/v1/users/{id}/api-access", _grant, body=LABEL),
        Operation("GET", "admin/v1/users/{id}/api-access", _get),
        Operation("PATCH", "admin/v1/users/{id}/api-access", _relabel, body=LABEL),
        Operation("DELETE", "admin/v1/users/{id}/api-access", _revoke),
        Operation("GET", "admin/v1/users/{id}/api-access/key", _show_key),
        Operation("POST", "admin/v1/users/{id}/api-access/change-key", _change_key),
        Operation("POST", "admin/v1/users/{id}/pin", _generate_pin),
        Operation("GET", "admin/v1/users", _users),
        Operation("GET", "admin/v1/api-access", listing(_show), query=QUERY),
        SIGN_IN,
        *DATA_OPERATIONS,
    ),
    seed,
)
