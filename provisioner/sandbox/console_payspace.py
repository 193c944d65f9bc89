"""PaySpace's screen "API Credentials": id and secret stand on it once, after saving (PS1, PS2, PS3, PS5)."""

from __future__ import annotations

from provisioner.sandbox.console_model import (
    Action,
    Choice,
    Console,
    Desk,
    Input,
    Item,
    Outcome,
    Shown,
    Value,
    Widget,
    day,
    finder,
    lister,
    on_off,
    text,
)
from provisioner.sandbox.payspace import PAYSPACE
from provisioner.sandbox.strict import Body
from provisioner.sandbox.tenancy import Tenancy

_PATH = "api/v1/credentials"
_ONE = f"{_PATH}/{{id}}"

_SCOPES = {"full-access": "Full Access", "read-only": "Read Only"}


def _users(data: Tenancy) -> list[Choice]:
    profiles = data.all_stored("user")
    inactive = {False: " (inactive)", True: ""}
    return [
        (str(one["username"]), f"{one['username']}: {one['role']}{inactive[bool(one['active'])]}")
        for one in profiles
    ]


_INPUTS = (
    Input("label", "Label", required=True),
    Input("description", "Description"),
    Input(
        "scope",
        "Scope",
        Widget.CHOICE,
        "Full Access is needed to create or update data, and takes a user.",
        required=True,
        choices=lambda data: tuple(_SCOPES.items()),
    ),
    Input(
        "user",
        "User",
        Widget.CHOICE,
        "The audit trail names this user, whose security role is enforced for API access.",
        choices=_users,
        blank="no user",
    ),
    Input(
        "development_mode",
        "Development Mode",
        Widget.SWITCH,
        "Figures on payslips (but the pdf payslips) and on the pay rate screen come back masked.",
        tenants=("test",),
    ),
)


def _item(shown: Shown) -> Item:
    scope = _SCOPES[text(shown, "scope")]
    return Item(
        id=text(shown, "id"),
        title=text(shown, "label"),
        cells=(scope, text(shown, "user", absent="none"), day(shown, "created_at")),
        details=(
            ("Description", text(shown, "description", absent="none")),
            ("Client ID and secret", "were shown once, after saving, and cannot be shown again"),
            ("Development Mode", on_off(shown["development_mode"])),
            ("Created", day(shown, "created_at")),
        ),
        values={field.name: shown[field.name] for field in _INPUTS},
        can=frozenset({"change", "delete"}),
    )


def _show(desk: Desk, remote_id: str) -> Item:
    return _item(desk.call("GET", _ONE, id=remote_id))


def _create(desk: Desk, _: str, body: Body) -> Outcome:
    made = desk.call("POST", _PATH, body)
    return Outcome(
        text(made, "id"),
        (
            Value("client_id", "Client ID", text(made, "client_id")),
            Value("client_secret", "Client Secret", text(made, "client_secret")),
        ),
    )


def _change(desk: Desk, remote_id: str, body: Body) -> Outcome:
    desk.call("PATCH", _ONE, body, id=remote_id)
    return Outcome(remote_id)


def _delete(desk: Desk, remote_id: str, _: Body) -> Outcome:
    desk.call("DELETE", _ONE, id=remote_id)
    return Outcome()


CONSOLE = Console(
    vendor=PAYSPACE,
    title="PaySpace",
    heading="API Credentials",
    way=(
        "Configuration",
        "Basic Settings",
        "General Company",
        "Integrations",
        "API Credentials",
    ),
    noun="API credential",
    columns=("Label", "Scope", "User", "Created"),
    items=lister(_PATH, _item),
    find=finder(_show),
    item=_show,
    create=Action(
        "new",
        "+ New Credentials",
        _create,
        heading="New Credentials",
        submit="Save",
        inputs=_INPUTS,
        done="The credential was saved.",
        warning="Important! Copy and save the client id and secret now: you will not be able to retrieve "
        "them once you navigate away from this page.",
    ),
    change=Action(
        "change",
        "Edit",
        _change,
        heading="Edit",
        submit="Save",
        inputs=_INPUTS,
        partial=True,
        done="The credential was saved.",
    ),
    actions=(
        Action(
            "delete",
            "Delete",
            _delete,
            heading="Delete API credential",
            question="Are you sure you want to delete these credentials? They stop working at once, and this "
            "cannot be undone.",
            danger=True,
            done="The credential was deleted.",
        ),
    ),
    empty="There are no API credentials yet.",
)
