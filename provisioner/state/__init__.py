"""The state store: what provision remembers, for one person (SQLite) or a team (PostgreSQL).

This module is cheap to import; SQLAlchemy is imported when a store is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from provisioner.state.values import AuditHead, AuditRow, Finding, HeldLease

if TYPE_CHECKING:
    from provisioner.state.glance import Glance
    from provisioner.state.store import StateStore

    Readable: TypeAlias = StateStore | Glance
    """What a plan reads: both tell the same by the same names."""

__all__ = ["AuditHead", "AuditRow", "Finding", "HeldLease", "open_store", "read_store"]

LEASE_SECONDS = 30.0


def open_store(
    url: str,
    *,
    project: str,
    root: Path,
    clock: Callable[[], datetime],
    create: bool = True,
    read_only: bool = False,
    lease: float = LEASE_SECONDS,
    actor: str = "",
) -> StateStore:
    """Open the store of one project; use it as a context manager, or close it.

    `url` is `sqlite:///PATH` (relative to `root`) or `postgresql+psycopg://…`. Without `create`, or with
    `read_only`, a store that is not there reads as empty and nothing is made. `clock` gives UTC; `lease` is
    in seconds; `actor` stands in audit rows until a lease names its holder. Raises StateUnavailable,
    StateNewer, and UsageError for a URL of another kind.
    """
    from provisioner.state.opening import open_database
    from provisioner.state.store import StateStore

    database, writable = open_database(url, root=root, create=create, read_only=read_only, clock=clock)
    return StateStore(database, project=project, writable=writable, lease=lease, actor=actor)


def read_store(url: str, *, project: str, root: Path, clock: Callable[[], datetime]) -> Readable:
    """The store of one project for a plan: a glance where that suffices, else the store itself, read-only."""
    from provisioner.state.glance import glance

    found = glance(url, project=project, root=root)
    if found is not None:
        return found
    return open_store(url, project=project, root=root, clock=clock, create=False, read_only=True)
