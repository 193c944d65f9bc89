"""The parts that pages are made of: a table of items, their actions, a form, and what is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provisioner.sandbox.console_forms import fields
from provisioner.sandbox.console_frame import Place, form_token, scrolling
from provisioner.sandbox.console_html import Markup, join, tag
from provisioner.sandbox.console_model import Action, Desk, Item, Value
from provisioner.sandbox.replies import Fault, Refusal
from provisioner.sandbox.strict import Body


def table(place: Place, items: Sequence[Item]) -> Markup:
    """The rows of a list."""
    console = place.console
    heads = [tag("th", words, scope="col") for words in console.columns]
    head = tag("tr", *heads, tag("th", "Action", scope="col", class_="do"))
    rows = [_row(place, one) for one in items]
    caption = tag("caption", console.heading, class_="unseen")
    drawn = tag("table", caption, tag("thead", head), tag("tbody", *rows))
    return scrolling(drawn, console.heading)


def _row(place: Place, one: Item) -> Markup:
    name = tag("th", tag("a", one.title, href=place.item(one.id)), scope="row")
    cells = [tag("td", words) for words in one.cells]
    return tag("tr", name, *cells, tag("td", actions(place, one, buttons=False), class_="do"))


def actions(place: Place, one: Item, *, buttons: bool) -> Markup:
    """What can be done with an item: in a row links, on its page buttons. The words say with which."""
    offered = [action for action in place.console.actions if action.name in one.can]
    at_once = [tag("li", _button(place, one, action)) for action in offered if action.at_once]
    asking = [tag("li", _link(place, one, action, buttons)) for action in offered if not action.at_once]
    if buttons or not place.console.menu:
        return tag("ul", *at_once, *asking, class_="acts")
    opener = tag("summary", place.console.menu, aria_label=f"Actions for {one.title}")
    menu = tag("li", tag("details", opener, tag("ul", *asking, class_="acts")))
    return tag("ul", *at_once, menu, class_="acts")


def _link(place: Place, one: Item, action: Action, button: bool) -> Markup:
    return tag(
        "a",
        action.label,
        href=place.item(one.id, action.name),
        class_="button quiet" if button else None,
        aria_label=f"{action.label}: {one.title}",
    )


def _button(place: Place, one: Item, action: Action) -> Markup:
    address = place.item(one.id, action.name)
    return tag(
        "form",
        form_token(place.session, address),
        tag("button", action.label, type="submit", class_="plain", aria_label=f"{action.label}: {one.title}"),
        method="post",
        action=address,
        class_="inline",
    )


def form_of(
    place: Place, desk: Desk, action: Action, one: Item | None, values: Body, problem: Refusal | None
) -> Markup:
    """What an action asks, and the button that does it; for a new item without one."""
    address = place.item(one.id, action.name) if one else f"{place.home}new"
    back = place.item(one.id) if one else place.home
    submit = tag("button", action.submit, type="submit", class_="danger" if action.danger else None)
    return tag(
        "form",
        form_token(place.session, address),
        fields(action, desk.data, values, problem.faults if problem else ()),
        tag("p", action.question) if action.question else None,
        tag("div", submit, tag("a", "Cancel", href=back, class_="button quiet"), class_="buttons"),
        method="post",
        action=address,
        # It is the vendor that says what is missing, at each field and all at once.
        novalidate=True,
    )


def details(one: Item, *, brief: bool = False) -> Markup:
    """What there is to read of an item; in brief, under which id it is kept."""
    rows = [] if brief else [join(tag("dt", term), tag("dd", words)) for term, words in one.details]
    identity = join(tag("dt", "Id"), tag("dd", tag("code", one.id), id="remote_id"))
    return tag("dl", identity, *rows)


def values_of(values: Sequence[Value]) -> Markup | None:
    """Fields to copy from: with the keyboard, a field is reached by Tab and selected as a whole."""
    if not values:
        return None
    return tag("section", *[_value(one) for one in values], class_="values", aria_label="To copy")


def _value(one: Value) -> Markup:
    box = tag(
        "input",
        id=one.name,
        type="text",
        readonly=True,
        value=one.text,
        class_="value",
        autocomplete="off",
        spellcheck="false",
    )
    return tag("div", tag("label", one.label, for_=one.name), box, class_="field")


def status(done: str) -> Markup | None:
    """What was done, if anything was."""
    return tag("div", tag("p", done), class_="note good", role="status") if done else None


def problem_of(refusal: Refusal | None, action: Action | None = None) -> Markup | None:
    """What the vendor refused, if it did; what is wrong with a field of the action's form leads there."""
    if refusal is None:
        return None
    if not refusal.faults:
        return tag("div", tag("p", _sentence(refusal.detail)), class_="note error", role="alert")
    labels = {one.name: one.label for one in action.inputs} if action else {}
    rows = [tag("li", _fault(fault, labels)) for fault in refusal.faults]
    nothing = tag("p", tag("strong", "Nothing was done:"))
    return tag("div", nothing, tag("ul", *rows), class_="note error", role="alert")


def _fault(fault: Fault, labels: Mapping[str, str]) -> str | Markup:
    name = fault.pointer.removeprefix("/")
    if name in labels:
        return tag("a", f"{labels[name]} {fault.detail}", href=f"#{name}")
    return f"{name} {fault.detail}".strip()


def _sentence(detail: str) -> str:
    return f"{detail[:1].upper()}{detail[1:]}."


def finder(place: Place, find: str) -> Markup:
    """Where a person finds an item by what they know of it."""
    box = tag("input", id="find", name="find", type="search", value=find, autocomplete="off")
    field = tag("div", tag("label", "Find by id or label", for_="find"), box, class_="field")
    return tag(
        "form",
        field,
        tag("button", "Find", type="submit", class_="quiet"),
        method="get",
        action=place.home,
        role="search",
    )


def turns(place: Place, page: int, following: int | None) -> Markup | None:
    """To the pages before and after this one, where there are any."""
    back = tag("a", "Previous page", href=f"{place.home}?page={page - 1}", rel="prev") if page > 1 else None
    on = tag("a", "Next page", href=f"{place.home}?page={following}", rel="next") if following else None
    return tag("nav", back, " " if back and on else None, on, aria_label="Pages") if back or on else None
