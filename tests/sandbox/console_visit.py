"""A person at a console in tests: signs in, opens pages, sends forms."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import httpx

from provisioner.sandbox.world import Sandbox

FORM = {"content-type": "application/x-www-form-urlencoded"}


class Visitor:
    """One person with one cookie, at one vendor's console; sends what it is told, not what a page offers."""

    def __init__(self, sandbox: Sandbox, vendor: str, tenant: str = "test", desk: str = "console") -> None:
        self.sandbox, self.vendor, self.tenant = sandbox, vendor, tenant
        self.home = f"/{vendor}/{tenant}/{desk}/"
        self.cookies = httpx.Cookies()

    @classmethod
    def signed_in(cls, sandbox: Sandbox, vendor: str, tenant: str = "test", desk: str = "console") -> Visitor:
        visitor = cls(sandbox, vendor, tenant, desk)
        answer = visitor.post("sign-in", {"password": sandbox.token(vendor, tenant)})
        assert answer.status_code == 303, answer.text
        return visitor

    def get(self, path: str = "", **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, form: Any, **more: Any) -> httpx.Response:
        pairs = urlencode(form, doseq=True)
        return self.request("POST", path, content=pairs, headers={**FORM, **more.pop("headers", {})}, **more)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._send(method, path if path.startswith("/") else self.home + path, **more))

    async def _send(self, method: str, address: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.sandbox.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://sandbox", cookies=self.cookies
        ) as client:
            answer = await client.request(method, address, **more)
            self.cookies = client.cookies
            return answer

    def token(self, page: str, form: str) -> str:
        """The token of the form to `form` on the page at `page`."""
        html = self.get(page).text
        start = html.index(f'action="{self.home + form}"')
        opening = html.index('name="form" value="', start) + len('name="form" value="')
        return html[opening : html.index('"', opening)]

    def send(self, path: str, page: str | None = None, **fields: Any) -> httpx.Response:
        """Fill in the form to `path` on `page`, and send it."""
        return self.post(path, {**fields, "form": self.token(path if page is None else page, path)})
