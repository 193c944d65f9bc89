"""Plans that ask the vendors: their twins are served over HTTP on this machine, and hold what was applied.

Everything is applied for real before, at the three vendors whose twins need no person; so this is for small
sizes. `--no-refresh` beside it shows what asking costs.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.ours import PLAN, PROVISION
from benchmarks.processes import Contestant
from benchmarks.projects import RECIPIENT

VENDORS = ("payspace", "paytia", "paynet")
HEAD = f"""\
project: served
environments:
  test: {{kind: test, recipients: [{RECIPIENT}]}}
sinks:
  app-env: {{type: dotenv, path: "secrets/{{environment}}.env"}}
defaults: {{deliver: [app-env]}}
providers:
"""
FIELDS = {
    "payspace": "scopes: [read-only]",
    "paytia": "settings: {webhook_format: single}",
    "paynet": "scopes: [rpp:merchant]",
}


@contextmanager
def contestants(folder: Path, addresses: int) -> Iterator[list[Contestant]]:
    """Plans without a change, with the twins asked and without, while they are served."""
    folder.mkdir(parents=True)
    (folder / "provision.yaml").write_text(HEAD)
    with _served(folder) as endpoints:
        tokens = {f"{vendor.upper()}_TOKEN": _token(folder, vendor) for vendor in VENDORS}
        (folder / "provision.yaml").write_text(HEAD + _providers(endpoints))
        (folder / "credentials").mkdir()
        (folder / "credentials" / "all.yaml").write_text(_credentials(addresses))
        apply = [*PROVISION, "apply", "--auto-approve"]
        subprocess.run(apply, cwd=folder, env={**os.environ, **tokens}, check=True, capture_output=True)
        yield [
            Contestant("plan, vendors asked", (*PROVISION, "plan"), folder, tokens),
            Contestant("plan, vendors not asked", PLAN, folder, tokens),
        ]


@contextmanager
def _served(folder: Path) -> Iterator[dict[str, str]]:
    """The endpoint of each vendor's test tenant, while it is served."""
    server = subprocess.Popen(
        [*PROVISION, "sandbox", "serve"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield _endpoints(server)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _endpoints(server: subprocess.Popen[str]) -> dict[str, str]:
    """Read off what it prints: `payspace test: endpoint http://…`."""
    assert server.stdout is not None
    found: dict[str, str] = {}
    for line in server.stdout:
        words = line.split()
        if words[1:3] == ["test:", "endpoint"]:
            found[words[0]] = words[3]
        if found.keys() >= set(VENDORS):
            break
    return found


def _token(folder: Path, vendor: str) -> str:
    command = [*PROVISION, "sandbox", "token", vendor, "test"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def _providers(endpoints: dict[str, str]) -> str:
    return "".join(
        f'  {vendor}:\n    test: {{endpoint: "{endpoints[vendor]}", parallelism: 16, '
        f"auth: {{token: {{env: {vendor.upper()}_TOKEN}}}}}}\n"
        for vendor in VENDORS
    )


def _credentials(addresses: int) -> str:
    entries = []
    for number in range(addresses):
        vendor = VENDORS[number % len(VENDORS)]
        entries.append(
            f"  key-{number:06}:\n    provider: {vendor}\n    owner: team-a\n    environments: [test]\n"
            f"    description: unit {number}\n    {FIELDS[vendor]}\n"
        )
    return "credentials:\n" + "".join(entries)
