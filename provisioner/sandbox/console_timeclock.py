"""TimeClock's profile pages: where a user's API access is granted, shown, changed and revoked (TC1 to TC6).

The document has each user sign in to their own profile; that one console holds every user's profile is ours.
"""

from __future__ import annotations

from provisioner.sandbox.console_model import (
    PAGE_SIZE,
    Action,
    Console,
    Desk,
    Input,
    Item,
    Outcome,
    Shown,
    Value,
    text,
)
from provisioner.sandbox.strict import Body
from provisioner.sandbox.timeclock import TIMECLOCK
from provisioner.sandbox.timeclock_users import show_user, user_of

_ACCESS = "admin/v1/users/{id}/api-access"

_LABEL = Input("label", "Label", hint="What the API access is for.", required=True)


def _show(desk: Desk, user_id: str) -> Item:
    user = show_user(user_of(desk.data, user_id))
    label = text(desk.call("GET", _ACCESS, id=user_id), "label") if user["api_access"] else ""
    return Item(
        id=text(user, "id"),
        title=text(user, "name"),
        cells=(text(user, "id"), "Granted" if user["api_access"] else "None", label),
        details=(
            ("Active", "Yes" if user["active"] else "No"),
            ("API access", "Granted" if user["api_access"] else "None"),
            ("PIN", "Generated" if user["pin"] else "None"),
        ),
        values={"label": label},
        can=_offers(user),
        shown=_keys(desk, user_id) if user["api_access"] else (),
    )


def _offers(user: Shown) -> frozenset[str]:
    access = {"change", "change-key", "revoke"} if user["api_access"] else {"grant"}
    return frozenset({"pin", *access})


def _keys(desk: Desk, user_id: str) -> tuple[Value, ...]:
    """TC1: the profile shows identifier and key from the grant on."""
    pair = desk.call("GET", f"{_ACCESS}/key", id=user_id)
    return (
        Value("identifier", "API identifier", text(pair, "identifier")),
        Value("key", "Access key", text(pair, "key")),
    )


def _users(desk: Desk, page: int) -> tuple[list[Item], int | None]:
    return [_show(desk, text(user, "id")) for user in desk.data.all_stored("user")], None


def _find(desk: Desk, wanted: str) -> list[Item]:
    """By the user's id or name, or by the label of the access."""
    labelled, _ = desk.data.page(label=wanted, page=1, size=PAGE_SIZE)
    linked = {one.fields["user_id"] for one in labelled}
    users = desk.data.all_stored("user")
    meant = [one["id"] for one in users if wanted in (str(one["id"]), one["name"]) or one["id"] in linked]
    return [_show(desk, str(one)) for one in meant]


def _grant(desk: Desk, user_id: str, body: Body) -> Outcome:
    desk.call("POST", _ACCESS, body, id=user_id)
    return Outcome(user_id)


def _change(desk: Desk, user_id: str, body: Body) -> Outcome:
    desk.call("PATCH", _ACCESS, body, id=user_id)
    return Outcome(user_id)


def _change_key(desk: Desk, user_id: str, _: Body) -> Outcome:
    desk.call("POST", f"{_ACCESS}/change-key", id=user_id)
    return Outcome(user_id)


def _revoke(desk: Desk, user_id: str, _: Body) -> Outcome:
    desk.call("DELETE", _ACCESS, id=user_id)
    return Outcome(user_id)


def _pin(desk: Desk, user_id: str, _: Body) -> Outcome:
    made = desk.call("POST", "admin/v1/users/{id}/pin", id=user_id)
    return Outcome(user_id, (Value("pin", "PIN", text(made, "pin")),))


CONSOLE = Console(
    vendor=TIMECLOCK,
    title="TimeClock",
    heading="Profiles",
    way=("Profile",),
    noun="profile",
    columns=("User", "API identifier", "API access", "Label"),
    items=_users,
    find=_find,
    item=_show,
    change=Action(
        "change",
        "Label",
        _change,
        heading="Label of the API access",
        submit="Save",
        inputs=(_LABEL,),
        partial=True,
        done="The label was saved.",
    ),
    actions=(
        Action(
            "grant",
            "Grant yourself API access",
            _grant,
            heading="Grant yourself API access",
            inputs=(_LABEL,),
            done="API access was granted: the identifier and key are on this page.",
        ),
        Action(
            "change-key",
            "Change API key",
            _change_key,
            heading="Change API key",
            question="Are you sure you want to change the API key to a new one? The previous API key is not "
            "valid anymore in that case.",
            done="The API key was changed: the new one is on this page.",
        ),
        Action(
            "revoke",
            "Revoke API access",
            _revoke,
            heading="Revoke API access",
            question="Are you sure you want to revoke API access? It will not be available anymore, and the "
            "API key will be removed.",
            danger=True,
            done="API access was revoked.",
        ),
        Action(
            "pin",
            "Generate PIN",
            _pin,
            heading="Generate PIN",
            question="Generate a new PIN for this user? An older one stops working.",
            done="The PIN was generated.",
            warning="Note the PIN now: it is shown this once.",
        ),
    ),
)
