"""FPay's twin: AuthAccess objects, whose secret key no answer shows and which only a person can disable.

Rules FP1 to FP11. The operations and fields are the document's, their paths ours: see
`schemas/contracts/fpay.openapi.yaml`, which also says what was chosen where the document is silent. What a
person does in the console is in `fpay_console.py`.
"""

from __future__ import annotations

from provisioner.sandbox.dispatch import Call, Operation, Vendor
from provisioner.sandbox.fpay_access import Right, needs, require_no_escalation
from provisioner.sandbox.fpay_console import create as create_in_console
from provisioner.sandbox.fpay_data import OPERATIONS as DATA_OPERATIONS
from provisioner.sandbox.fpay_data import seed as seed_data
from provisioner.sandbox.fpay_listing import QUERY, listing
from provisioner.sandbox.fpay_objects import NEW_ACCESS, UPDATE, change, lookup, make, show
from provisioner.sandbox.replies import Reply, not_found
from provisioner.sandbox.tenancy import Credential, Tenancy


def _create(call: Call) -> Reply:
    creator = call.bearer.credential
    require_no_escalation(creator, str(call.body["permission"]))
    access = make(call.data, call.body, {"_type": "Api", "authAccessId": creator.id})
    return Reply(201, show(call.data, access, call.base))


def _get(call: Call) -> Reply:
    return Reply(200, show(call.data, _found(call), call.base))


def _update(call: Call) -> Reply:
    access = _found(call)
    return Reply(200, show(call.data, change(call.data, access, call.body), call.base))


def _found(call: Call) -> Credential:
    access = lookup(call.data, call.path["id"])
    if access is None:
        raise not_found()
    return access


def _seed(data: Tenancy) -> None:
    """A wallet, and the AuthAccess that the tenant is managed with, which a person made in the console."""
    seed_data(data)
    body = {"name": "management", "permission": "FullAccess", "description": "made with the account"}
    access = create_in_console(data, body)
    data.connection.execute(
        "UPDATE tenants SET token = ? WHERE vendor = ? AND tenant = ?",
        (f"{access.client_id}:{access.secret}", data.vendor, data.tenant),
    )


FPAY = Vendor(
    "fpay",
    (
        Operation("POST", "authAccess", _create, needs(Right.WRITE), NEW_ACCESS),
        Operation("GET", "authAccess", listing, needs(Right.READ), query=QUERY),
        # A path, since a foreignId may hold slashes.
        Operation("GET", "authAccess/{id:path}", _get, needs(Right.READ)),
        Operation("PATCH", "authAccess/{id:path}", _update, needs(Right.WRITE), UPDATE),
        *DATA_OPERATIONS,
    ),
    _seed,
)
