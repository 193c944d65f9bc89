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
from benchmarks.served import served, token

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
    with served(folder, VENDORS) as endpoints:
        tokens = {f"{vendor.upper()}_TOKEN": token(folder, vendor) for vendor in VENDORS}
        (folder / "provision.yaml").write_text(HEAD + _providers(endpoints))
        (folder / "credentials").mkdir()
        (folder / "credentials" / "all.yaml").write_text(_credentials(addresses))
        apply = [*PROVISION, "apply", "--auto-approve"]
        subprocess.run(apply, cwd=folder, env={**os.environ, **tokens}, check=True, capture_output=True)
        yield [
            Contestant("plan, vendors asked", (*PROVISION, "plan"), folder, tokens),
            Contestant("plan, vendors not asked", PLAN, folder, tokens),
        ]


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
