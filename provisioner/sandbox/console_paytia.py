"""Paytia's screen "API Secret Key": key and tokens stand on it once, when they are generated (PY1 to PY6)."""

from __future__ import annotations

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
    on_off,
    text,
)
from provisioner.sandbox.paytia import PAYTIA
from provisioner.sandbox.strict import Body

_PATH = "admin/v1/api-keys"
_ONE = f"{_PATH}/{{id}}"

_FORMATS = {"single": "Single JSON Data", "multiple": "Multiple JSON Data"}

#: PY5, in the document's order.
_TOKENS = {
    "client_id": "Client ID",
    "client_secret": "Client Secret",
    "access_token": "Access Token",
    "refresh_token": "Refresh Token",
}

_INPUTS = (
    Input("label", "Label", required=True),
    Input("description", "Description"),
    Input(
        "allow_ips",
        "IP addresses",
        Widget.LIST,
        "Optional: the addresses or networks of your server, one on each line. None lets every caller in.",
    ),
    Input(
        "webhook_format",
        "Webhook Output Format",
        Widget.CHOICE,
        "Multiple JSON Data has each field on a line of its own, for Worldpay Corporate Gateway.",
        required=True,
        choices=lambda data: tuple(_FORMATS.items()),
    ),
    Input(
        "enhance_security",
        "Enhance Security",
        Widget.SWITCH,
        "With it on, requests are pre-authorized by /api/authorize.",
    ),
)


def _item(shown: Shown) -> Item:
    security = on_off(shown["enhance_security"])
    return Item(
        id=text(shown, "id"),
        title=text(shown, "label"),
        cells=(f"…{text(shown, 'api_key_ending')}", text(shown, "allow_ips", absent="any"), security),
        details=(
            ("API key", f"ends in {text(shown, 'api_key_ending')}; it was shown once"),
            ("Client ID", text(shown, "client_id", absent="none: no tokens yet")),
            ("Tokens generated", day(shown, "tokens_generated_at")),
            ("Description", text(shown, "description", absent="none")),
            ("IP addresses", text(shown, "allow_ips", absent="any")),
            ("Webhook Output Format", _FORMATS[text(shown, "webhook_format")]),
            ("Enhance Security", security),
            ("Created", day(shown, "created_at")),
        ),
        values={field.name: shown[field.name] for field in _INPUTS},
        can=frozenset({"change", "tokens", "delete"}),
    )


def _show(desk: Desk, remote_id: str) -> Item:
    return _item(desk.call("GET", _ONE, id=remote_id))


def _create(desk: Desk, _: str, body: Body) -> Outcome:
    made = desk.call("POST", _PATH, body)
    return Outcome(text(made, "id"), (Value("api_key", "API Key", text(made, "api_key")),))


def _change(desk: Desk, remote_id: str, body: Body) -> Outcome:
    desk.call("PATCH", _ONE, body, id=remote_id)
    return Outcome(remote_id)


def _tokens(desk: Desk, remote_id: str, _: Body) -> Outcome:
    made = desk.call("POST", f"{_ONE}/tokens", id=remote_id)
    return Outcome(remote_id, tuple(Value(name, label, text(made, name)) for name, label in _TOKENS.items()))


def _delete(desk: Desk, remote_id: str, _: Body) -> Outcome:
    desk.call("DELETE", _ONE, id=remote_id)
    return Outcome()


CONSOLE = Console(
    vendor=PAYTIA,
    title="Paytia",
    heading="API Secret Key",
    way=("Account Security", "API Secret Key"),
    noun="API key",
    columns=("Label", "API key", "IP addresses", "Enhance Security"),
    items=lister(_PATH, _item),
    find=finder(_show),
    item=_show,
    create=Action(
        "new",
        "Generate API Key",
        _create,
        heading="Generate API Key",
        submit="Save",
        inputs=_INPUTS,
        initial={"webhook_format": "single"},
        done="The API key was generated.",
        warning="Copy the API key now: it is shown this once. Its tokens are generated on its page.",
    ),
    change=Action(
        "change",
        "Configure API Key Settings",
        _change,
        heading="Configure API Key Settings",
        submit="Save",
        inputs=_INPUTS,
        partial=True,
        done="The settings were saved, and are in effect.",
    ),
    actions=(
        Action(
            "tokens",
            "Generate Tokens",
            _tokens,
            heading="Generate Tokens",
            question="Generate client secret, access token and refresh token for this API key? Those that it "
            "has stop working at once.",
            submit="Generate Tokens",
            done="The tokens were generated.",
            warning="Copy these now: they are shown this once. The access token expires in one hour.",
        ),
        Action(
            "delete",
            "Delete",
            _delete,
            heading="Delete API key",
            question="Are you sure you want to delete this API key? It and its tokens stop working at once, "
            "and this cannot be undone.",
            danger=True,
            done="The API key was deleted.",
        ),
    ),
    empty="There are no API keys yet.",
)
