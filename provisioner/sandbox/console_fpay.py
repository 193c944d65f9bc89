"""FPay's console: AuthAccess objects with their keys, enabled and disabled here only (FP1, FP7 to FP9)."""

from __future__ import annotations

from provisioner.sandbox import fpay_console
from provisioner.sandbox.console_model import (
    PAGE_SIZE,
    Action,
    Console,
    Desk,
    Input,
    Item,
    Outcome,
    Value,
    Widget,
    text,
)
from provisioner.sandbox.fpay import FPAY
from provisioner.sandbox.fpay_access import PERMISSIONS
from provisioner.sandbox.fpay_objects import MODIFIABLE, lookup, show
from provisioner.sandbox.replies import not_found
from provisioner.sandbox.strict import Body
from provisioner.sandbox.tenancy import Credential

_DESCRIPTION = Input(
    "description", "Description", Widget.LINES, "Details, explanations and notes about this item."
)
_FOREIGN_DATA = Input("foreignData", "Foreign data", Widget.LINES, "foreignData: at most 128 characters.")

_NEW = (
    Input("name", "Name", hint="API Authentication name.", required=True),
    Input(
        "permission",
        "Permission",
        Widget.CHOICE,
        required=True,
        choices=lambda data: tuple((name, name) for name in PERMISSIONS),
    ),
    _DESCRIPTION,
    _FOREIGN_DATA,
    Input("foreignId", "Foreign ID", hint="foreignId: unique, at most 128 characters, never modified."),
)


def _item(desk: Desk, access: Credential) -> Item:
    shown = show(desk.data, access, desk.base)
    enabled = bool(shown["isEnabled"])
    return Item(
        id=access.id,
        title=text(shown, "name"),
        cells=(
            str(access.fields["permission"]),
            text(shown, "foreignId", absent="none"),
            "Enabled" if enabled else "Disabled",
        ),
        details=(
            ("Permission", str(access.fields["permission"])),
            ("Enabled", "Yes" if enabled else "No"),
            ("Token", access.client_id),
            ("Foreign ID", text(shown, "foreignId", absent="none")),
            ("Foreign data", text(shown, "foreignData", absent="none")),
            ("Description", text(shown, "description", absent="none")),
            ("Created", access.created_at.replace("T", " ").replace("Z", " UTC")),
        ),
        values={name: text(shown, name) for name in MODIFIABLE},
        can=frozenset({"change", "reveal", "disable" if enabled else "enable"}),
    )


def _items(desk: Desk, page: int) -> tuple[list[Item], int | None]:
    found, following = desk.data.page(label=None, page=page, size=PAGE_SIZE)
    return [_item(desk, access) for access in found], following


def _show(desk: Desk, identifier: str) -> Item:
    access = lookup(desk.data, identifier)
    if access is None:
        raise not_found()
    return _item(desk, access)


def _find(desk: Desk, identifier: str) -> list[Item]:
    access = lookup(desk.data, identifier)
    return [_item(desk, access)] if access else []


def _create(desk: Desk, _: str, body: Body) -> Outcome:
    return Outcome(fpay_console.create(desk.data, body).id)


def _change(desk: Desk, identifier: str, body: Body) -> Outcome:
    """What the form leaves empty is removed; what is as it was is left alone (FP7)."""
    before = _show(desk, identifier).values
    changed = {name: value for name, value in body.items() if value and value != before.get(name)}
    removed = [name for name, value in body.items() if not value and before.get(name)]
    update = {"change": changed} if changed else {}
    if changed or removed:
        fpay_console.change(desk.data, identifier, {**update, **({"remove": removed} if removed else {})})
    return Outcome(identifier)


def _reveal(desk: Desk, identifier: str, _: Body) -> Outcome:
    keys = fpay_console.reveal(desk.data, identifier)
    return Outcome(
        identifier,
        (Value("token", "Token", keys.token), Value("secret_key", "Secret key", keys.secret_key)),
    )


def _disable(desk: Desk, identifier: str, _: Body) -> Outcome:
    fpay_console.disable(desk.data, identifier)
    return Outcome(identifier)


def _enable(desk: Desk, identifier: str, _: Body) -> Outcome:
    fpay_console.enable(desk.data, identifier)
    return Outcome(identifier)


CONSOLE = Console(
    vendor=FPAY,
    title="FPay",
    heading="AuthAccess",
    way=("Console", "AuthAccess"),
    noun="AuthAccess",
    columns=("Name", "Permission", "Foreign ID", "Status"),
    items=_items,
    find=_find,
    item=_show,
    create=Action(
        "new",
        "Create AuthAccess",
        _create,
        heading="Create AuthAccess",
        submit="Create",
        inputs=_NEW,
        done="The AuthAccess was created.",
    ),
    change=Action(
        "change",
        "Update",
        _change,
        heading="Update",
        submit="Save",
        inputs=(_DESCRIPTION, _FOREIGN_DATA),
        partial=True,
        done="The AuthAccess was updated.",
    ),
    actions=(
        Action("reveal", "Reveal secretKey", _reveal, heading="Secret key", at_once=True, writes=False),
        Action(
            "disable",
            "Disable",
            _disable,
            heading="Disable AuthAccess",
            question="Disable this AuthAccess? Its requests to FPay's servers are rejected from then on.",
            danger=True,
            done="The AuthAccess was disabled.",
        ),
        Action(
            "enable",
            "Enable",
            _enable,
            heading="Enable AuthAccess",
            question="Enable this AuthAccess? It can make requests to FPay's servers again.",
            done="The AuthAccess was enabled.",
        ),
    ),
)
