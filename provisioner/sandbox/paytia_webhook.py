"""The webhook call that Paytia would send, in the format that its key asks for (PY3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

_EVENT: Mapping[str, str] = {
    "event": "transaction.approved",
    "transaction_id": "T-1001",
    "amount": "12.50",
    "currency": "GBP",
    "gateway": "Worldpay Corporate Gateway",  # the one gateway that the second format is for
}


def _single(event: Mapping[str, str]) -> str:
    return json.dumps(event)


def _multiple(event: Mapping[str, str]) -> str:
    return "\n".join(json.dumps({name: value}) for name, value in event.items())


_BODIES: Mapping[str, tuple[str, Callable[[Mapping[str, str]], str]]] = {
    "single": ("application/json", _single),
    "multiple": ("application/x-ndjson", _multiple),
}
"""format: (content type, how its body is written)"""

FORMATS = tuple(_BODIES)


def sample(webhook_format: str) -> dict[str, str]:
    """A sample webhook call: method, content type and body, as they would go to the merchant's server."""
    content_type, write = _BODIES[webhook_format]
    return {"method": "POST", "content_type": content_type, "body": write(_EVENT)}
