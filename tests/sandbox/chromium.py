"""Headless Chromium, driven over the WebDriver protocol (W3C), with a new empty profile."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1100,900",
)

#: The keys of the keyboard that are no characters (WebDriver §17.4.2).
TAB, ENTER, SPACE, DOWN = "\ue004", "\ue007", " ", "\ue015"

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def needed() -> tuple[str, str]:
    """The programs; without them a clear skip for people, and a failure in CI."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if found[0] and found[1]:
        return found[0], found[1]
    why = "Chromium is not installed: apt-get install chromium chromium-driver"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


class _Refused(AssertionError):
    """The browser says that it cannot."""


class Chromium:
    """One window."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def open(self, url: str) -> None:
        """Go to an address."""
        self._do("POST", "url", url=url)

    @property
    def url(self) -> str:
        """Where the window is."""
        return str(self._do("GET", "url"))

    @property
    def title(self) -> str:
        """The title of the page."""
        return str(self._do("GET", "title"))

    def source(self) -> str:
        """The page as the browser holds it."""
        return str(self._do("GET", "source"))

    def text(self, css: str = "main") -> str:
        """The visible text of an element."""
        return str(self._do("GET", f"element/{self._find(css)}/text"))

    def value(self, css: str) -> str:
        """What a field holds."""
        return str(self._do("GET", f"element/{self._find(css)}/property/value"))

    def label(self, css: str) -> str:
        """An element's name for assistive technology, as the browser computes it."""
        return str(self._do("GET", f"element/{self._find(css)}/computedlabel"))

    def click(self, css: str) -> None:
        """Click what stays on the page."""
        self._do("POST", f"element/{self._find(css)}/click")

    def submit(self, css: str = "main button") -> None:
        """Click what leads to another page, and wait for that page."""
        with self._leaving():
            self.click(css)

    def follow(self, words: str) -> None:
        """Click the link with these words, and wait for its page."""
        with self._leaving():
            found = self._do("POST", "element", using="link text", value=words)
            self._do("POST", f"element/{found[_ELEMENT]}/click")

    def write(self, css: str, text: str) -> None:
        """Type into it."""
        self._do("POST", f"element/{self._find(css)}/value", text=text)

    def count(self, css: str) -> int:
        """How many such elements there are."""
        return len(self._do("POST", "elements", using="css selector", value=css))

    def press(self, *keys: str) -> None:
        """Press and release these keys, one after the other, wherever the focus is."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._do("POST", "actions", actions=[{"type": "key", "id": "keyboard", "actions": strokes}])

    def press_on(self, *keys: str) -> None:
        """Press keys that lead to another page, and wait for that page."""
        with self._leaving():
            self.press(*keys)

    def focused(self) -> tuple[str, str]:
        """The tag and the name of the element that has the focus."""
        element = self._do("GET", "element/active")[_ELEMENT]
        name = self._do("GET", f"element/{element}/computedlabel")
        return str(self._do("GET", f"element/{element}/name")), str(name)

    def tab_to(self, tag: str, name: str) -> None:
        """Press Tab until this element has the focus. Fails where Tab never gets there."""
        seen = []
        for _ in range(40):
            self.press(TAB)
            seen.append(self.focused())
            if seen[-1] == (tag, name):
                return
        raise AssertionError(f"Tab never came to {tag} {name}; it came to {seen}")

    def forget(self) -> None:
        """Delete the cookies that this page has."""
        self._do("DELETE", "cookie")

    def back(self) -> None:
        """The browser's own button Back."""
        with self._leaving():
            self._do("POST", "back")

    def script(self, javascript: str) -> Any:
        """What a function body returns on the page."""
        return self._do("POST", "execute/sync", script=javascript, args=[])

    def scheme(self, value: str) -> None:
        """Prefer `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": value}]
        self._do("POST", "goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params={"features": features})

    def screenshot(self, path: Path) -> None:
        """The window as a picture."""
        path.write_bytes(base64.b64decode(self._do("GET", "screenshot")))

    def resize(self, width: int, height: int) -> None:
        """Another size of the window, in CSS pixels."""
        self._do("POST", "window/rect", width=width, height=height)

    @contextmanager
    def _leaving(self) -> Iterator[None]:
        """Return once another document than the present one is there, whole. Fails where none ever comes."""
        before = self._find("html")
        yield
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(_Refused):  # between two documents there is nothing to find
                if self._find("html") != before and self.script("return document.readyState") == "complete":
                    return
            time.sleep(0.01)
        raise AssertionError(f"nothing led away from {self.url}")

    def _find(self, css: str) -> str:
        return str(self._do("POST", "element", using="css selector", value=css)[_ELEMENT])

    def _do(self, method: str, path: str, **body: Any) -> Any:
        answer = self._client.request(method, path, json=body if method == "POST" else None)
        if answer.status_code != 200:
            raise _Refused(f"{method} {path}: {answer.text[:500]}")
        return answer.json()["value"]


@contextmanager
def running(folder: Path) -> Iterator[Chromium]:
    """A window of a browser of its own, whose profile is a new folder under `folder`."""
    chromium, chromedriver = needed()
    log = folder / "chromedriver.log"
    command = [chromedriver, "--port=0", f"--log-path={log}"]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{_port(driver)}", timeout=60, trust_env=False
        ) as client:
            options = {"binary": chromium, "args": [*FLAGS, f"--user-data-dir={folder / 'profile'}"]}
            asked = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
            answer = client.post("/session", json=asked)
            assert answer.status_code == 200, answer.text
            session = answer.json()["value"]["sessionId"]
            client.base_url = client.base_url.join(f"/session/{session}/")
            try:
                yield Chromium(client)
            finally:
                client.delete(str(client.base_url).rstrip("/"))
    finally:
        driver.terminate()
        driver.communicate(timeout=30)


def _port(driver: subprocess.Popen[str]) -> int:
    """chromedriver says on which port it listens once it does."""
    assert driver.stdout is not None
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        line = driver.stdout.readline()
        if "started successfully on port" in line:
            return int(line.strip().rstrip(".").rpartition(" ")[2])
    raise AssertionError("chromedriver did not start")
