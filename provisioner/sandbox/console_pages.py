"""The pages of every console: a list, an item, a form, what is shown, a sign-in and a problem."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from provisioner.sandbox.console_frame import Place, page_of
from provisioner.sandbox.console_html import Markup, join, tag
from provisioner.sandbox.console_model import Action, Desk, Item, Outcome
from provisioner.sandbox.console_parts import (
    actions,
    details,
    finder,
    form_of,
    problem_of,
    status,
    table,
    turns,
    values_of,
)
from provisioner.sandbox.replies import Refusal
from provisioner.sandbox.strict import Body


def listing(
    place: Place, items: Sequence[Item], *, page: int, following: int | None, find: str, done: str
) -> str:
    """One page of rows, or what was found."""
    console = place.console
    new = tag("a", console.create.label, href=f"{place.home}new", class_="button") if console.create else ""
    nothing = f"There is nothing that is called {find}." if find else console.empty
    return page_of(
        place,
        console.heading,
        tag("h1", console.heading),
        tag("p", " › ".join(console.way), class_="way"),
        tag("p", console.about) if console.about else None,
        status(done),
        tag("div", tag("span", new), finder(place, find), class_="bar"),
        table(place, items) if items else tag("p", nothing, class_="empty"),
        turns(place, page, following),
    )


def item(
    place: Place,
    desk: Desk,
    one: Item,
    done: str = "",
    values: Body | None = None,
    problem: Refusal | None = None,
) -> str:
    """All that there is to see of one item, and to do with it; `values` and `problem` are of its form."""
    console = place.console
    return page_of(
        place,
        _titled(one.title, problem),
        tag("h1", one.title),
        tag("p", tag("a", console.heading, href=place.home), f" › {console.noun}", class_="way"),
        status(done),
        problem_of(problem, console.change),
        details(one),
        values_of(one.shown),
        tag("h2", "Actions"),
        actions(place, one, buttons=True),
        _edit(place, desk, one, one.values if values is None else values, problem),
    )


def _edit(place: Place, desk: Desk, one: Item, values: Body, problem: Refusal | None) -> Markup | None:
    change = place.console.change
    if change is None or change.name not in one.can:
        return None
    return join(tag("h2", change.heading), form_of(place, desk, change, one, values, problem))


def form(
    place: Place,
    desk: Desk,
    action: Action,
    one: Item | None,
    values: Body,
    problem: Refusal | None = None,
) -> str:
    """What an action asks before it does anything."""
    return page_of(
        place,
        _titled(action.heading, problem),
        tag("h1", action.heading),
        tag("p", tag("strong", one.title), class_="way") if one else None,
        problem_of(problem, action),
        form_of(place, desk, action, one, values, problem),
    )


def shown(place: Place, action: Action, one: Item, outcome: Outcome) -> str:
    """What an action shows to copy."""
    once = tag("div", tag("p", action.warning), class_="note once", role="status") if action.warning else None
    back = tag("a", f"Back to {place.console.heading}", href=place.home, class_="button quiet")
    more = tag("a", f"Open the {place.console.noun}", href=place.item(one.id), class_="button quiet")
    return page_of(
        place,
        action.heading,
        tag("h1", action.heading),
        tag("p", tag("strong", one.title), class_="way"),
        status(action.done),
        once,
        values_of(outcome.shown),
        details(one, brief=True),
        tag("div", more, back, class_="buttons"),
    )


def sign_in(place: Place, problem: Refusal | None = None, done: str = "") -> str:
    """Where a person proves who they are."""
    command = f"provision sandbox token {place.console.vendor.name} {place.tenant}"
    hint = join("The management token of this tenant, as ", tag("code", command), " prints it.")
    return page_of(
        place,
        _titled("Sign in", problem),
        tag("h1", f"Sign in to {place.console.title}"),
        tag("p", f"The console of the tenant {place.tenant}.", class_="way"),
        status(done),
        tag(
            "form",
            _password(hint, problem.detail if problem else ""),
            tag("div", tag("button", "Sign in", type="submit"), class_="buttons"),
            method="post",
            action=f"{place.home}sign-in",
        ),
    )


def _password(hint: Markup, fault: str) -> Markup:
    box = tag(
        "input",
        id="password",
        name="password",
        type="password",
        required=True,
        autocomplete="off",
        aria_describedby="password-hint password-fault" if fault else "password-hint",
        aria_invalid="true" if fault else None,
    )
    return tag(
        "div",
        tag("label", "Console password", for_="password"),
        tag("span", hint, id="password-hint", class_="hint"),
        tag("span", fault, id="password-fault", class_="fault", role="alert") if fault else None,
        box,
        class_="field",
    )


def problem(place: Place, refusal: Refusal) -> str:
    """What could not be done, and where to go on."""
    title = HTTPStatus(refusal.status).phrase
    back = tag("a", f"Back to {place.console.heading}", href=place.home, class_="button quiet")
    return page_of(place, title, tag("h1", title), problem_of(refusal), tag("div", back, class_="buttons"))


def _titled(title: str, problem: Refusal | None) -> str:
    # The title is the first thing that a screen reader says of a page.
    return f"Error: {title}" if problem else title
