"""Where the program starts: `provision`, or `python -m provisioner`."""

from __future__ import annotations

import gc
import os
import sys

GARBAGE = 200_000
"""New objects before cycles are looked for. A run makes many that all stay: looking often finds nothing."""


def main() -> None:
    """Run the command line and end the process with its exit code (design §10)."""
    gc.set_threshold(GARBAGE)
    _fill_closed_streams()
    if sys.argv[1:] == ["--version"]:
        # The commonest question of scripts is answered without loading what parses command lines.
        from provisioner import __version__

        sys.stdout.write(f"provision {__version__}\n")
        return
    try:
        from provisioner.cli.program import program
    except KeyboardInterrupt:
        sys.exit(130)  # stopped before anything began
    try:
        program.main()
    finally:
        gc.freeze()  # the process ends: what is left need not be looked through for cycles


def _fill_closed_streams() -> None:
    """Where a caller closed stdin, stdout or stderr, let nothing be read and nowhere be written.

    Their numbers must not go to the next file that is opened either, such as the state store.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


if __name__ == "__main__":
    main()
