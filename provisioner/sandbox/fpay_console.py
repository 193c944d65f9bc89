"""What a person does in FPay's console, most of which no API does: create, change, reveal, disable, enable.

Rules FP8, FP9 and FP11. Each works on the data of one tenant, as `Sandbox.tenancy` gives it, and takes any
identifier of FP4. A person has the whole account, so FP3 does not bind here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from provisioner.sandbox.fpay_access import ACTIVE, DISABLED
from provisioner.sandbox.fpay_objects import NEW_ACCESS, UPDATE, lookup, make
from provisioner.sandbox.fpay_objects import change as change_object
from provisioner.sandbox.replies import not_found
from provisioner.sandbox.strict import Body, check
from provisioner.sandbox.tenancy import Credential, Tenancy

#: The person who works in the console, where nobody else is named.
PERSON = "person1"


@dataclass(frozen=True, slots=True)
class Keys:
    """What authenticates a caller: all that the console's page of one AuthAccess shows to copy."""

    token: str
    secret_key: str = field(repr=False)


def create(data: Tenancy, body: Body, *, person: str = PERSON) -> Credential:
    """A new AuthAccess. Raises `Refusal` 422 for a body that breaks FP1, 409 for a taken foreignId."""
    return make(data, check(NEW_ACCESS, body), {"_type": "Ui", "personId": person})


def change(data: Tenancy, identifier: str, body: Body) -> Credential:
    """`{change, remove}` of description and foreignData. Raises `Refusal` 404, or 422 for more (FP7)."""
    return change_object(data, _found(data, identifier), check(UPDATE, body))


def reveal(data: Tenancy, identifier: str) -> Keys:
    """Token and secret key, as often as a person looks. Raises `Refusal` 404."""
    access = _found(data, identifier)
    return Keys(access.client_id, access.secret)


def disable(data: Tenancy, identifier: str) -> None:
    """Reject its requests from now on; it stays listed (FP8). Raises `Refusal` 404."""
    _set_status(data, identifier, DISABLED)


def enable(data: Tenancy, identifier: str) -> None:
    """Take its requests again. Raises `Refusal` 404."""
    _set_status(data, identifier, ACTIVE)


def _set_status(data: Tenancy, identifier: str, status: str) -> None:
    access = _found(data, identifier)
    data.connection.execute("UPDATE credentials SET status = ? WHERE seq = ?", (status, access.seq))


def _found(data: Tenancy, identifier: str) -> Credential:
    access = lookup(data, identifier)
    if access is None:
        raise not_found()
    return access
