"""What people made in the vendors' portals before provision came: credentials without a tag, in the twins."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from program_runner import Cli

FIVE = """\
  paytia: {test: {endpoint: sandbox}}
  timeclock: {test: {endpoint: sandbox}}
  fpay: {test: {endpoint: sandbox}}
"""

PATHS = {
    "payspace": "api/v1/credentials",
    "paytia": "admin/v1/api-keys",
    "paynet": "developer/v1/keys",
    "timeclock": "admin/v1/users/17/api-access",
    "fpay": "authAccess",
}

MADE: Mapping[str, Mapping[str, Any]] = {
    "payspace": {
        "label": "Payroll export",
        "description": "to the ledger",
        "scope": "full-access",
        "user": "svc.payroll",
    },
    "paytia": {"label": "Card capture", "allow_ips": ["203.0.113.0/28"], "webhook_format": "multiple"},
    "paynet": {"label": "RPP: merchant (old)", "description": "yes", "scopes": ["rpp:merchant"]},
    "timeclock": {"label": "made by hand"},
    "fpay": {"name": "Board viewer", "permission": "ReadOnly", "description": "1e5"},
}


def five_vendors(cli: Cli) -> Cli:
    """The project with all vendors that can list, and nothing declared but what `payroll` is."""
    cli.edit("sinks:", f"{FIVE}sinks:", "provision.yaml")
    cli.edit("payspace: svc.payroll", "payspace: svc.payroll, timeclock: 17", "provision.yaml")
    cli.edit("defaults: {", "defaults: {rotate: {allow_downtime: true}, ", "provision.yaml")
    return cli


def made(cli: Cli, vendor: str, tenant: str = "test", **other: Any) -> dict[str, Any]:
    """Somebody makes one; the vendor's answer, which may hold its secret."""
    answer = _send(cli, vendor, tenant, PATHS[vendor], {**MADE[vendor], **other})
    if vendor == "paytia":
        answer |= _send(cli, vendor, tenant, f"{PATHS[vendor]}/{answer['id']}/tokens", None)
    return answer


def _send(cli: Cli, vendor: str, tenant: str, path: str, body: Any) -> dict[str, Any]:
    async def send() -> httpx.Response:
        with cli.sandbox() as twins:
            token = twins.token(vendor, tenant)
            transport = httpx.ASGITransport(app=twins.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                headers = {"authorization": f"Bearer {token}"}
                return await client.post(f"/{vendor}/{tenant}/{path}", headers=headers, json=body)

    response = asyncio.run(send())
    assert response.is_success, response.text
    found: dict[str, Any] = response.json()
    return found
