"""Where the program starts: `provision`, or `python -m provisioner`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end the process with its exit code (design §10)."""
    if sys.argv[1:] == ["--version"]:
        # The commonest question of scripts is answered without loading what parses command lines.
        from provisioner import __version__

        sys.stdout.write(f"provision {__version__}\n")
        return
    from provisioner.cli.program import program

    program.main()


if __name__ == "__main__":
    main()
