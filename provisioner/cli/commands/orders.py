"""`provision renew` and `provision revoke`: orders for a plan, which goes through apply like any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from provisioner.cli import options
from provisioner.cli.output import say, show
from provisioner.cli.settings import Settings
from provisioner.cli.values import count_of
from provisioner.core.journal import Action
from provisioner.core.situation import Order
from provisioner.errors import ProvisionError, UsageError

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.core.journal import Audit
    from provisioner.core.model import Address


def _ordering(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.option(
                "--reason", default="", help="Why, in words: it stands in the plan and in the audit."
            ),
            options.allow_wider,
            options.auto_approve,
            click.option(
                "--out",
                type=click.Path(dir_okay=False, path_type=Path),
                metavar="FILE",
                help="Save the plan instead of applying it: where approvals are asked for, they need a file.",
            ),
            options.parallelism,
            options.identity,
            options.as_json,
        )
    ):
        command = option(command)
    return command


def _choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.argument("addresses", metavar="[ADDRESS]...", nargs=-1),
            click.option(
                "--env",
                "environments",
                multiple=True,
                metavar="NAME",
                help="Choose what is there; repeatable.",
            ),
            click.option(
                "--label",
                "labels",
                multiple=True,
                metavar="KEY=VALUE",
                help="Choose what has this label; repeatable, all must hold.",
            ),
            click.option("--provider", metavar="NAME", help="Choose what this vendor issued."),
            click.option(
                "--user", metavar="NAME", help="Choose what is linked to this user, by either name."
            ),
        )
    ):
        command = option(command)
    return command


class _How(Struct, frozen=True):
    """The options that every order has."""

    allow_wider: bool
    auto_approve: bool
    out: Path | None
    parallelism: int
    identities: tuple[Path, ...]
    as_json: bool


@click.command()
@_choosing
@click.option(
    "--compromised",
    is_flag=True,
    help="Somebody else may have them: end the old secrets first, whatever their consumers face. "
    "Needs --reason, which names the emergency.",
)
@_ordering
@click.pass_obj
def renew(
    settings: Settings,
    /,
    addresses: tuple[str, ...],
    environments: tuple[str, ...],
    labels: tuple[str, ...],
    provider: str | None,
    user: str | None,
    compromised: bool,
    reason: str,
    **how: Any,
) -> int:
    """Plan and apply new secrets for these addresses.

    ADDRESS is ENVIRONMENT/NAME, as `provision status` lists it. Instead of naming them, choose them with
    --env, --label, --provider and --user; several of these must all hold.

    With --compromised all of it is one plan, shown and asked for once: the widest scopes first, many at a
    time, at any hour. Run it again with the same reason to go on after it was stopped: what was renewed for
    that reason already is left as it is.
    """
    from provisioner.cli.choosing import Choice, choose
    from provisioner.cli.session import open_session

    session = open_session()
    wanted = choose(session, Choice(addresses, environments, labels, provider, user))
    if compromised:
        return _emergency(settings, session, wanted, reason, _How(**how))
    return _order(settings, session, wanted, Order(Action.RENEW, _why(reason)), _How(**how))


@click.command()
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@click.option(
    "--user",
    metavar="NAME",
    help="Instead: end all that is linked to this user, in every environment, by the manifests' name or a"
    " vendor's.",
)
@_ordering
@click.pass_obj
def revoke(
    settings: Settings, /, addresses: tuple[str, ...], user: str | None, reason: str, **how: Any
) -> int:
    """Plan and apply the end of these addresses.

    ADDRESS is ENVIRONMENT/NAME, as `provision status` lists it. What is still declared is created again by
    the next plan: remove it from the manifests as well.
    """
    from provisioner.cli import linked
    from provisioner.cli.choosing import parsed, require
    from provisioner.cli.session import open_session

    if bool(addresses) == (user is not None):
        raise UsageError("say which credentials", remedy="name each ADDRESS, or one --user; not both")
    session = open_session()
    wanted = parsed(addresses) if user is None else linked.recorded(session, user)
    records = _records(session)
    require(wanted, records, "recorded")
    for address in wanted:
        if not records[address].live:
            raise ProvisionError(f"{address} is revoked already: it has nothing live")
    return _order(settings, session, wanted, Order(Action.REVOKE, _why(reason)), _How(**how))


def _emergency(
    settings: Settings, session: Session, wanted: tuple[Address, ...], reason: str, how: _How
) -> int:
    """Renew what was not renewed for this emergency yet; say so where something else had to come first."""
    from provisioner.cli.choosing import require
    from provisioner.cli.compromised import issued_for, order, told

    asked = order(reason)
    require(wanted, _records(session), "issued")
    before = issued_for(session, asked.reason)
    left = tuple(address for address in wanted if address not in before)
    if len(left) < len(wanted):
        done = count_of(len(wanted) - len(left), "credential")
        show(f"{done} renewed for this reason already.", to_stderr=how.as_json)
    if not left:
        return 0
    code = _order(settings, session, left, asked, how, told(session, left, asked.reason))
    if code or how.out is not None:
        return code
    still = set(left) - issued_for(session, asked.reason)
    for address in sorted(still):
        say(f"{address}: an older operation was ended first. Run the same again to renew its secret.")
    return 1 if still else 0


def _order(
    settings: Settings,
    session: Session,
    addresses: tuple[Address, ...],
    order: Order,
    how: _How,
    told: tuple[Audit, ...] = (),
) -> int:
    from provisioner.cli.applying import Manner
    from provisioner.cli.planning import Question
    from provisioner.cli.run import Run

    question = Question(
        environments=tuple(sorted({address.environment for address in addresses})),
        targets=tuple(map(str, addresses)),
        allow_wider=how.allow_wider,
        orders=dict.fromkeys(addresses, order),
    )
    identities = options.identity_files(how.identities)
    manner = Manner(how.parallelism, identities, how.allow_wider, told=told)
    run = Run(settings, session, manner, auto_approve=how.auto_approve, as_json=how.as_json)
    return run.plan_and_apply(question) if how.out is None else run.plan_and_save(question, how.out)


def _why(reason: str) -> str:
    return f"asked for: {reason}" if reason else "asked for on the command line"


def _records(session: Session) -> Mapping[Address, Any]:
    with session.store() as store:
        return store.all_records()
