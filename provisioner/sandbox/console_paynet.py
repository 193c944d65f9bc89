"""PayNet's Developer Portal: the screen "API Keys" (PN1, PN3, PN4), and its staff's requests (PN2)."""

from __future__ import annotations

from collections.abc import Callable

from provisioner.sandbox.console_model import (
    Action,
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
    text,
)
from provisioner.sandbox.paynet import PAYNET, SCOPES
from provisioner.sandbox.replies import Refusal
from provisioner.sandbox.strict import Body

_PATH = "developer/v1/keys"
_ONE = f"{_PATH}/{{id}}"

_STATUSES = {
    "active": "Active",
    "pending": "Waits for approval",
    "denied": "Denied",
}

_LABEL = Input("label", "Label", required=True)
_DESCRIPTION = Input("description", "Description")
_SCOPES = Input(
    "scopes",
    "Scopes",
    Widget.SET,
    required=True,
    choices=lambda data: tuple((scope, scope) for scope in SCOPES),
)


def _item(shown: Shown) -> Item:
    return Item(
        id=text(shown, "id"),
        title=text(shown, "client_id"),
        cells=("••••••••", text(shown, "label"), _STATUSES[text(shown, "status")]),
        details=(
            ("Label", text(shown, "label")),
            ("Description", text(shown, "description", absent="none")),
            ("Scopes", text(shown, "scopes")),
            ("Status", _STATUSES[text(shown, "status")]),
            ("Created", day(shown, "created_at")),
            ("Renewed", day(shown, "renewed_at")),
        ),
        values={"label": shown["label"], "description": shown["description"]},
        can=frozenset({"reveal", "renew", "revoke", "change"}),
    )


def _show(desk: Desk, remote_id: str) -> Item:
    return _item(desk.call("GET", _ONE, id=remote_id))


def _create(desk: Desk, _: str, body: Body) -> Outcome:
    return Outcome(text(desk.call("POST", _PATH, body), "id"))


def _change(desk: Desk, remote_id: str, body: Body) -> Outcome:
    desk.call("PATCH", _ONE, body, id=remote_id)
    return Outcome(remote_id)


def _reveal(desk: Desk, remote_id: str, _: Body) -> Outcome:
    pair = desk.call("GET", f"{_ONE}/secret", id=remote_id)
    return Outcome(
        remote_id,
        (
            Value("client_id", "Client ID", text(pair, "client_id")),
            Value("client_secret", "Client Secret", text(pair, "client_secret")),
        ),
    )


def _renew(desk: Desk, remote_id: str, _: Body) -> Outcome:
    desk.call("POST", f"{_ONE}/renew", id=remote_id)
    return Outcome(remote_id)


def _revoke(desk: Desk, remote_id: str, _: Body) -> Outcome:
    desk.call("DELETE", _ONE, id=remote_id)
    return Outcome()


CONSOLE = Console(
    vendor=PAYNET,
    title="PayNet",
    heading="API Keys",
    way=("PayNet Developer Portal", "API Keys"),
    noun="API key",
    columns=("Client ID", "Client Secret", "Label", "Status"),
    items=lister(_PATH, _item),
    find=finder(_show),
    item=_show,
    create=Action(
        "new",
        "+ Create API Key",
        _create,
        heading="Create API Key",
        question="Are you sure you want to create new API key?",
        inputs=(_LABEL, _DESCRIPTION, _SCOPES),
        done="The API key was created.",
    ),
    change=Action(
        "change",
        "Edit",
        _change,
        heading="Edit",
        submit="Save",
        inputs=(_LABEL, _DESCRIPTION),
        partial=True,
        done="The API key was saved.",
    ),
    actions=(
        Action("reveal", "Reveal", _reveal, heading="Client Secret", at_once=True, writes=False),
        Action(
            "renew",
            "Renew",
            _renew,
            heading="Renew API key",
            question="Are you sure you want to renew the API key? Its client secret is replaced, and the "
            "present one stops working at once.",
            done="The API key was renewed: it has another client secret now.",
        ),
        Action(
            "revoke",
            "Revoke",
            _revoke,
            heading="Revoke API key",
            question="Are you sure you want to revoke the API key? This action will immediately delete key "
            "from database and cannot be undone.",
            danger=True,
            done="The API key was revoked.",
        ),
    ),
    menu="⋮",
    empty="There are no API keys yet.",
    about="Keys for production are generated at once, and work once PayNet has approved them.",
)


def _request(shown: Shown) -> Item:
    return Item(
        id=text(shown, "id"),
        title=text(shown, "client_id"),
        cells=(text(shown, "label"), text(shown, "scopes"), day(shown, "created_at")),
        details=(
            ("Label", text(shown, "label")),
            ("Description", text(shown, "description", absent="none")),
            ("Scopes", text(shown, "scopes")),
            ("Requested", day(shown, "created_at")),
        ),
        can=frozenset({"approve", "deny"}),
    )


def _requests(desk: Desk, page: int) -> tuple[list[Item], int | None]:
    every, _ = desk.data.page(label=None, page=1, size=10**9)
    waiting = [one.id for one in every if one.status == "pending"]
    return [_show_request(desk, one) for one in waiting], None


def _show_request(desk: Desk, remote_id: str) -> Item:
    shown = desk.call("GET", _ONE, id=remote_id)
    if shown["status"] != "pending":
        raise Refusal(404, "there is one decision on each request, and this one was made")
    return _request(shown)


def _decide(status: str) -> Callable[[Desk, str, Body], Outcome]:
    def run(desk: Desk, remote_id: str, _: Body) -> Outcome:
        desk.data.set_status(desk.data.get(_show_request(desk, remote_id).id), status)
        return Outcome()

    return run


#: PN2: whoever reviews requests for production works for PayNet, not for the tenant. The desk is ours.
STAFF = Console(
    vendor=PAYNET,
    title="PayNet staff",
    heading="Production access requests",
    way=("PayNet staff", "Production access requests"),
    noun="request",
    columns=("Client ID", "Label", "Scopes", "Requested"),
    items=_requests,
    find=finder(_show_request),
    item=_show_request,
    actions=(
        Action(
            "approve",
            "Approve",
            _decide("active"),
            heading="Approve production access",
            question="Are you sure you want to approve this key for production? It works from then on.",
            done="Production access was approved.",
        ),
        Action(
            "deny",
            "Deny",
            _decide("denied"),
            heading="Deny production access",
            question="Are you sure you want to deny this key production access? The decision is final.",
            danger=True,
            done="Production access was denied.",
        ),
    ),
    empty="No key waits for approval.",
    about="You play PayNet's own staff here: in the sandbox, who may sign in to the tenant may also decide.",
    segment="staff",
)
