"""Which credentials an order is for: named one by one, or chosen by what they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from provisioner.cli import linked
from provisioner.cli.output import say
from provisioner.cli.planning import known_environments, nearest
from provisioner.core.model import Address, Desired, Record
from provisioner.errors import ProvisionError, UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session


class Choice(Struct, frozen=True):
    """What was asked for on the command line. Several filters must all hold."""

    addresses: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """Each `KEY=VALUE`."""
    provider: str | None = None
    user: str | None = None

    @property
    def filters(self) -> bool:
        """Whether anything is chosen by what it is."""
        return bool(self.environments or self.labels or self.provider or self.user)


def choose(session: Session, choice: Choice) -> tuple[Address, ...]:
    """The declared credentials that are meant, sorted. Raises UsageError or ProvisionError for none."""
    if bool(choice.addresses) == choice.filters:
        raise UsageError(
            "say which credentials",
            remedy="name each ADDRESS, or choose them with --env, --label, --provider and --user; not both",
        )
    declared = {one.address: one for one in session.project.desired}
    if choice.addresses:
        wanted = parsed(choice.addresses)
        require(wanted, declared, "declared")
        return wanted
    return _chosen(session, choice, declared)


def parsed(texts: Iterable[str]) -> tuple[Address, ...]:
    """Addresses without repeats. Raises UsageError for what is none."""
    from provisioner.cli.lookup import parse_address

    return tuple(dict.fromkeys(parse_address(text) for text in texts))


def require(addresses: Iterable[Address], known: Collection[Address], how: str) -> None:
    """Raise ProvisionError, with the nearest one, for an address that is not among the known."""
    for address in addresses:
        if address not in known:
            names = [str(one) for one in known]
            raise ProvisionError(f"{address} is not {how}", remedy=nearest(str(address), names))


def _chosen(session: Session, choice: Choice, declared: Mapping[Address, Desired]) -> tuple[Address, ...]:
    places = set(known_environments(session, choice.environments))
    fits = _fits(session, choice)
    with session.store() as store:
        records = store.all_records()
    found = [
        address
        for address, record in sorted(records.items())
        if address.environment in places
        and (fits(record) or (address in declared and fits(declared[address])))
    ]
    for address in found:
        if address not in declared and records[address].live:
            say(f"Note: {address} fits, and is left out: nothing declares it. provision revoke {address}")
    chosen = tuple(address for address in found if address in declared)
    if not chosen:
        raise ProvisionError("no credential that was issued and is declared fits", remedy="provision status")
    return chosen


def _fits(session: Session, choice: Choice) -> Callable[[Record | Desired], bool]:
    labels = dict(_label(text) for text in choice.labels)
    meant = linked.to(session, choice.user) if choice.user is not None else None

    def fits(held: Record | Desired) -> bool:
        has = held.local.get("labels", {})
        return (
            all(str(has.get(key)) == value for key, value in labels.items())
            and choice.provider in (None, held.provider)
            and (meant is None or meant.by(held))
        )

    return fits


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise UsageError(f"--label {text!r} is not a label", remedy="write KEY=VALUE, like team=payroll")
    return key, value
