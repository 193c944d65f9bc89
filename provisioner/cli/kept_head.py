"""The end of the audit log, kept beside the store: it shows when the store was put back to an older copy.

`.provision/head` is one line, `PROJECT SEQ:DIGEST`, on every machine that ever applied. One that is older
than the store's own is fine: the log still leads through it. For machines that keep no files, the vendors'
tags are the witness (see `core.restored`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from provisioner.cli.output import say
from provisioner.errors import StateError, StoreRestored

if TYPE_CHECKING:
    from provisioner.state import Readable
    from provisioner.state.store import StateStore
    from provisioner.state.values import AuditHead

FOLDER = ".provision"
NAME = "head"


def kept(root: Path, project: str) -> AuditHead | None:
    """The head that was kept on this machine; None where none was, or it is another project's."""
    from provisioner.state.values import AuditHead

    try:
        name, _, head = (root / FOLDER / NAME).read_text(encoding="utf-8").strip().partition(" ")
        return AuditHead.parse(head) if name == project else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        say(f"Warning: {root / FOLDER / NAME} cannot be read, so a restored store would not show: {error}")
        return None


def keep(root: Path, project: str, store: StateStore) -> None:
    """Keep the present end of the log. What was applied stays applied, so a failure is only told."""
    from provisioner.secrets import files

    try:
        line = f"{project} {store.audit_head()}\n".encode()
        with files.open_folder(root / FOLDER, trusted=root) as folder, files.locked(folder):
            files.replace(folder, NAME, line)
    except (StateError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error.message
        say(f"Warning: the end of the audit log could not be kept in {FOLDER}/{NAME}: {why}")


def trouble(root: Path, project: str, store: Readable) -> str:
    """Why the store looks like an older copy, in words; empty where it does not."""
    head = kept(root, project)
    if head is None or store.audit_holds(head):
        return ""
    return (
        f"the state store {store.where} is an older copy: this machine has seen its audit log go on to row "
        f"{head.seq} ({FOLDER}/{NAME}), and that row is not in it"
    )


def check(root: Path, project: str, store: Readable) -> None:
    """Raise StoreRestored where the store looks like an older copy."""
    why = trouble(root, project, store)
    if why:
        from provisioner.core.restored import REMEDY

        raise StoreRestored(why, remedy=REMEDY)
