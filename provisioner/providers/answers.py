"""Reading what a vendor answered: small checks that raise ValueError for what the contract does not allow.

`Http` turns such an error into OutcomeUnknown without its text, so none of these may be called elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from provisioner.core.model import JsonObject, JsonValue, Tag
from provisioner.core.provider import Issued
from provisioner.core.secret import Secret

GONE = frozenset({404, 410})
"""How a vendor says that an id does not exist, or no longer."""

_PROBLEM_FIELDS = ("detail", "error_description", "title", "error")
"""Where a vendor explains itself (RFC 9457, RFC 6749 §5.2), the most telling first."""
_LONGEST_WORDS = 300


def text(body: JsonValue, name: str) -> str:
    """A required text that is not empty."""
    value = body[name]
    if not isinstance(value, str) or not value:
        raise ValueError(name)
    return value


def texts(body: JsonValue, name: str) -> list[str]:
    """A required list of texts, sorted: vendors keep sets in any order."""
    value = body[name]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(name)
    return sorted(value)


def networks(body: JsonValue, name: str) -> list[str]:
    """A required list of addresses and networks, as manifests have them: networks, sorted.

    Vendors write one address without its `/32` or `/128`, and IPv6 in several ways.
    """
    found = {ip_network(entry) for entry in texts(body, name)}
    return [str(one) for one in sorted(found, key=_place)]


def _place(network: IPv4Network | IPv6Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen


def tag(body: JsonValue, name: str) -> Tag | None:
    """A required text in which our tag may stand; what people write there, or leave empty, is none."""
    value = body[name]
    if not isinstance(value, str):
        raise ValueError(name)
    return Tag.parse(value)


def called(body: JsonValue, name: str) -> str:
    """What people call it, on one line: a text that is no tag of ours; empty where there is none."""
    value = body.get(name)
    if not isinstance(value, str) or Tag.parse(value) is not None:
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def moment(body: JsonValue, name: str) -> datetime:
    """A required moment in RFC 3339, as UTC."""
    value = datetime.fromisoformat(text(body, name))
    if value.tzinfo is None:
        raise ValueError(name)
    return value.astimezone(UTC)


def present(**fields: JsonValue) -> JsonObject:
    """The fields that are set: what a vendor shows as null is what a manifest does not declare."""
    return {name: value for name, value in fields.items() if value is not None}


def absent(**fields: JsonValue) -> frozenset[str]:
    """The names of the fields that a vendor shows as null: somebody may have emptied them."""
    return frozenset(name for name, value in fields.items() if value is None)


def latest(body: JsonValue, *names: str) -> datetime | None:
    """The first of these moments that is there and set: when a secret was issued; None for none of them."""
    return next((moment(body, name) for name in names if body.get(name) is not None), None)


def issued(parts: Iterable[str], *moments: str) -> Callable[[int, JsonValue], Issued]:
    """A reader of an answer that holds an id, these parts of a secret, and perhaps one of these moments."""

    def read(_status: int, body: JsonValue) -> Issued:
        secret = Secret({part: text(body, part) for part in parts})
        return Issued(text(body, "id"), secret, issued_at=latest(body, *moments))

    return read


def nothing(_status: int, _body: JsonValue) -> None:
    """A reader that asks nothing of an answer."""


def words(body: JsonValue) -> str:
    """A vendor's own explanation of a refusal: one printable line, of bounded length."""
    if not isinstance(body, Mapping):
        return ""
    said = [body[name] for name in _PROBLEM_FIELDS if isinstance(body.get(name), str)]
    return one_line(said[0]) if said else ""


def one_line(text: str) -> str:
    """Somebody's words as one printable line, of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS]}…"
