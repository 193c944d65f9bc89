"""`provision sandbox fault`: let the twins go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.output import show, show_json
from provisioner.errors import UsageError

if TYPE_CHECKING:
    from provisioner.sandbox.faults import Fault
    from provisioner.sandbox.world import Sandbox


@click.group()
def fault() -> None:
    """Let the twins go wrong, to see what an apply makes of it."""


@fault.command()
@click.argument("vendor")
@click.argument("tenant", type=click.Choice(["test", "production"]))
@click.argument("kind")
@click.option(
    "--on", metavar="OPERATION", help='Only "METHOD" or "METHOD path/{id}", as its contract has it.'
)
@click.option(
    "--times", default=1, show_default=True, type=click.IntRange(1), help="How many requests meet it."
)
@click.option(
    "--seconds", type=click.FloatRange(0), help="How late, for how long, or for how long it is busy."
)
def arm(vendor: str, tenant: str, kind: str, on: str | None, times: int, seconds: float | None) -> None:
    """Let the next requests of a vendor meet a fault; `provision sandbox fault kinds` lists them."""
    try:
        _twins().fault(vendor, tenant, kind, operation=on, times=times, seconds=seconds)
    except LookupError as error:
        raise UsageError(str(error.args[0])) from None
    except ValueError as error:
        raise UsageError(str(error), remedy="see `provision sandbox fault kinds`") from None
    show(_line(_twins().faults()[-1]))


@fault.command("list")
@options.as_json
def list_(as_json: bool) -> None:
    """List the faults that wait for their requests."""
    found = _twins().faults()
    if as_json:
        show_json({"faults": [_json(one) for one in found]})
    else:
        show("\n".join(map(_line, found)) or "The twins are well.")


@fault.command()
def clear() -> None:
    """Forget every fault: the twins are well again."""
    _twins().clear_faults()
    show("The twins are well.")


@fault.command()
def kinds() -> None:
    """List what can go wrong, and what an apply makes of each."""
    from provisioner.sandbox.faults import KINDS

    for kind, row in KINDS.items():
        show(f"{kind}: {row.what}")
        show(f"    {row.outcome}")


def _twins() -> Sandbox:
    from provisioner.cli.session import open_session

    return open_session().sandbox


def _line(one: Fault) -> str:
    what = f"{one.vendor} {one.tenant}: {one.kind} on {one.operation or 'any request'}"
    if one.until is not None:
        return f"{what}, until {one.until:%Y-%m-%d %H:%M:%S} UTC"
    seconds = "" if one.seconds is None else f", {one.seconds:g} s"
    return f"{what}{seconds}, {'once' if one.times == 1 else f'{one.times} times'}"


def _json(one: Fault) -> dict[str, object]:
    return {
        "vendor": one.vendor,
        "tenant": one.tenant,
        "kind": one.kind.value,
        "operation": one.operation or None,
        "seconds": one.seconds,
        "times": one.times,
        "until": one.until.isoformat() if one.until else None,
    }
