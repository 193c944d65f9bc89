"""The program: its commands as a table, its global options, and the one place where errors end.

| exit code | meaning |
|---|---|
| 0 | fine |
| 1 | failure |
| 2 | changes are pending (`plan`, `bootstrap --check`), or something ends (`status --expiring-within`) |
| 3 | refused by a rail, an approval or a stale plan |
| 4 | another run holds the lease |
| 5 | waits for people |
| 64 | the command line is wrong |
| 130 | stopped by Ctrl-C |
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from provisioner import __version__
from provisioner.cli.lazy import LazyGroup
from provisioner.cli.output import say
from provisioner.cli.settings import Settings
from provisioner.cli.values import plain
from provisioner.errors import ManifestInvalid, ProvisionError

USAGE = 64
STOPPED = 130

_COMMANDS = "provisioner.cli.commands"

TABLE = {
    "init": (f"{_COMMANDS}.init:init", "Make a project that plans and applies at once on the sandbox."),
    "validate": (f"{_COMMANDS}.validate:validate", "Check the manifests, without network or secrets."),
    "plan": (f"{_COMMANDS}.plan:plan", "Show what an apply would do, and change nothing."),
    "apply": (f"{_COMMANDS}.apply:apply", "Do what the plan says."),
    "status": (f"{_COMMANDS}.status:status", "List the credentials, the most urgent first."),
    "calendar": (
        f"{_COMMANDS}.calendar:calendar",
        "Show what comes: renewals, windows, expiries, ends.",
    ),
    "report": (f"{_COMMANDS}.report:report", "Write a page for people: inventory, timeline, history."),
    "show": (f"{_COMMANDS}.show:show", "Show all that is known of one address, or a saved plan."),
    "run": (f"{_COMMANDS}.run:run", "Renew, retire and recover what is due, again and again, until stopped."),
    "renew": (f"{_COMMANDS}.orders:renew", "Plan and apply new secrets for these addresses."),
    "revoke": (f"{_COMMANDS}.orders:revoke", "Plan and apply the end of these addresses."),
    "discover": (f"{_COMMANDS}.discover:discover", "List what exists at the vendors and is not ours."),
    "import": (f"{_COMMANDS}.import_:import_", "Take what a vendor has already into the state."),
    "verify": (f"{_COMMANDS}.verify:verify", "Try delivered secrets at their vendors."),
    "bootstrap": (
        f"{_COMMANDS}.bootstrap:bootstrap",
        "Restore a test environment after production was copied over it.",
    ),
    "handoff": (
        f"{_COMMANDS}.handoff:handoff",
        "List, show, complete and decline the steps that only a person can do.",
    ),
    "secret": (f"{_COMMANDS}.secret:secret", "Read sealed secrets, with an identity."),
    "approve": (
        f"{_COMMANDS}.approve:approve",
        "Sign a saved plan with your SSH key, for environments that ask for approvals.",
    ),
    "state": (f"{_COMMANDS}.state:state", "Look into the state store, and settle by hand what is in it."),
    "audit": (f"{_COMMANDS}.audit:audit", "Read the tamper-evident history, and check it."),
    "providers": (f"{_COMMANDS}.providers:providers", "Show vendors, what they can do, and their rules."),
    "policies": (f"{_COMMANDS}.policies:policies", "Show what credentials must fit, and which do not."),
    "schema": (f"{_COMMANDS}.schema:schema", "Print a JSON Schema, for editors."),
    "sandbox": (f"{_COMMANDS}.sandbox:sandbox", "Serve and steer the vendors' twins on this machine."),
    "completion": (f"{_COMMANDS}.completion:completion", "Print what makes a shell complete commands."),
}
"""Every command: where it is, and what it is for."""


class Program(LazyGroup):
    """The group of all commands; its `main` turns every end into an exit code of design §10."""

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> NoReturn:
        """Run, and end the process."""
        settings = Settings()
        extra |= {"prog_name": "provision", "standalone_mode": False, "obj": settings}
        _survive_narrow_encodings()
        run: Callable[[], Any] = lambda: super(Program, self).main(args, **extra)  # noqa: E731 - `super` needs a method
        sys.exit(_exit_code(run, settings))


@click.command(
    cls=Program,
    table=TABLE,
    name="provision",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 failure, 2 changes pending (plan --detailed-exitcode, bootstrap --check) "
    "or something ends (status --expiring-within), 3 refused, "
    "4 another run is at work, 5 waits for people, 64 wrong command line.",
)
@click.version_option(__version__, prog_name="provision", message="%(prog)s %(version)s")
@click.option(
    "-C",
    "--chdir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Work in this folder, where provision.yaml is.",
)
@click.option("--debug", is_flag=True, help="Show where in the program an error came from.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the output; auto follows the terminal and NO_COLOR.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every step to stderr; never a secret.")
@click.pass_context
def program(ctx: click.Context, chdir: Path | None, debug: bool, color: str, verbose: bool) -> None:
    """Credentials as code: plan, apply, renew and revoke API credentials from YAML manifests."""
    from provisioner.cli.log import logging_to_stderr

    settings: Settings = ctx.obj
    settings.debug, settings.color = debug, color
    ctx.with_resource(logging_to_stderr(verbose=verbose))
    if chdir is not None:
        before = Path.cwd()
        ctx.call_on_close(lambda: os.chdir(before))
        os.chdir(chdir)


def _exit_code(run: Callable[[], Any], settings: Settings) -> int:
    """What the run ends with; the one place where errors meet people."""
    try:
        code = run()
        sys.stdout.flush()
    except ProvisionError as error:
        _trace(settings)
        _tell(error)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE if isinstance(error, click.UsageError) else error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("stopped")
        return STOPPED
    except BrokenPipeError:
        _leave_the_pipe()
        return 1
    except Exception as error:  # noqa: BLE001 - the last stop: no traceback reaches a user unasked
        _trace(settings)
        # Its text is left out: nobody checked what an unexpected error quotes.
        say(f"Error: a bug in provision ({type(error).__name__}): run with --debug, and report what it shows")
        return 1
    return code if isinstance(code, int) else 0


def _tell(error: ProvisionError) -> None:
    for number, line in enumerate(error.message.splitlines() or [""]):
        say(f"{'Error: ' if number == 0 else ''}{plain(line)}")
    if isinstance(error, ManifestInvalid):
        for problem in error.problems:
            say(plain(problem))
    if error.remedy:
        say(f"  {plain(error.remedy)}")


def _trace(settings: Settings) -> None:
    if settings.debug:
        import traceback

        say(traceback.format_exc().rstrip())


def _survive_narrow_encodings() -> None:
    """Where the terminal cannot show a character, an escape stands for it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _leave_the_pipe() -> None:
    """Whoever read us is gone; what is still buffered has nowhere to go, and that is no error of ours."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
