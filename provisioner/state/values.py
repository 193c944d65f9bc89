"""What the store tells beside the core's own values: its history, and who works on what."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from provisioner.core.model import Address, JsonValue


class AuditRow(Struct, frozen=True):
    """One event of the history. `digest` covers the row and, through `previous`, all rows before it."""

    seq: int
    at: datetime
    actor: str
    event: str
    address: Address | None
    detail: Mapping[str, JsonValue]
    previous: str
    digest: str


class AuditHead(Struct, frozen=True):
    """The end of the history: kept elsewhere, it shows later whether the tail was cut."""

    seq: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> AuditHead:
        """Read `SEQ:DIGEST`. Raises ValueError for anything else."""
        seq, _, digest = text.strip().partition(":")
        if not seq.isdecimal() or len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError(f"{text!r} is not an audit head: it looks like 42:9f86d0… with 64 hex digits")
        return cls(int(seq), digest)

    def __str__(self) -> str:
        return f"{self.seq}:{self.digest}"


def genesis(project: str) -> str:
    """The digest before a history's first row: no project's rows can be passed off as another's."""
    return hashlib.sha256(f"provision audit of {project}".encode()).hexdigest()


class Finding(Struct, frozen=True):
    """One thing that is wrong with the history, and the row where it shows."""

    seq: int
    problem: str

    def __str__(self) -> str:
        return f"audit row {self.seq}: {self.problem}"


class HeldLease(Struct, frozen=True):
    """Who works on an environment. All moments are UTC, by the store's clock."""

    environment: str
    holder: str
    host: str
    pid: int
    epoch: int
    acquired_at: datetime
    expires_at: datetime
    birth: str = ""
    """With host and pid, which process: see `process.is_dead`."""

    @property
    def place(self) -> Place:
        """The process that took it."""
        return Place(self.host, self.pid, self.birth)


class Place(Struct, frozen=True):
    """Where a run is: enough to prove later that its process is dead."""

    host: str
    pid: int
    birth: str = ""
    """When and where the process began, as `process.birth` tells it; empty where that is unknown."""
