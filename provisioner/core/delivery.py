"""What is handed to a sink: one generation of one credential, and the names its parts go by."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from provisioner.core.model import Address
from provisioner.core.secret import Secret


class Parcel(Struct, frozen=True):
    """One delivery. `names` maps what the consumer calls a value to the part of the secret it is."""

    address: Address
    provider: str
    generation: int
    operation: str
    """The id of the operation: the same for a repeated delivery, so that a sink can write once."""
    names: Mapping[str, str]
    secret: Secret


def variable_names(name: str, parts: tuple[str, ...]) -> dict[str, str]:
    """The default names: PAYROLL_EXPORT_CLIENT_ID for part `client_id` of `payroll-export`."""
    prefix = name.upper().replace("-", "_")
    return {f"{prefix}_{part.upper()}": part for part in parts}


def pending(names: Mapping[str, str]) -> dict[str, str]:
    """The names under which a new secret stands beside the present one until the cut-over."""
    return {f"{name}_PENDING": part for name, part in names.items()}
