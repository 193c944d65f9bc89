"""Finding what a person named: an address in the store, or the nearest one that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.cli.planning import nearest
from provisioner.cli.records import known
from provisioner.core.model import Address, JsonObject
from provisioner.errors import ProvisionError, UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.state.store import StateStore


def parse_address(text: str) -> Address:
    """Read ENVIRONMENT/NAME. Raises UsageError for anything else."""
    try:
        return Address.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def look_up(session: Session, text: str) -> JsonObject:
    """All that is known of an address. Raises ProvisionError, with the nearest one, for one that is not."""
    address = parse_address(text)
    with session.store() as store:
        found = known(store, address)
        if found is None:
            raise not_recorded(store, address)
    return found


def not_recorded(store: StateStore, address: Address) -> ProvisionError:
    """The error for an address that the store does not know."""
    names = [str(one) for one in store.all_records()]
    return ProvisionError(f"nothing is recorded of {address}", remedy=nearest(str(address), names))
