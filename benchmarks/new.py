"""Applying what is new: the real command in a fresh process, at a twin that is served by another process.

Each credential is created, verified and recorded with every durable step, on SQLite with `synchronous=FULL`;
nothing is delivered. Two worlds: a vendor that answers as fast as it can, beside Terraform's apply of as many
`terraform_data`; and one that answers 50 ms later, with 20 calls in flight. There the ideal is

    requests that the vendor got × 50 ms ÷ 20

of the whole command, so that its start, its plan and its last commits count against us.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from benchmarks import terraform
from benchmarks.ours import PROVISION
from benchmarks.processes import Contestant, Cost, median_of, run
from benchmarks.projects import RECIPIENT
from benchmarks.served import served, token

LATENCY = 0.05
"""Seconds."""
IN_FLIGHT = 20
"""Calls that the slow vendor has at once."""
AT_ONCE = 200
"""Credentials at once: while some wait for the vendor, others are written."""
ARMED = 1_000_000
"""More requests than any apply makes: what is left of them tells how many there were."""

APPLY = "apply, all new"
SLOW = "apply, all new, 50 ms, 20 in flight"
IDEAL = "  its ideal"

HEAD = f"""\
project: new
environments:
  test: {{kind: test, recipients: [{RECIPIENT}]}}
providers:
"""


def measured(folder: Path, addresses: int, rounds: int, *, alone: bool) -> Mapping[str, Cost]:
    """Every contestant by turns, each on a state of its own; the medians of all rounds."""
    found: dict[str, list[Cost]] = {}
    for number in range(rounds):
        for name, cost in _round(folder / str(number), addresses, alone=alone):
            found.setdefault(name, []).append(cost)
    return {name: median_of(costs) for name, costs in found.items()}


def _round(folder: Path, addresses: int, *, alone: bool) -> Iterator[tuple[str, Cost]]:
    yield APPLY, _applied(folder / "fast", addresses, 0.0)[0]
    cost, requests = _applied(folder / "slow", addresses, LATENCY)
    yield SLOW, cost
    yield IDEAL, Cost(requests * LATENCY / IN_FLIGHT, 0.0, 0.0)
    if not alone:
        for one in terraform.appliers(folder, addresses):
            yield one.name, run(one)


def _applied(folder: Path, addresses: int, latency: float) -> tuple[Cost, int]:
    """What it cost, and how many requests the vendor got where it is slow."""
    folder.mkdir(parents=True)
    (folder / "provision.yaml").write_text(HEAD + "  payspace: {test: {endpoint: sandbox}}\n")
    (folder / "credentials").mkdir()
    (folder / "credentials" / "all.yaml").write_text(_credentials(addresses))
    with served(folder, ("payspace",)) as endpoints:
        managing = {"PAYSPACE_TOKEN": token(folder, "payspace")}
        (folder / "provision.yaml").write_text(HEAD + _provider(endpoints["payspace"]))
        if latency:
            _command(folder, "arm", "payspace", "test", "latency", f"--seconds={latency}", f"--times={ARMED}")
        command = (*PROVISION, "apply", "--auto-approve", f"--parallelism={AT_ONCE}")
        cost = run(Contestant("apply", command, folder, managing))
        requests = ARMED - _left(folder) if latency else 0
    shutil.rmtree(folder)
    return cost, requests


def _left(folder: Path) -> int:
    # By itself: this process stays small, since a child's memory begins as a copy of it.
    with closing(sqlite3.connect(folder / ".provision" / "sandbox" / "sandbox.db")) as connection:
        found: int = connection.execute("SELECT sum(times) FROM faults").fetchone()[0]
    return found


def _command(folder: Path, *words: str) -> None:
    command = [*PROVISION, "sandbox", "fault", *words]
    subprocess.run(command, cwd=folder, env=os.environ, check=True, capture_output=True)


def _provider(endpoint: str) -> str:
    way = f'endpoint: "{endpoint}", parallelism: {IN_FLIGHT}, auth: {{token: {{env: PAYSPACE_TOKEN}}}}'
    return f"  payspace: {{test: {{{way}}}}}\n"


def _credentials(addresses: int) -> str:
    return "credentials:\n" + "".join(
        f"  key-{number:06}:\n    provider: payspace\n    owner: team-a\n    environments: [test]\n"
        f"    description: what unit {number} calls payspace for\n    scopes: [read-only]\n"
        for number in range(addresses)
    )
