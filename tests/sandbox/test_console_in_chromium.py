"""The console in a real browser: by mouse, by keyboard alone, in light and in dark, on a narrow screen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from chromium import DOWN, ENTER, SPACE, Chromium, running

from provisioner.sandbox.world import Sandbox

SERVE = """
import sys
from pathlib import Path
from provisioner.sandbox.serve import serve
serve(Path(sys.argv[1]), ready=lambda url: print(url, flush=True))
"""


@dataclass(frozen=True)
class Served:
    """A sandbox behind HTTP, and a window on it."""

    sandbox: Sandbox
    url: str
    window: Chromium

    def at(self, vendor: str, tenant: str, path: str = "") -> str:
        return f"{self.url}/{vendor}/{tenant}/console/{path}"

    def sign_in(self, vendor: str, tenant: str) -> None:
        self.window.open(self.at(vendor, tenant))
        self.window.forget()
        self.window.open(self.at(vendor, tenant))
        self.window.write("#password", self.sandbox.token(vendor, tenant))
        self.window.submit()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with running(folder) as window, Sandbox(folder / "sandbox") as sandbox:
        command = [sys.executable, "-c", SERVE, str(folder / "sandbox")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            try:
                yield Served(sandbox, server.stdout.readline().strip(), window)
            finally:
                server.terminate()


def secret_works(served: Served, client_id: str, secret: str) -> bool:
    """Whether the vendor gives an access token for it."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return (
        httpx.post(f"{served.url}/payspace/test/oauth/token", data=form, trust_env=False).status_code == 200
    )


def test_a_credential_from_first_to_last(served: Served) -> None:
    """PS1, PS2, PS8: signed in, a person creates a credential, sees its secret once, and deletes it."""
    window = served.window
    served.sign_in("payspace", "test")
    window.follow("+ New Credentials")
    window.write("#label", "<b>nightly</b>")
    window.write("#scope", "Full Access")
    window.submit()
    assert "User is required with full-access" in window.text("[role=alert]")
    assert ("<b>nightly</b>", "full-access") == (window.value("#label"), window.value("#scope"))
    window.write("#user", "svc.payroll")
    window.submit()

    client_id, secret = window.value("#client_id"), window.value("#client_secret")
    assert "you will not be able to retrieve them" in window.text()
    assert secret_works(served, client_id, secret)

    window.follow("Open the API credential")
    assert secret not in window.source() and "<b>nightly</b>" == window.text("h1")
    window.back()
    assert secret not in window.source()
    window.open(served.at("payspace", "test"))
    assert secret not in window.source() and client_id not in window.source()
    window.submit("td.do a")
    window.submit("button.danger")

    assert "The credential was deleted." == window.text("[role=status]")
    assert not secret_works(served, client_id, secret)


def test_by_keyboard_alone(served: Served) -> None:
    """Signing in, creating, copying the secret and deleting take Tab, letters, Space and Enter, no mouse."""
    window = served.window
    window.open(served.at("payspace", "production"))
    window.tab_to("input", "Console password")
    window.press_on(*served.sandbox.token("payspace", "production"), ENTER)

    window.tab_to("a", "+ New Credentials")
    window.press_on(ENTER)
    window.tab_to("input", "Label")
    window.press(*"keys")
    window.tab_to("select", "Scope")
    window.press("F")
    window.tab_to("select", "User (optional)")
    window.press(DOWN)
    window.tab_to("button", "Save")
    window.press_on(SPACE)

    window.tab_to("input", "Client Secret")
    assert window.value("#client_secret") == window.script("return getSelection().toString()")
    window.tab_to("a", "Open the API credential")
    window.press_on(ENTER)
    window.tab_to("a", "Delete: keys")
    window.press_on(ENTER)
    window.tab_to("button", "Confirm")
    window.press_on(ENTER)

    assert "The credential was deleted." == window.text("[role=status]")
    (entry,) = served.sandbox.ledger("payspace", "production")
    assert ("svc.payroll", True) == (entry.fields["user"], entry.ended_at is not None)


def test_light_and_dark(served: Served, tmp_path: Path) -> None:
    """The pages follow the preferred scheme, and their stylesheet passes their own policy."""
    window = served.window
    served.sign_in("paynet", "test")
    grounds = {}
    for scheme in ("light", "dark"):
        window.scheme(scheme)
        window.screenshot(tmp_path / f"{scheme}.png")
        grounds[scheme] = window.script("return getComputedStyle(document.body).backgroundColor")

    assert {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 29)"} == grounds
    pictures = [(tmp_path / f"{scheme}.png").read_bytes() for scheme in grounds]
    assert pictures[0] != pictures[1] and all(one.startswith(b"\x89PNG") for one in pictures)


def test_a_narrow_screen(served: Served) -> None:
    """On a narrow screen no page is wider than the screen: what is wide scrolls on its own (WCAG 1.4.10)."""
    window = served.window
    served.sign_in("paytia", "test")
    window.resize(500, 800)
    window.follow("Generate API Key")
    window.write("#label", "a" * 200)
    widths = [window.script("return document.documentElement.scrollWidth - innerWidth")]
    window.submit()
    for path in ("", f"?find={'a' * 200}"):
        widths.append(window.script("return document.documentElement.scrollWidth - innerWidth"))
        window.open(served.at("paytia", "test", path))
    widths.append(window.script("return document.documentElement.scrollWidth - innerWidth"))

    assert [] == [width for width in widths if width > 0]


def test_the_three_dots(served: Served) -> None:
    """PN3: the three dots open Renew and Revoke, and say for whom to who cannot see them."""
    window = served.window
    served.sign_in("paynet", "test")
    window.follow("+ Create API Key")
    window.write("#label", "merchant")
    window.click("#scopes-4")
    window.submit()
    window.follow("API Keys")
    (key,) = served.sandbox.ledger("paynet", "test")

    assert f"Actions for {key.client_id}" == window.label("summary")
    assert "Renew" not in window.text("tbody")
    window.click("summary")
    assert "Renew" in window.text("tbody")
    window.follow("Revoke")
    window.submit("button.danger")
    assert "The API key was revoked." == window.text("[role=status]")
