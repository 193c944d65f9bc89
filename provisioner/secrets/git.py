"""Whether git would take a file: a delivered secret must never be one `git add` away from a remote."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from provisioner.errors import SinkError

TIMEOUT = 20.0
"""Seconds for one question to git."""


def require_ignored(path: Path) -> None:
    """Raises SinkError unless the file lies outside of every git work tree or is ignored there.

    A tracked file counts as not ignored, whatever `.gitignore` says.
    """
    if any(part.lower() == ".git" for part in path.parts):
        raise SinkError(f"{path} lies inside of git's own folder")
    tree = next((folder for folder in path.parents if (folder / ".git").exists()), None)
    if tree is None or _ignored(tree, path):
        return
    raise SinkError(
        f"{path} lies in the git work tree {tree} and is not ignored there",
        remedy=f"add it to {tree / '.gitignore'} (and `git rm --cached` it if it is tracked)",
    )


def _ignored(tree: Path, path: Path) -> bool:
    """Whether git says so: it ends with 0 for ignored, 1 for not ignored, anything else is trouble."""
    words = ["git", "-C", str(tree), "check-ignore", "--quiet", "--", str(path.relative_to(tree))]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        # The words are ours but for the path, which stands behind `--`; git is found as the user finds it.
        done = subprocess.run(words, env=clean, capture_output=True, timeout=TIMEOUT, check=False)  # noqa: S603
    except FileNotFoundError:
        raise SinkError(
            f"{path} lies in the git work tree {tree}, and git is not installed to ask whether it is ignored",
            remedy="install git, or deliver outside of the work tree",
        ) from None
    except subprocess.TimeoutExpired:
        raise SinkError(f"git did not say within {TIMEOUT:.0f} s whether {path} is ignored") from None
    if done.returncode not in (0, 1):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise SinkError(f"git cannot say whether {path} is ignored: {said[0] if said else done.returncode}")
    return done.returncode == 0
