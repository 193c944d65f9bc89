"""What the tests of stores share: values, a clock that can be set, and a look past the store's back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from provisioner.core.journal import Action, Audit, Operation, Phase, SaveRecord, Write
from provisioner.core.model import Address, Generation, GenerationState, Record, Tag, Via
from provisioner.state import open_store
from provisioner.state.store import StateStore

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
PAYROLL = Address("test", "payroll")

RECORD = Record(
    PAYROLL,
    "payspace",
    Via.PORTAL,
    {"scopes": ["full-access"], "user": 17, "description": "ünïcode \u2028 \ud83d"},
    {"protect": True, "labels": {"cost-centre": "4711"}},
    secret_known=False,
    user="payroll-bot",
)
GENERATION = Generation(
    1,
    GenerationState.RETIRING,
    "remote-1",
    "provision/payments/test/payroll/1/n0nce",
    NOON,
    NOON + timedelta(days=90),
    NOON + timedelta(microseconds=1),
    "paynet",
    NOON - timedelta(seconds=1),
)
OPERATION = Operation(
    "operation-1",
    PAYROLL,
    Action.RENEW,
    Phase.SENT,
    "payspace",
    "api",
    2,
    NOON,
    NOON + timedelta(seconds=1),
    Tag("payments", "test", "payroll", 2, "n0nce"),
    "remote-1",
    {"fields": {"scopes": ["full-access"], "description": "half \ud83d"}},
    "approval",
    "sent 12:00, answer never seen",
)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: float) -> None:
        """Move it by a timedelta's words."""
        self.now += timedelta(**delta)


def opened(url: str, root: Path = Path("/nowhere"), **settings: Any) -> StateStore:
    """A store of project `payments`, at noon unless told otherwise."""
    told: dict[str, Any] = {"project": "payments", "clock": Clock()} | settings
    return open_store(url, root=root, **told)


def commit(store: StateStore, *writes: Write) -> None:
    """One commit, waited for."""
    asyncio.run(store.commit(writes))


def save(name: str, environment: str = "test") -> SaveRecord:
    """A write of a record that differs from others by its address."""
    return SaveRecord(Record(Address(environment, name), "payspace", Via.API, {}, {}))


def happened(event: str, **detail: Any) -> Audit:
    """An event for the audit log."""
    return Audit(event, NOON, PAYROLL, detail)


def behind(url: str, statement: str, **values: Any) -> list[Any]:
    """Do to the database what no store would; the rows of the answer, if it has any."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []
    finally:
        engine.dispose()


def everything_set(value: Any, but: frozenset[str] = frozenset()) -> bool:
    """Whether each field with a default differs from it, so that a round trip proves every field."""
    unset = zip(reversed(value.__struct_fields__), reversed(value.__struct_defaults__), strict=False)
    return all(getattr(value, name) != default for name, default in unset if name not in but)


def process(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Another process that runs the script, with `opened` and the other words of this file at hand."""
    prelude = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom store_harness import *\n"
    return subprocess.Popen(
        [sys.executable, "-c", prelude + textwrap.dedent(script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(other: subprocess.Popen[str], end: Callable[[subprocess.Popen[str]], None]) -> None:
    """End the other process in the given way, and clean up after it."""
    end(other)
    other.wait()
    for pipe in (other.stdin, other.stdout):
        assert pipe is not None
        pipe.close()
