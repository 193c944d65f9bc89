"""The sandbox as a whole: time, ledger, counting, files, several processes, and sudden death."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from provisioner.sandbox.world import Sandbox

START = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)
NEW = {"label": "payments/x", "scope": "read-only"}


def test_time_moves_for_everybody_on_the_directory(tmp_path: Path) -> None:
    """The sandbox's clock is its base plus every advance, shared by all that opened the directory."""
    with Sandbox(tmp_path, clock=lambda: START) as one, Sandbox(tmp_path, clock=lambda: START) as two:
        one.advance(90)
        two.advance(30)

        assert one.now() == two.now() == START + timedelta(minutes=2)
        for step in (-1, float("inf"), float("nan")):
            with pytest.raises(ValueError, match="forward"):
                one.advance(step)


def test_the_ledger_remembers_the_dead(open_twin: Any, sandbox: Sandbox) -> None:
    """The ledger holds every credential ever made in a tenant, with when it ended, and no secret."""
    twin = open_twin("payspace", "test")
    made = [twin.call("POST", "api/v1/credentials", json=NEW).json() for _ in range(2)]
    twin.call("DELETE", f"api/v1/credentials/{made[0]['id']}")

    ledger = sandbox.ledger("payspace", "test")

    assert [entry.id for entry in ledger] == [credential["id"] for credential in made]
    assert [entry.ended_at is None for entry in ledger] == [False, True]
    assert ledger[1].fields["scope"] == "read-only"
    assert not [c for c in made if c["client_secret"] in repr(ledger)]
    assert sandbox.ledger("payspace", "production") == []


def test_only_effects_are_counted(open_twin: Any, sandbox: Sandbox) -> None:
    """Reads, refusals and access tokens are no writes; creations, updates, renewals and deletions are."""
    twin = open_twin("paynet", "test")
    key = twin.call("POST", "developer/v1/keys", json={"label": "x", "scopes": ["rpp:merchant"]}).json()
    path = f"developer/v1/keys/{key['id']}"
    assert sandbox.writes("paynet", "test") == 1

    twin.access_token(key)
    for at in ("developer/v1/keys", path, f"{path}/secret"):
        twin.call("GET", at)
    twin.call("PATCH", path, json={"scopes": []})
    twin.call("DELETE", "developer/v1/keys/none")
    twin.call("POST", "developer/v1/keys", token="x", json={})
    assert sandbox.writes() == 1

    twin.call("PATCH", path, json={"label": "y"})
    twin.call("POST", f"{path}/renew")
    twin.call("DELETE", path)
    assert sandbox.writes() == sandbox.writes("paynet") == 4
    assert sandbox.writes("paynet", "production") == sandbox.writes("payspace") == 0


def test_the_data_is_private(sandbox: Sandbox, tmp_path: Path) -> None:
    """The directory is 0700 and every file in it 0600, also where they were open to others before."""
    directory = tmp_path / "open"
    directory.mkdir(mode=0o755)
    (directory / "sandbox.db").touch(mode=0o644)

    with Sandbox(directory) as reopened:
        reopened.advance(1)
        for place in (directory, tmp_path / "sandbox"):
            assert stat.S_IMODE(place.stat().st_mode) == 0o700
            assert {stat.S_IMODE(file.stat().st_mode) for file in place.iterdir()} == {0o600}


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    """A directory made by another version is named as such instead of being misread."""
    with Sandbox(tmp_path) as sandbox, sandbox._database.transaction() as connection:
        connection.execute("PRAGMA user_version=99")

    with pytest.raises(ValueError, match="another version"):
        Sandbox(tmp_path)


def test_what_was_made_survives_reopening(tmp_path: Path) -> None:
    """Tokens, users and time stay as they are when the directory is opened again."""
    with Sandbox(tmp_path) as sandbox:
        token = sandbox.token("payspace", "test")

    with Sandbox(tmp_path) as sandbox:
        assert sandbox.token("payspace", "test") == token


def test_many_may_open_a_new_directory_at_once(tmp_path: Path) -> None:
    """Opening the same new directory from many sides at once seeds it once, and all agree."""

    def opened(number: int) -> tuple[str, int]:
        with Sandbox(tmp_path) as sandbox:
            users = sandbox._database._connection.execute("SELECT count(*) FROM objects WHERE kind = 'user'")
            return sandbox.token("payspace", "test"), users.fetchone()[0]

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(opened, range(16)))) == 1


CREATE_FOREVER = """
import asyncio, sys, httpx
from pathlib import Path
from provisioner.sandbox.world import Sandbox

async def main():
    with Sandbox(Path(sys.argv[1])) as sandbox:
        headers = {"authorization": "Bearer " + sandbox.token("payspace", "test")}
        transport = httpx.ASGITransport(app=sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://s", headers=headers) as client:
            while True:
                answer = await client.post(
                    "/payspace/test/api/v1/credentials", json={"label": sys.argv[2], "scope": "read-only"})
                print(answer.json()["id"], flush=True)

asyncio.run(main())
"""


def test_a_killed_process_leaves_whole_effects_only(tmp_path: Path) -> None:
    """SIGKILL of two processes at work leaves what they were answered, and at most one more each, counted."""
    command = [sys.executable, "-c", CREATE_FOREVER, str(tmp_path)]
    running = [
        subprocess.Popen([*command, label], stdout=subprocess.PIPE, text=True) for label in ("one", "two")
    ]
    answered: list[str] = []
    for process in running:
        assert process.stdout
        answered += [process.stdout.readline().strip() for _ in range(25)]
    for process in running:
        process.send_signal(signal.SIGKILL)
        answered += process.communicate()[0].split()

    with Sandbox(tmp_path) as sandbox:
        ledger = {entry.id for entry in sandbox.ledger("payspace", "test")}
        assert set(answered) <= ledger
        assert len(ledger) <= len(answered) + 2
        assert sandbox.writes("payspace", "test") == len(ledger)


SERVE = """
import sys
from pathlib import Path
from provisioner.sandbox.serve import serve

serve(Path(sys.argv[1]), ready=lambda url: print(url, flush=True))
"""


def test_the_same_application_is_served_over_http(tmp_path: Path) -> None:
    """Served on a free port, it answers as in process, and calls back with its URL."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        url = process.stdout.readline().strip()
        with Sandbox(tmp_path) as sandbox:
            headers = {"authorization": "Bearer " + sandbox.token("payspace", "test")}
            made = httpx.post(f"{url}/payspace/test/api/v1/credentials", headers=headers, json=NEW)
            refused = httpx.post(
                f"{url}/payspace/test/api/v1/credentials", headers=headers, content=b"x" * 10_000_000
            )
            assert [made.status_code, refused.status_code] == [201, 413]
            assert [entry.id for entry in sandbox.ledger("payspace", "test")] == [made.json()["id"]]
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_a_served_twin_cuts_the_connection(tmp_path: Path) -> None:
    """A fault that another process armed is met over HTTP: the connection ends before the answer is whole."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        url = process.stdout.readline().strip()
        with Sandbox(tmp_path) as sandbox:
            headers = {"authorization": "Bearer " + sandbox.token("payspace", "test")}
            sandbox.fault("payspace", "test", "cut")
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.post(f"{url}/payspace/test/api/v1/credentials", headers=headers, json=NEW)
            assert 1 == len(sandbox.ledger("payspace", "test"))
            assert [] == sandbox.faults()
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_threads_share_one_sandbox(open_twin: Any, sandbox: Sandbox) -> None:
    """Calls from several threads to one sandbox are whole, each of them."""
    twin = open_twin("payspace", "test")
    threads = [
        threading.Thread(
            target=lambda: [twin.call("POST", "api/v1/credentials", json=NEW) for _ in range(10)]
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sandbox.writes() == len(sandbox.ledger("payspace", "test")) == 40
