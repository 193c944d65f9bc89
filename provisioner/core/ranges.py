"""IP ranges as sets of addresses: what one list of ranges allows that another does not."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

Networks = tuple[tuple[IPv4Network, ...], tuple[IPv6Network, ...]]
"""IPv4 and IPv6 apart: no range of one ever holds an address of the other."""

ANYWHERE = ("0.0.0.0/0", "::/0")
"""What no list, or an empty one, allows (PY2)."""


def beyond(ranges: Sequence[str] | None, others: Sequence[str] | None) -> tuple[str, ...]:
    """The ranges that allow an address which no range of `others` does, in their own order.

    Neighbours count as what they make together: 10.0.0.0/25 and 10.0.0.128/25 allow all of 10.0.0.0/24.
    """
    held = _merged(others or ANYWHERE)
    return tuple(text for text in ranges or ANYWHERE if not _within(ip_network(text), held))


def _merged(ranges: Sequence[str]) -> Networks:
    networks = [ip_network(text) for text in ranges]
    return (
        tuple(collapse_addresses(one for one in networks if isinstance(one, IPv4Network))),
        tuple(collapse_addresses(one for one in networks if isinstance(one, IPv6Network))),
    )


def _within(one: IPv4Network | IPv6Network, held: Networks) -> bool:
    # Once neighbours are merged, a range that is covered at all is covered by a single one.
    if isinstance(one, IPv4Network):
        return any(one.subnet_of(large) for large in held[0])
    return any(one.subnet_of(large) for large in held[1])
