"""From a vendor's inputs to fields of HTML, and from what a browser sends back to an operation's body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from provisioner.sandbox.console_html import Markup, join, tag
from provisioner.sandbox.console_model import Action, Input, Widget
from provisioner.sandbox.replies import Fault, Refusal
from provisioner.sandbox.strict import Body
from provisioner.sandbox.tenancy import Tenancy

#: The hidden field that holds the form's token.
TOKEN = "form"  # noqa: S105 - the name of a field, not a token

Sent = Mapping[str, Sequence[str]]
"""What a form sent: the values of each name."""


def parse(raw: bytes) -> Sent:
    """What a form sent, as its browser wrote it. Raises `Refusal` 400."""
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=200
        )
    except ValueError as problem:
        raise Refusal(400, "the body is not well-formed form data") from problem
    sent: dict[str, list[str]] = {}
    for name, value in pairs:
        sent.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return sent


def first(sent: Sent, name: str) -> str:
    """The first value of this name, or nothing."""
    return next(iter(sent.get(name, ())), "")


def inputs_of(action: Action, data: Tenancy) -> tuple[Input, ...]:
    """The inputs that this tenant's form of the action has."""
    return tuple(one for one in action.inputs if data.tenant in one.tenants)


def body_of(action: Action, data: Tenancy, sent: Sent) -> Body:
    """The body for the vendor's operation. Raises `Refusal` 400 for a field that the form does not have."""
    inputs = inputs_of(action, data)
    if not set(sent) <= {TOKEN, *(one.name for one in inputs)}:
        raise Refusal(400, "the form does not have such a field")
    found = {one.name: _value(one, sent) for one in inputs}
    # What is left empty in a new thing is left to the vendor; in one that is there, it is emptied.
    return {name: value for name, value in found.items() if action.partial or value not in (None, [])}


def _value(one: Input, sent: Sent) -> object:
    if one.widget is Widget.SWITCH:
        return bool(first(sent, one.name))
    if one.widget is Widget.SET:
        return list(sent.get(one.name, ()))
    if one.widget is Widget.LIST:
        return [line.strip() for line in first(sent, one.name).split("\n") if line.strip()]
    written = first(sent, one.name)
    return written if written or one.required else None


def kept(action: Action, sent: Sent) -> Body:
    """What a form sent, as values to fill the same form with again."""
    plural = (Widget.SET, Widget.LIST)
    return {
        one.name: list(sent.get(one.name, ())) if one.widget in plural else first(sent, one.name)
        for one in action.inputs
    }


def fields(action: Action, data: Tenancy, values: Body, faults: Sequence[Fault]) -> Markup:
    """The form's fields, filled with `values`, each with what is wrong with it."""
    wrong = {fault.pointer.removeprefix("/"): fault.detail for fault in faults}
    drawn = [
        _DRAW[one.widget](one, data, values.get(one.name), wrong.get(one.name, ""))
        for one in inputs_of(action, data)
    ]
    return join(*drawn)


def _line(one: Input, data: Tenancy, value: object, fault: str) -> Markup:
    written = "" if value is None else str(value)
    box = tag(
        "input",
        id=one.name,
        name=one.name,
        type="text",
        value=written,
        autocomplete="off",
        **_about(one, fault),
    )
    return _field(one, box, fault)


def _lines(one: Input, data: Tenancy, value: object, fault: str) -> Markup:
    written = "\n".join(map(str, value)) if isinstance(value, list) else str(value or "")
    # HTML drops one line end that follows the opening tag.
    box = tag("textarea", f"\n{written}", id=one.name, name=one.name, rows="3", **_about(one, fault))
    return _field(one, box, fault)


def _choice(one: Input, data: Tenancy, value: object, fault: str) -> Markup:
    open_ = [("", one.blank or "choose one")]
    options = [
        tag("option", words, value=sent, selected=sent == (value or ""))
        for sent, words in [*open_, *one.choices(data)]
    ]
    return _field(one, tag("select", *options, id=one.name, name=one.name, **_about(one, fault)), fault)


def _set(one: Input, data: Tenancy, value: object, fault: str) -> Markup:
    ticked = value if isinstance(value, list) else []
    boxes = [
        tag(
            "div",
            tag(
                "input",
                id=f"{one.name}-{number}",
                name=one.name,
                type="checkbox",
                value=sent,
                checked=sent in ticked,
            ),
            tag("label", words, for_=f"{one.name}-{number}"),
            class_="switch",
        )
        for number, (sent, words) in enumerate(one.choices(data), 1)
    ]
    described = {name: value for name, value in _about(one, fault).items() if name == "aria_describedby"}
    legend = tag("legend", one.label, id=one.name, tabindex="-1")
    return tag("fieldset", legend, *_notes(one, fault), *boxes, class_="field", **described)


def _switch(one: Input, data: Tenancy, value: object, fault: str) -> Markup:
    about = _about(one, fault)
    box = tag(
        "input",
        id=one.name,
        name=one.name,
        type="checkbox",
        role="switch",
        value="on",
        checked=bool(value),
        **about,
    )
    line = tag("div", box, tag("label", one.label, for_=one.name), class_="switch")
    return tag("div", line, *_notes(one, fault), class_="field")


_DRAW = {
    Widget.LINE: _line,
    Widget.LINES: _lines,
    Widget.LIST: _lines,
    Widget.CHOICE: _choice,
    Widget.SET: _set,
    Widget.SWITCH: _switch,
}


def _field(one: Input, box: Markup, fault: str) -> Markup:
    words = one.label if one.required else f"{one.label} (optional)"
    return tag("div", tag("label", words, for_=one.name), *_notes(one, fault), box, class_="field")


def _notes(one: Input, fault: str) -> list[Markup]:
    hint = [tag("span", one.hint, id=f"{one.name}-hint", class_="hint")] if one.hint else []
    return hint + ([tag("span", fault, id=f"{one.name}-fault", class_="fault")] if fault else [])


def _about(one: Input, fault: str) -> dict[str, str | bool | None]:
    notes = [f"{one.name}-{kind}" for kind, there in (("hint", one.hint), ("fault", fault)) if there]
    return {
        "aria_describedby": " ".join(notes) or None,
        "aria_invalid": "true" if fault else None,
        "required": one.required and one.widget is not Widget.SWITCH,
    }
