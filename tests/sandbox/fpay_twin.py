"""FPay's twin in tests: creating, calling as one of its own AuthAccesses, and working in the console."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from twin_harness import Contract, Twin

from provisioner.sandbox import fpay_console
from provisioner.sandbox.world import Sandbox

ACCESS = "authAccess"
CONTRACT = Contract("fpay")


@dataclass(frozen=True, slots=True)
class FPay:
    """One tenant of FPay's twin."""

    twin: Twin

    @classmethod
    def of(cls, sandbox: Sandbox, tenant: str = "test") -> FPay:
        return cls(Twin(sandbox, "fpay", tenant, CONTRACT))

    @property
    def sandbox(self) -> Sandbox:
        return self.twin.sandbox

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.twin.call(method, path, **more)

    def post(self, body: dict[str, Any], **more: Any) -> httpx.Response:
        return self.call("POST", ACCESS, json=body, **more)

    def faults(self, body: dict[str, Any]) -> list[str]:
        """What a creation that is refused names as wrong."""
        response = self.post(body)
        assert response.status_code == 422, response.text
        return [fault["pointer"] for fault in response.json()["errors"]]

    def create(self, **fields: Any) -> dict[str, Any]:
        response = self.post({"name": "crm", "permission": "ReadOnly", **fields})
        assert response.status_code == 201, response.text
        return response.json()

    def get(self, identifier: str, **more: Any) -> httpx.Response:
        return self.call("GET", f"{ACCESS}/{quote(identifier, safe='')}", **more)

    def update(self, identifier: str, **body: Any) -> httpx.Response:
        return self.call("PATCH", f"{ACCESS}/{quote(identifier, safe='')}", json=body)

    def list(self, **query: Any) -> httpx.Response:
        return self.call("GET", ACCESS, params=query)

    def names(self, **query: Any) -> list[str]:
        response = self.list(**query)
        assert response.status_code == 200, response.text
        return [item["name"] for item in response.json()["items"]]

    def bearer(self, permission: str) -> str:
        """What authenticates a new AuthAccess with this permission."""
        return self.reveal(self.create(permission=permission)["id"])

    def reveal(self, identifier: str) -> str:
        with self.sandbox.tenancy("fpay", self.twin.tenant) as data:
            keys = fpay_console.reveal(data, identifier)
        return f"{keys.token}:{keys.secret_key}"

    def disable(self, identifier: str) -> None:
        with self.sandbox.tenancy("fpay", self.twin.tenant) as data:
            fpay_console.disable(data, identifier)

    def enable(self, identifier: str) -> None:
        with self.sandbox.tenancy("fpay", self.twin.tenant) as data:
            fpay_console.enable(data, identifier)
