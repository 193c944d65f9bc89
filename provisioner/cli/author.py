"""Who makes a plan, as they say themselves."""

from __future__ import annotations

import os

VARIABLE = "PROVISION_AUTHOR"
"""Names the author of plans; a CI system sets it to whoever asked for the run."""


def author() -> str:
    """The name in PROVISION_AUTHOR, else git's user.email, else `user@host`."""
    return os.environ.get(VARIABLE, "").strip() or _git() or _login()


def _git() -> str:
    import subprocess  # heavy, and most plans have no change whose author matters

    try:
        found = subprocess.run(
            ["git", "config", "--get", "user.email"],  # noqa: S607 - whichever git the person uses
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError:
        return ""
    return found.stdout.strip()


def _login() -> str:
    from provisioner.state.process import whoami

    return whoami().partition(" pid ")[0]
