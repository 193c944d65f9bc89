"""IP entries of a manifest: read strictly, so that a list never means more or less than it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from provisioner.core.model import Kind

Network = IPv4Network | IPv6Network

_FORM: Final = re.compile(r"[0-9A-Fa-f:.]+(/(0|[1-9][0-9]{0,2}))?\Z")


def canonical(entries: Sequence[str]) -> list[str]:
    """Sorted networks without duplicates, for entries that have no problems."""
    found = {network for entry in entries if not isinstance(network := read(entry), str)}
    return [str(network) for network in sorted(found, key=_order)]


def check(entries: Sequence[str], environment: str, kind: Kind) -> Iterator[tuple[int, str]]:
    """What is wrong, as the entry's index and words."""
    seen: list[tuple[str, Network]] = []
    for index, entry in enumerate(entries):
        network = read(entry)
        if isinstance(network, str):
            yield index, network
            continue
        if network.prefixlen == 0 and kind is Kind.PRODUCTION:
            yield (
                index,
                f"{entry} means any address, which {environment} refuses: name the networks that call",
            )
        clash = _clash(entry, network, seen)
        if clash:
            yield index, clash
        seen.append((entry, network))


@lru_cache(maxsize=4096)
def read(entry: str) -> Network | str:
    """The network that an entry means, or what is wrong with it."""
    if not _FORM.match(entry):
        return f"{entry!r} is not an address or network: write it like 203.0.113.0/24 or 2001:db8::/48"
    try:
        network = ip_network(entry, strict=False)
    except ValueError:
        return f"{entry!r} is not a valid address or network: check its numbers and its prefix length"
    mapped = _mapped(network)
    if mapped:
        return f"{entry} is an IPv4 network written as IPv6: write {mapped}"
    address = entry.partition("/")[0]
    if str(network.network_address) != str(ip_network(address).network_address):
        return f"{entry} has host bits set: write {network}, or {address} for the one address"
    return network


def _mapped(network: Network) -> IPv4Network | None:
    if isinstance(network, IPv4Network) or network.prefixlen < 96:
        return None
    mapped = network.network_address.ipv4_mapped
    return IPv4Network((mapped, network.prefixlen - 96), strict=False) if mapped else None


def _clash(entry: str, network: Network, seen: Sequence[tuple[str, Network]]) -> str:
    for other, earlier in seen:
        if earlier == network:
            return (
                f"{entry} stands here twice: remove one"
                if other == entry
                else f"{entry} is the same as {other}: remove one"
            )
        if _within(network, earlier):
            return f"{entry} lies within {other}: remove one of them"
        if _within(earlier, network):
            return f"{other} lies within {entry}: remove one of them"
    return ""


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _order(network: Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen
