"""Lists of callers' addresses, as a vendor that restricts its keys to them reads, keeps and applies them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_FORM = re.compile(r"[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Networks:
    """An array of addresses and networks, IPv4 or IPv6; an empty one restricts nothing."""

    longest: int = 100

    def fault(self, value: object) -> str | None:
        """Why `value` is no such array."""
        if not isinstance(value, list):
            return "must be an array"
        if len(value) > self.longest:
            return f"must have at most {self.longest} entries"
        found = [_read(entry) for entry in value]
        if None in found:
            return "must hold only addresses and networks without host bits, such as 203.0.113.0/28"
        return None if len(set(found)) == len(found) else "must not repeat an entry"


def canonical(entries: Iterable[str]) -> list[str]:
    """The same entries, valid ones, as a vendor shows them: sorted, `/32` and `/128` dropped."""
    networks = [network for entry in entries if (network := _read(entry))]
    networks.sort(key=lambda network: (network.version, int(network.network_address), network.prefixlen))
    return [str(one).removesuffix(f"/{one.max_prefixlen}") for one in networks]


def admits(entries: Iterable[str], caller: str) -> bool:
    """Whether a caller from this address is let in: by any entry, or because there is none."""
    networks = [network for entry in entries if (network := _read(entry))]
    if not networks:
        return True
    try:
        address = ip_address(caller)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped  # how a dual stack socket names an IPv4 caller
    return any(address in network for network in networks)


def _read(entry: object) -> IPv4Network | IPv6Network | None:
    if not isinstance(entry, str) or not _FORM.fullmatch(entry):
        return None
    try:
        network = ip_network(entry)
    except ValueError:
        return None
    # No caller is ever seen under an IPv4-mapped address, so such an entry would let nobody in.
    mapped = isinstance(network, IPv6Network) and network.network_address.ipv4_mapped
    return None if mapped else network
