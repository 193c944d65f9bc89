"""`provision renew` and `provision revoke`: orders for a plan, which goes through apply like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli import options
from provisioner.cli.settings import Settings
from provisioner.core.journal import Action
from provisioner.core.model import Address
from provisioner.core.situation import Order
from provisioner.errors import ProvisionError

if TYPE_CHECKING:
    from provisioner.cli.session import Session


def _ordering(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True),
            click.option(
                "--reason", default="", help="Why, in words: it stands in the plan and in the audit."
            ),
            options.allow_wider,
            options.auto_approve,
            options.parallelism,
            options.identity,
            options.as_json,
        )
    ):
        command = option(command)
    return command


@click.command()
@_ordering
@click.pass_obj
def renew(settings: Settings, /, addresses: tuple[str, ...], reason: str, **how: Any) -> int:
    """Plan and apply new secrets for these addresses.

    ADDRESS is ENVIRONMENT/NAME, as `provision status` lists it.
    """
    from provisioner.cli.session import open_session

    session = open_session()
    wanted = _parsed(addresses)
    _require(wanted, {one.address for one in session.project.desired}, "declared")
    return _order(settings, session, wanted, Order(Action.RENEW, _why(reason)), **how)


@click.command()
@_ordering
@click.pass_obj
def revoke(settings: Settings, /, addresses: tuple[str, ...], reason: str, **how: Any) -> int:
    """Plan and apply the end of these addresses.

    ADDRESS is ENVIRONMENT/NAME, as `provision status` lists it. What is still declared is created again by
    the next plan: remove it from the manifests as well.
    """
    from provisioner.cli.session import open_session

    session = open_session()
    wanted = _parsed(addresses)
    with session.store() as store:
        records = store.all_records()
    _require(wanted, records.keys(), "recorded")
    for address in wanted:
        if not records[address].live:
            raise ProvisionError(f"{address} is revoked already: it has nothing live")
    return _order(settings, session, wanted, Order(Action.REVOKE, _why(reason)), **how)


def _order(
    settings: Settings,
    session: Session,
    addresses: tuple[Address, ...],
    order: Order,
    *,
    allow_wider: bool,
    auto_approve: bool,
    parallelism: int,
    identities: tuple[Path, ...],
    as_json: bool,
) -> int:
    from provisioner.cli.applying import Manner
    from provisioner.cli.planning import Question
    from provisioner.cli.run import Run

    question = Question(
        environments=tuple(sorted({address.environment for address in addresses})),
        targets=tuple(map(str, addresses)),
        allow_wider=allow_wider,
        orders=dict.fromkeys(addresses, order),
    )
    manner = Manner(parallelism, options.identity_files(identities), allow_wider)
    return Run(settings, session, manner, auto_approve=auto_approve, as_json=as_json).plan_and_apply(question)


def _why(reason: str) -> str:
    return f"asked for: {reason}" if reason else "asked for on the command line"


def _parsed(texts: tuple[str, ...]) -> tuple[Address, ...]:
    from provisioner.cli.lookup import parse_address

    return tuple(dict.fromkeys(parse_address(text) for text in texts))


def _require(addresses: Iterable[Address], known: Iterable[Address], how: str) -> None:
    from provisioner.cli.planning import nearest

    names = {str(address) for address in known}
    for address in addresses:
        if str(address) not in names:
            raise ProvisionError(f"{address} is not {how}", remedy=nearest(str(address), names))
