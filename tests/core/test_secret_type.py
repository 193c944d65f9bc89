"""A `Secret` can be handed on, sealed and delivered; every other use of it is a TypeError, never a leak."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import pprint
import string
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import yaml
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from provisioner.core.delivery import Parcel
from provisioner.core.model import Address
from provisioner.core.provider import Issued
from provisioner.core.secret import Secret

CANARY = "canary-8f2c"
ADDRESS = Address("test", "payroll")

REFUSED: dict[str, Callable[[Secret], Any]] = {
    "str": str,
    "format": format,
    "f-string": lambda secret: f"{secret}",
    "f-string with a width": lambda secret: f"{secret:>40}",
    "percent": lambda secret: "%s" % secret,  # noqa: UP031  # the old way of formatting is what is tried here
    "str.format": "{}".format,
    "Template": lambda secret: string.Template("$s").substitute(s=secret),
    "print": lambda secret: print(secret, file=io.StringIO()),
    "join": lambda secret: "".join([secret]),
    "equal": lambda secret: secret == Secret({"client_secret": CANARY}),
    "equal to itself": lambda secret: secret == secret,
    "unequal": lambda secret: secret != CANARY,
    "less": lambda secret: secret < CANARY,
    "hash": hash,
    "in a set": lambda secret: {secret},
    "as a key": lambda secret: {secret: 1},
    "json": json.dumps,
    "json by str": lambda secret: json.dumps(secret, default=str),
    "json by vars": lambda secret: json.dumps(secret, default=vars),
    "pickle": pickle.dumps,
    "pickle, the oldest": lambda secret: pickle.dumps(secret, protocol=0),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "vars": vars,
    "bytes": bytes,
    "dict": dict,
    "add": lambda secret: secret + "",
    "index": lambda secret: secret["client_secret"],
    "msgspec": lambda secret: msgspec.json.encode(_parcel(secret)),
    "to_builtins": lambda secret: msgspec.to_builtins(_parcel(secret)),
    "equal parcels": lambda secret: _parcel(secret) == _parcel(Secret({"client_secret": CANARY})),
    "yaml": lambda secret: yaml.dump(secret),
}
"""What must not be possible, by name."""

SHOWN: dict[str, Callable[[Secret], str]] = {
    "repr": repr,
    "f-string by repr": lambda secret: f"{secret!r}",
    "ascii": ascii,
    "in a list": lambda secret: str([secret]),
    "in a parcel": lambda secret: str(_parcel(secret)),
    "in an answer": lambda secret: str(Issued("id", secret)),
    "pprint": lambda secret: pprint.pformat({"secret": secret}),
    "pprint of a value": lambda secret: pprint.pformat(_parcel(secret)),
    "rich": lambda secret: pretty_repr(_parcel(secret), expand_all=True),
    "rich with locals": lambda secret: _rich_traceback(secret),
    "json by repr": lambda secret: json.dumps(secret, default=repr),
    "json by list": lambda secret: json.dumps(secret, default=list),
}
"""What shows that there is a secret, by name: none of it may show what it is."""


def _parcel(secret: Secret) -> Parcel:
    return Parcel(ADDRESS, "payspace", 1, "op-1", {"KEY": "client_secret"}, secret)


def _rich_traceback(secret: Secret) -> str:
    console = Console(file=io.StringIO(), record=True, width=200)
    try:
        json.dumps(secret)
    except TypeError as error:
        shown = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True)
        console.print(shown)
    return console.export_text()


def _secret() -> Secret:
    return Secret({"client_id": "id-1", "client_secret": CANARY})


@pytest.mark.parametrize("way", REFUSED)
def test_refused(way: str) -> None:
    """Using a secret as anything but a secret is an error, whose traceback shows nothing of it."""
    with pytest.raises((TypeError, ValueError)) as caught:
        REFUSED[way](_secret())
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("way", SHOWN)
def test_shown_without_its_value(way: str) -> None:
    """What debuggers and reports call on their own shows that there is a secret, and nothing of it."""
    shown = SHOWN[way](_secret())
    assert shown
    assert CANARY not in shown


def test_logging_writes_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """A secret handed to a logger reaches no log, and the logger's complaint does not show it either."""
    log, text = logging.getLogger("secret-type"), io.StringIO()
    handler = logging.StreamHandler(text)
    log.addHandler(handler)
    log.propagate = False
    try:
        log.warning("%s", _secret())
        log.warning(_secret())
        log.warning("%r", _secret())
    finally:
        log.removeHandler(handler)
    assert "<Secret of 2 parts>\n" == text.getvalue()
    assert CANARY not in capsys.readouterr().err


def test_reveal_is_the_way_in() -> None:
    """The names of the parts are no secret; `reveal` gives one part in clear."""
    assert ["client_id", "client_secret"] == list(_secret())
    assert CANARY == _secret().reveal("client_secret")


def test_unknown_part_is_named() -> None:
    """Asking for a part that is not there names the part, never a value."""
    with pytest.raises(KeyError, match="refresh_token") as caught:
        _secret().reveal("refresh_token")
    assert CANARY not in repr(caught.value)


def test_parts_are_its_own() -> None:
    """Changing the mapping that a secret was made of changes nothing in it."""
    parts = {"client_secret": CANARY}
    secret = Secret(parts)
    parts["client_secret"] = "other"
    assert CANARY == secret.reveal("client_secret")


def test_nothing_can_be_hung_on_it() -> None:
    """A secret takes no further attributes, so nothing can travel with it unseen."""
    with pytest.raises(AttributeError):
        _secret().note = CANARY  # type: ignore[attr-defined]  # that there is no such attribute is the point
