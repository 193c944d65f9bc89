"""A log for programs: JSON, one object a line, on stdout. Never a secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from provisioner.cli.output import show
from provisioner.core.model import JsonValue


def write_line(event: str, **detail: JsonValue) -> None:
    """One line, in ASCII, written out at once."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    show(json.dumps({"at": at, "event": event, **detail}))
