"""Drives the real application and holds every exchange against the published contract."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from provisioner.sandbox.world import Sandbox

CONTRACTS = Path(__file__).parents[2] / "schemas" / "contracts"
METHODS = ("get", "head", "post", "put", "patch", "delete")
VENDORS = ("payspace", "paynet", "paytia", "timeclock")
TENANTS = ("test", "production")

Proof = str | Mapping[str, str] | None


class Contract:
    """One vendor's OpenAPI document."""

    def __init__(self, vendor: str) -> None:
        self.document = yaml.safe_load((CONTRACTS / f"{vendor}.openapi.yaml").read_text(encoding="utf-8"))
        resource = Resource.from_contents(self.document, default_specification=DRAFT202012)
        self._registry = Registry().with_resource("contract:", resource)

    def operations(self) -> list[tuple[str, str]]:
        """(METHOD, path template without the leading slash), in the order of the document."""
        paths = self.document["paths"].items()
        return [(m.upper(), path[1:]) for path, item in paths for m in METHODS if m in item]

    def find(self, path: str) -> dict[str, Any] | None:
        """The path item that serves `path`."""
        for template, item in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                return item
        return None

    def fits(self, schema: dict[str, Any], value: object) -> bool:
        """Whether the value has the schema."""
        return not list(self._validator(schema).iter_errors(value))

    def require(self, schema: dict[str, Any], value: object) -> None:
        """Fail unless the value has the schema."""
        self._validator(schema).validate(value)

    def resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        """The value, or what its `$ref` points at."""
        while "$ref" in value:
            node: Any = self.document
            for step in value["$ref"].removeprefix("#/").split("/"):
                node = node[step]
            value = node
        return value

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        absolute = json.loads(json.dumps(schema).replace('"$ref": "#/', '"$ref": "contract:#/'))
        return Draft202012Validator(absolute, registry=self._registry)

    def check(self, path: str, response: httpx.Response) -> None:
        """Fail unless the contract allows this answer to this request."""
        item = self.find(path)
        if item is None:
            assert response.status_code == 404
            return
        operation = item.get(response.request.method.lower())
        if operation is None:
            assert response.status_code == 405
            assert response.headers["allow"] == ", ".join(sorted(m.upper() for m in METHODS if m in item))
            return
        self._check_answer(operation, response)
        self._check_question(operation, response)

    def _check_answer(self, operation: dict[str, Any], response: httpx.Response) -> None:
        declared = self.resolve(operation["responses"][str(response.status_code)])
        for name, header in declared.get("headers", {}).items():
            self.require(header["schema"], response.headers[name])
        if "content" not in declared or response.request.method == "HEAD":
            assert response.content == b""
            return
        media_type = response.headers["content-type"].partition(";")[0]
        if media_type != "application/pdf":
            self.require(declared["content"][media_type]["schema"], response.json())

    def _check_question(self, operation: dict[str, Any], response: httpx.Response) -> None:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content and response.is_success:
            self.require(content["schema"], json.loads(response.request.content))


@dataclass(frozen=True, slots=True)
class Twin:
    """One tenant of one vendor, called over ASGI."""

    sandbox: Sandbox
    vendor: str
    tenant: str
    contract: Contract

    def call(
        self, method: str, path: str, *, token: Proof = "management", caller: str = "127.0.0.1", **more: Any
    ) -> httpx.Response:
        """One request; `token` is a bearer token, headers, or `None`; by default the management token."""
        if token == "management":
            token = self.sandbox.token(self.vendor, self.tenant)
        proof = {"authorization": f"Bearer {token}"} if isinstance(token, str) and token else token or {}
        headers = {**proof, **more.pop("headers", {})}
        response = asyncio.run(self._send(method, path, caller, headers=headers, **more))
        if self.tenant in TENANTS:
            self.contract.check("/" + path.partition("?")[0], response)
        return response

    async def _send(self, method: str, path: str, caller: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.sandbox.app, client=(caller, 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return await client.request(method, f"/{self.vendor}/{self.tenant}/{path}", **more)

    def ask_token(self, pair: dict[str, Any], **changes: str | None) -> httpx.Response:
        """Ask the token endpoint; a change to `None` leaves that parameter out."""
        path = "oauth/token" if self.vendor == "payspace" else "auth/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": pair["client_id"],
            "client_secret": pair["client_secret"],
            **changes,
        }
        return self.call("POST", path, token=None, data={k: v for k, v in form.items() if v is not None})

    def access_token(self, pair: dict[str, Any]) -> str:
        """An access token of this credential."""
        response = self.ask_token(pair)
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])
