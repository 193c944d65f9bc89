"""AuthAccess objects: made, found, changed and shown. The API and the console both work on them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from provisioner.sandbox.fpay_access import ACTIVE, PERMISSIONS
from provisioner.sandbox.replies import Fault, Refusal, unprocessable
from provisioner.sandbox.strict import Body, Choices, Field, Shape, Text
from provisioner.sandbox.tenancy import Credential, Tenancy


@dataclass(frozen=True, slots=True)
class Changes:
    """An object that holds at least one field of the shape, and no other."""

    shape: Shape

    def fault(self, value: object) -> str | None:
        """Why `value` is no such object."""
        if not isinstance(value, Mapping) or not value:
            return "must be an object that holds a new value"
        if not set(value) <= set(self.shape):
            return f"may only hold {', '.join(self.shape)}: nothing else can be changed"
        faults = {name: self.shape[name].kind.fault(value[name]) for name in value}
        return "; ".join(f"{name} {fault}" for name, fault in faults.items() if fault) or None


#: What stands for the secret key in every answer (FP9): of one length, and the same for all.
HIDDEN = "**********"

#: FP1. Lengths that the document does not give are ours: 200 for the name, 2000 for the description.
NEW_ACCESS = {
    "name": Field(Text(), required=True),
    "permission": Field(Text(choices=PERMISSIONS), required=True),
    "description": Field(Text(2000, shortest=0, lines=True)),
    "foreignData": Field(Text(128, shortest=0, lines=True)),
    "foreignId": Field(Text(128)),
}
#: FP7: all that an update changes or removes.
MODIFIABLE = ("description", "foreignData")

UPDATE = {
    "change": Field(Changes({name: NEW_ACCESS[name] for name in MODIFIABLE})),
    "remove": Field(Choices(MODIFIABLE)),
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def make(data: Tenancy, body: Body, creator: Mapping[str, str]) -> Credential:
    """A new AuthAccess from a checked body. Raises `Refusal` 409 for a foreignId that is taken (FP1)."""
    foreign_id = str(body.get("foreignId", ""))
    if foreign_id and lookup(data, foreign_id):
        raise Refusal(409, "/foreignId is the identifier of another AuthAccess")
    return data.add(
        label=foreign_id,
        status=ACTIVE,
        client_id=secrets.token_hex(16),
        secret=secrets.token_urlsafe(32),
        fields={
            "name": body["name"],
            "permission": body["permission"],
            "created": milliseconds(data.now),
            "creator": {**creator, "accountId": f"account{data.tenant}"},
            **{name: body[name] for name in MODIFIABLE if name in body},
        },
    )


def lookup(data: Tenancy, identifier: str) -> Credential | None:
    """The AuthAccess with this id, token or foreignId (FP4), if there is one; no identifier is of two."""
    if not identifier:
        return None  # those without a foreignId are not found by its absence
    by_foreign_id, _ = data.page(label=identifier, page=1, size=1)
    found = data.by_client_id(identifier) or next(iter(by_foreign_id), None)
    try:
        return found or data.get(identifier)
    except Refusal:
        return None


def change(data: Tenancy, access: Credential, body: Body) -> Credential:
    """The same AuthAccess after an update (FP7). Raises `Refusal` 422 if it contradicts itself."""
    changed, removed = body.get("change", {}), body.get("remove", [])
    if not isinstance(changed, Mapping) or not isinstance(removed, list):
        raise TypeError("UPDATE lets no other body through")
    if set(changed) & set(removed):
        raise unprocessable(Fault("/remove", "must not hold what /change changes"))
    fields = {**access.fields, **changed}
    for name in removed:
        fields.pop(name, None)
    return data.update(access, label=access.label, fields=fields)


def show(data: Tenancy, access: Credential, base: str) -> dict[str, object]:
    """An AuthAccess as every answer shows it, with the document's fields; what is undefined is absent."""
    fields = access.fields
    shown = {
        "createdTime": moment(int(str(fields["created"]))),
        "creator": fields["creator"],
        "description": fields.get("description"),
        "foreignData": fields.get("foreignData"),
        "foreignId": access.label or None,
        "id": access.id,
        "isEnabled": access.status == ACTIVE,
        "name": fields["name"],
        "permission": {"_type": "Simple", "name": fields["permission"]},
        "secretKey": HIDDEN,
        "token": access.client_id,
        "url": f"{base}{data.vendor}/{data.tenant}/authAccess/{access.id}",
    }
    return {name: value for name, value in shown.items() if value is not None}


def milliseconds(now: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z."""
    return (now - _EPOCH) // timedelta(milliseconds=1)


def moment(created: int) -> dict[str, object]:
    """A moment in milliseconds as the document's UTCDateTime (FP10)."""
    iso8601 = (_EPOCH + timedelta(milliseconds=created)).isoformat(timespec="milliseconds")
    return {
        "iso8601": iso8601.replace("+00:00", "Z"),
        "timestamp": {"milliseconds": created, "seconds": created / 1000},
    }
