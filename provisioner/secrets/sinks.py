"""Opens the sinks that a project declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from provisioner.core.delivery import Parcel
from provisioner.core.project import SinkConfig
from provisioner.errors import SinkError
from provisioner.secrets.dotenv import DotenvSink
from provisioner.secrets.exec import ExecSink
from provisioner.secrets.vault import VaultSink


class Sink(Protocol):
    """Where a secret is delivered for its consumer; the engine asks for the same shape."""

    async def deliver(self, parcel: Parcel) -> None:
        """Returns once the consumer's side has it: that is the ack. Idempotent. Raises SinkError."""


SINKS: Mapping[str, Callable[[SinkConfig, Path], Sink]] = {
    "dotenv": DotenvSink,
    "exec": ExecSink,
    "vault": VaultSink,
}
"""What opens a sink, by its `type`."""


def open_sink(config: SinkConfig, root: Path) -> Sink:
    """Make the sink, without touching anything yet; `root` is the project's folder. Raises SinkError."""
    if config.type not in SINKS:
        raise SinkError(
            f"sink {config.name}: provision knows no sink of type {config.type}",
            remedy=f"use one of {', '.join(SINKS)}",
        )
    return SINKS[config.type](config, root)
