"""`provision sandbox`: the vendors' twins on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli import options
from provisioner.cli.commands.fault import fault
from provisioner.cli.commands.operate import operate
from provisioner.cli.output import say, show, show_json
from provisioner.errors import ProvisionError, UsageError

if TYPE_CHECKING:
    from provisioner.sandbox.world import Sandbox


@click.group()
def sandbox() -> None:
    """Serve and steer the vendors' twins on this machine."""


@sandbox.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="The port; 0 takes a free one.")
def serve(host: str, port: int) -> None:
    """Serve the twins over HTTP until Ctrl-C.

    Prints the endpoint of each vendor and tenant; `provision sandbox token` prints its management token.
    """
    from provisioner.cli.session import sandbox_folder
    from provisioner.sandbox import serve as server

    try:
        server.serve(sandbox_folder(_root()), host, port, ready=_tell_endpoints)
    except KeyboardInterrupt:
        return  # that is how serving ends
    except ModuleNotFoundError:
        raise ProvisionError("serving needs uvicorn", remedy="pip install 'provisioner[serve]'") from None
    except OSError as error:
        raise ProvisionError(f"{host}:{port} cannot be listened on: {error.strerror}") from None


@sandbox.command()
@click.argument("vendor")
@click.argument("tenant", type=click.Choice(["test", "production"]))
def token(vendor: str, tenant: str) -> None:
    """Print the management token of a twin, for `auth: {token: {exec: [...]}}` or a variable."""
    with _open() as twins:
        try:
            show(twins.token(vendor, tenant))
        except LookupError:
            raise _no_twin(vendor) from None


@sandbox.command()
@click.argument("what", metavar="ADDRESS|KEY_ID")
@click.option("--provider", metavar="NAME", help="Take the argument as a key id at this vendor.")
@click.option("--deny", is_flag=True, help="Decide against it.")
def approve(what: str, provider: str | None, deny: bool) -> None:
    """Decide as the vendor on what waits for its approval.

    By the address whose create or renewal waits, or with --provider by the vendor's own key id.
    """
    vendor, key = (provider, what) if provider else _waiting(what)
    decision = "denied" if deny else "approved"
    with _open() as twins:
        try:
            twins.approve(vendor, key, decision)  # type: ignore[arg-type]  # one of the two words it takes
        except LookupError as error:
            raise ProvisionError(str(error.args[0])) from None
    show(f"{vendor} {decision} {what}.")


@sandbox.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that ended.")
@options.as_json
def list_(everything: bool, as_json: bool) -> None:
    """List the credentials that the twins hold: what the vendors know, whatever the state says."""
    from provisioner.cli.rendering import sandbox as render_sandbox

    with _open() as twins:
        ledger = render_sandbox.ledger(twins, everything=everything)
    if as_json:
        show_json({"credentials": render_sandbox.ledger_json(ledger)})
    else:
        show(render_sandbox.ledger_text(ledger))


@sandbox.command()
@click.option("--advance", metavar="DURATION", help="Let time pass first, such as 30d or 36h.")
def clock(advance: str | None) -> None:
    """Print the time of the twins, or let time pass for them.

    Where every vendor of a project is a twin, this is also the clock that plans and applies go by.
    """
    from provisioner.core.renewal import duration

    with _open() as twins:
        if advance is not None:
            try:
                twins.advance(duration(advance).total_seconds())
            except ValueError as error:
                raise UsageError(str(error)) from None
        show(f"{twins.now():%Y-%m-%d %H:%M:%S} UTC")


@sandbox.command()
def refresh() -> None:
    """Do what the vendors' weekly refresh does: copy production's data over test.

    PaySpace's test credentials survive; elsewhere copies of production's stand in their place. What follows
    is for `provision bootstrap`.
    """
    from provisioner.cli.rendering import sandbox as render_sandbox

    with _open() as twins:
        show(render_sandbox.refreshed(twins.refresh()))


sandbox.add_command(operate)
sandbox.add_command(fault)


def _root() -> Path:
    from provisioner.manifest.files import PROJECT

    root = Path.cwd()
    if not (root / PROJECT).is_file():
        raise ProvisionError(
            f"there is no {PROJECT} in {root}",
            remedy="run `provision init`, or name the project's folder with -C",
        )
    return root


def _open() -> Sandbox:
    from provisioner.cli.session import open_sandbox

    return open_sandbox(_root())


def _waiting(text: str) -> tuple[str, str]:
    """The vendor and key id of the operation that waits at an address."""
    from provisioner.cli.lookup import parse_address
    from provisioner.cli.session import open_session

    address = parse_address(text)
    with open_session().store() as store:
        for operation in store.operations([address.environment]):
            if operation.address == address and operation.remote_id and operation.waiting == "approval":
                return operation.provider, operation.remote_id
    raise ProvisionError(f"{address} does not wait for an approval", remedy="see `provision status`")


def _tell_endpoints(url: str) -> None:
    from provisioner.sandbox.registry import VENDORS
    from provisioner.sandbox.tenancy import TENANTS

    say(f"Consoles for people: {url}/")
    for vendor in VENDORS:
        for tenant in TENANTS:
            show(f"{vendor} {tenant}: endpoint {url}/{vendor}/{tenant}")
            say(f"  {vendor.upper()}_{tenant.upper()}_TOKEN=$(provision sandbox token {vendor} {tenant})")


def _no_twin(vendor: str) -> ProvisionError:
    from provisioner.cli.planning import nearest
    from provisioner.sandbox.registry import VENDORS

    return UsageError(f"the sandbox has no twin of {vendor}", remedy=nearest(vendor, VENDORS))
