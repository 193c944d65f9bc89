"""A console as data: what a vendor's screen lists, asks, does and shows. Its pages are in `console_pages.py`.

A console changes nothing by itself: each action calls the operation of the vendor's API, or the function that
the API calls too, so a rule is enforced by the same code on both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from provisioner.sandbox.dispatch import Call, Vendor
from provisioner.sandbox.replies import Refusal
from provisioner.sandbox.strict import Body, check
from provisioner.sandbox.tenancy import TENANTS, Tenancy

Shown = Mapping[str, object]
"""A thing as the vendor's API shows it."""

Choice = tuple[str, str]
"""What a form sends, and the words for it."""

PAGE_SIZE = 50


class Widget(Enum):
    """What a person fills in."""

    LINE = "one line of text"
    LINES = "several lines of text"
    LIST = "a text for each line"
    CHOICE = "one of a list"
    SET = "some of a list"
    SWITCH = "on or off"


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form; `name` is also its name in the body that the vendor's operation takes."""

    name: str
    label: str
    widget: Widget = Widget.LINE
    hint: str = ""
    required: bool = False
    choices: Callable[[Tenancy], Sequence[Choice]] = lambda data: ()
    blank: str = ""
    """The words for leaving a choice open; without any, one has to be taken."""
    tenants: tuple[str, ...] = TENANTS


@dataclass(frozen=True, slots=True)
class Value:
    """Something to copy, such as a secret; `name` is its name in the vendor's API."""

    name: str
    label: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the list, and its page."""

    id: str
    title: str
    cells: tuple[str, ...]
    """Of the columns after the first, which shows the title."""
    details: tuple[tuple[str, str], ...] = ()
    """More to read on its page: what it is called, and what it says."""
    values: Body = field(default_factory=dict)
    """What its form is filled with, by the names of the inputs."""
    can: frozenset[str] = frozenset()
    """The names of the actions that it offers now."""
    shown: tuple[Value, ...] = ()
    """What its page shows to copy whenever a person looks."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action did: to which item, and what is shown of it."""

    item: str = ""
    """The id of the item to go to; empty for the list."""
    shown: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a person works: the data of one tenant within one transaction, and the vendor's operations."""

    data: Tenancy
    vendor: Vendor
    base: str
    """The URL that the sandbox was called at, with a slash at its end."""

    def call(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        query: Mapping[str, str] | None = None,
        **named: str,
    ) -> dict[str, object]:
        """The vendor's operation, as its API does it. Raises what it refuses."""
        operation = next(one for one in self.vendor.operations if (one.method, one.path) == (method, path))
        checked = check(operation.body, body or {}) if operation.body is not None else {}
        reply = operation.handler(Call(self.data, named, query or {}, checked, None, self.base))
        return dict(reply.body) if isinstance(reply.body, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do: a button, what is asked before, and what happens then."""

    name: str
    label: str
    """On the button or link that leads to it."""
    run: Callable[[Desk, str, Body], Outcome]
    """Gets the desk, the id of the item (empty for a new one) and the body from the form."""
    done: str = ""
    """What is said afterwards."""
    heading: str = ""
    question: str = ""
    submit: str = "Confirm"
    inputs: tuple[Input, ...] = ()
    initial: Body = field(default_factory=dict)
    """What a new form is filled with."""
    partial: bool = False
    """Whether it changes what is there: a field left empty is then emptied, not left out."""
    danger: bool = False
    at_once: bool = False
    """A button that asks nothing first, for what changes nothing."""
    writes: bool = True
    warning: str = ""
    """What is said above what is shown."""


@dataclass(frozen=True, slots=True)
class Console:
    """One screen of a vendor's portal."""

    vendor: Vendor
    title: str
    """The vendor's name."""
    heading: str
    way: tuple[str, ...]
    """How the document says to get to the screen."""
    noun: str
    columns: tuple[str, ...]
    items: Callable[[Desk, int], tuple[list[Item], int | None]]
    """One page of rows, counted from 1, and the number of the next."""
    find: Callable[[Desk, str], list[Item]]
    """Those that a person means by this text: an id, a client id, a label."""
    item: Callable[[Desk, str], Item]
    """Raises `Refusal` 404."""
    actions: tuple[Action, ...]
    create: Action | None = None
    change: Action | None = None
    """The form on an item's page, where the item can do `change`."""
    empty: str = "There is nothing yet."
    about: str = ""
    menu: str = ""
    """The words of a button that opens the row's actions; without any, they stand in the row."""
    segment: str = "console"

    def action(self, name: str) -> Action | None:
        """The action of an item that has this name."""
        every = (*self.actions, *((self.change,) if self.change else ()))
        return next((action for action in every if action.name == name), None)


def finder(show: Callable[[Desk, str], Item]) -> Callable[[Desk, str], list[Item]]:
    """Finds by id, client id or label, each exactly, what `show` makes an item of."""

    def find(desk: Desk, text: str) -> list[Item]:
        labelled, _ = desk.data.page(label=text, page=1, size=PAGE_SIZE)
        known = desk.data.by_client_id(text)
        ids = [one.id for one in (known, *labelled) if one is not None]
        return _existing(desk, show, dict.fromkeys([text, *ids]))

    return find


def _existing(desk: Desk, show: Callable[[Desk, str], Item], ids: Mapping[str, object]) -> list[Item]:
    found = []
    for one in ids:
        try:
            found.append(show(desk, one))
        except Refusal as refusal:
            if refusal.status != 404:
                raise
    return found


def lister(path: str, item: Callable[[Shown], Item]) -> Callable[[Desk, int], tuple[list[Item], int | None]]:
    """Lists what the vendor's API lists at `path`."""

    def items(desk: Desk, page: int) -> tuple[list[Item], int | None]:
        answer = desk.call("GET", path, query={"page": str(page), "page_size": str(PAGE_SIZE)})
        found, following = answer["items"], answer["next"]
        rows = [item(shown) for shown in found] if isinstance(found, list) else []
        return rows, following if isinstance(following, int) else None

    return items


def text(shown: Shown, name: str, *, absent: str = "") -> str:
    """What `shown` says under `name`, for a person."""
    value = shown.get(name)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or absent
    return absent if value is None or value == "" else str(value)


def day(shown: Shown, name: str) -> str:
    """A moment of RFC 3339, for a person."""
    return text(shown, name, absent="never").replace("T", " ").removesuffix("Z") + (
        " UTC" if shown.get(name) else ""
    )


def on_off(value: object) -> str:
    """A switch, for a person."""
    return "On" if value else "Off"
