"""AuthAccess objects of FPay, as requests ask for them and answers show them (FP1, FP6, FP10)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from provisioner.core.model import JsonObject, JsonValue, Observed, RemoteStatus, Tag
from provisioner.core.provider import Issued, Spec
from provisioner.core.secret import Secret
from provisioner.providers.answers import GONE, absent, called, moment, present, text, words
from provisioner.providers.fpay_trial import permission


def new(spec: Spec, tag: Tag) -> JsonObject:
    """The body of a create (FP1); our tag is its foreignId (FP11)."""
    return {
        "name": spec.address.name,
        "permission": scope(spec.fields),
        "foreignId": str(tag),
        **present(**modifiable(spec.fields)),
    }


def scope(fields: JsonObject) -> str:
    """The one permission that it has (FP2)."""
    (one,) = fields["scopes"]
    return str(one)


def modifiable(fields: JsonObject) -> JsonObject:
    """What an update may change, by FPay's names (FP7); None for what is not declared."""
    settings: JsonObject = fields.get("settings", {})
    return {"description": fields.get("description"), "foreignData": settings.get("foreign_data")}


def created(status: int, body: JsonValue) -> Issued | tuple[int, str]:
    """A reader of a create's answer: what was made, or the status of a refusal and FPay's words."""
    return (status, words(body)) if status in {403, 409} else Issued(text(body, "token"), Secret({}))


def unless_gone(status: int, body: JsonValue) -> Observed | None:
    """A reader of one AuthAccess; None where it is not there."""
    return None if status in GONE else _observed(body)


def page(seen: Collection[str]) -> Callable[[int, JsonValue], tuple[list[Observed], str | None]]:
    """A reader of one page (FP6); `seen` are the pages that were asked for."""

    def read(_status: int, body: JsonValue) -> tuple[list[Observed], str | None]:
        following = body["pagination"]["nextPage"]
        # A list that does not go on would be read forever.
        if following is not None and (not isinstance(following, str) or following in seen):
            raise ValueError("nextPage")
        return [_observed(item) for item in body["items"]], following

    return read


def _observed(body: JsonValue) -> Observed:
    enabled = body["isEnabled"]
    if not isinstance(enabled, bool):
        raise ValueError("isEnabled")
    return Observed(
        remote_id=text(body, "token"),
        status=RemoteStatus.LIVE if enabled else RemoteStatus.DISABLED,
        fields=present(
            description=body.get("description"),
            scopes=[permission(body)],
            settings=present(foreign_data=body.get("foreignData")),
        ),
        tag=Tag.parse(body.get("foreignId", "")),
        name=called(body, "name"),
        created_at=moment(body["createdTime"], "iso8601"),
        unset=absent(description=body.get("description")),
    )
