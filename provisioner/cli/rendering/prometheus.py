"""The inventory as metrics, in the text format of Prometheus, for the node exporter's textfile collector.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from provisioner.cli.inventory import Row

PREFIX = "provision_credential_"


class Metric(Struct, frozen=True):
    """One gauge: what it says, and its value for a row; None where there is nothing to tell."""

    help: str
    value: Callable[[Row, datetime], float | None]


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


METRICS: Mapping[str, Metric] = {
    "expiry_timestamp_seconds": Metric(
        "When the vendor ends the secret in use by itself.", lambda row, now: _seconds(row.expires_at)
    ),
    "renew_due_timestamp_seconds": Metric(
        "From when on a renewal is due.", lambda row, now: _seconds(row.due.at if row.due else None)
    ),
    "age_seconds": Metric(
        "How old the secret in use was when this file was written.",
        lambda row, now: (now - row.issued_at).total_seconds() if row.issued_at else None,
    ),
    "operations_open": Metric(
        "Operations that were begun and are not done.", lambda row, now: float(bool(row.operation))
    ),
    "handoffs_open": Metric(
        "Steps that wait for a person in the vendor's portal.", lambda row, now: float(len(row.handoffs))
    ),
    "retiring": Metric(
        "Older secrets that the vendor still accepts.", lambda row, now: float(len(row.retiring))
    ),
    "last_apply_timestamp_seconds": Metric(
        "When an apply last brought a change of this credential to its end.",
        lambda row, now: _seconds(row.done_at),
    ),
}
"""Every metric of a credential, by its name after the prefix; all are gauges."""


def metrics_text(rows: Sequence[Row], now: datetime) -> str:
    """The whole file. It holds no secret: only names, owners, numbers and moments."""
    in_order = sorted(rows, key=lambda row: row.address)
    return "".join(
        line for name, metric in METRICS.items() for line in _family(f"{PREFIX}{name}", metric, in_order, now)
    )


def _family(name: str, metric: Metric, rows: Sequence[Row], now: datetime) -> Iterator[str]:
    yield f"# HELP {name} {metric.help}\n"
    yield f"# TYPE {name} gauge\n"
    for row in rows:
        value = metric.value(row, now)
        if value is not None:
            yield f"{name}{{{_labels(row)}}} {value!r}\n"


def _labels(row: Row) -> str:
    labels = {
        "environment": row.address.environment,
        "name": row.address.name,
        "provider": row.provider,
        "owner": row.owner,
    }
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
