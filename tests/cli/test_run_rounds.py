"""`provision run`: what a round does and leaves, how it rests after a failure, and how it stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from program_runner import KEY, PAYROLL, REPORT, Cli, Ran

from provisioner.cli.backoff import FIRST, LONGEST, Backoff
from provisioner.cli.keeping import Keeper, Pace
from provisioner.cli.rounds import Rounds
from provisioner.core.model import Address
from provisioner.state import open_store

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
ADDRESS = Address("test", "payroll")
ROTATING = PAYROLL + "    rotate: {every: 30d, before: 3d, overlap: 24h}\n"
OTHER = REPORT + "    rotate: {every: 30d, before: 3d, overlap: 24h}\n"


def told(ran: Ran) -> list[dict[str, Any]]:
    """The log, each line a whole object with its time and its event."""
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert all(datetime.fromisoformat(line["at"]).tzinfo and line["event"] for line in lines)
    return lines


def events(ran: Ran, event: str) -> list[tuple[str, str]]:
    """(address, action) of all lines of one event."""
    return [(line["address"], line["action"]) for line in told(ran) if line["event"] == event]


def generations(cli: Cli) -> dict[str, int]:
    rows = cli("status", "--json").json["credentials"]
    return {row["address"]: row["generation"] for row in rows}


def test_a_round_renews_and_retires(cli: Cli) -> None:
    """What is due is renewed, what is over is retired, both without a question; then a round does nothing."""
    cli.write(ROTATING)
    cli.applied()
    cli("sandbox", "clock", "--advance", "28d")
    first = cli("run", "--once")
    assert (0, [("test/payroll", "renew")]) == (first.code, events(first, "done"))
    cli("sandbox", "clock", "--advance", "25h")
    assert [("test/payroll", "retire")] == events(cli("run", "--once"), "done")
    assert ["ended", "active"] == cli.ledger("payspace", "test")
    last = cli("run", "--once")
    assert (0, ["planned"]) == (last.code, [line["event"] for line in told(last)])
    assert 0 == cli("audit", "verify").code


def test_a_round_leaves_the_manifests_to_people(cli: Cli) -> None:
    """Nothing is created, updated or revoked, and what is due is renewed as it was last applied."""
    cli.write(ROTATING + REPORT)
    cli.applied()
    cli.write(ROTATING.replace("full-access", "read-only").replace("general", "special") + KEY)
    cli("sandbox", "clock", "--advance", "28d")
    assert [("test/payroll", "renew")] == events(cli("run", "--once"), "done")
    with cli.sandbox() as twins:
        entries = twins.ledger("payspace", "test")
    assert [True] * 3 == [one.ended_at is None for one in entries if one.label]
    newest = max(entries, key=lambda one: one.created_at)
    assert "full-access" in str(newest.fields)
    planned = cli("plan").out
    for line in ("+ test/rpp", "~ test/payroll", "- test/report"):
        assert line in planned
    assert [] == cli.ledger("paynet", "test")


def test_a_broken_manifest_holds_everything(cli: Cli) -> None:
    """While the manifests have problems nothing is done, and the log names each with its place."""
    cli.write(ROTATING)
    cli.applied()
    cli("sandbox", "clock", "--advance", "28d")
    cli.edit("payspace\n", "payspaec\n")
    ran = cli("run", "--once")
    (line,) = told(ran)
    assert (1, "round failed", "ManifestInvalid") == (ran.code, line["event"], line["error"])
    assert "credentials/all.yaml:3:15" in line["problems"][0]
    cli.edit("payspaec\n", "payspace\n")
    assert 0 == cli("run", "--once").code
    assert {"test/payroll": 2} == generations(cli)


def test_what_a_rail_refuses_holds_up_no_other(cli: Cli) -> None:
    """A renewal that a rail refuses is told of and left; the others are done."""
    cli.write(ROTATING + KEY + "    rotate: {every: 30d}\n")
    cli.applied()
    cli("sandbox", "clock", "--advance", "31d")
    ran = cli("run", "--once")
    assert [("test/payroll", "renew")] == events(ran, "done")
    assert [("test/rpp", "renew")] == events(ran, "held back")
    assert "dead secret until the delivery" in next(x["text"] for x in told(ran) if x["event"] == "held back")


def test_approvals_are_for_people(cli: Cli) -> None:
    """Where an environment asks for approvals nothing is begun, and what was begun there goes on."""
    cli.write(ROTATING)
    cli.applied()
    (cli.root / "signers").write_text("")
    cli.edit(
        "test: {kind: test,",
        "test: {approvals: {required: 1, signers: signers}, kind: test,",
        "provision.yaml",
    )
    cli("sandbox", "clock", "--advance", "28d")
    ran = cli("run", "--once")
    assert (0, [], [("test/payroll", "renew")]) == (ran.code, events(ran, "done"), events(ran, "held back"))


def test_a_held_lease(cli: Cli) -> None:
    """While another run holds the lease a round does nothing, says so, and ends with 4."""
    cli.write(ROTATING)
    cli.applied()
    cli("sandbox", "clock", "--advance", "28d")
    url = "sqlite:///.provision/state.db"
    with open_store(url, project="payments", root=cli.root, clock=lambda: datetime.now(UTC)) as store:
        store.acquire(["test"], holder="another run")
        ran = cli("run", "--once")
    assert (4, "LeaseHeld") == (ran.code, told(ran)[-1]["error"])


def test_a_killed_round_is_taken_up(cli: Cli) -> None:
    """What a killed run left open, the next one recovers."""
    cli.write(ROTATING)
    cli.applied()
    cli("sandbox", "clock", "--advance", "28d")
    command = [sys.executable, "-m", "provisioner", "-C", str(cli.root), "run", "--once"]
    for step in ("after-intent", "after-sent", "after-delivered"):
        variables = {**os.environ, "PROVISION_FAILPOINT": step}
        killed = subprocess.run(command, env=variables, check=False, capture_output=True)
        assert -signal.SIGKILL == killed.returncode
    assert ("test/payroll", "recover") in events(cli("run", "--once"), "done")
    assert 2 == cli.ledger("payspace", "test").count("active")
    assert "No changes." in cli("plan").out


@dataclass
class Time:
    """A clock that only waiting moves, and that says stop after so much of it."""

    until: datetime
    now: datetime = START
    waits: list[float] = field(default_factory=list)
    meanwhile: Callable[[datetime], None] = lambda now: None

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        assert len(self.waits) < 1000, "it goes round without waiting"
        self.now += timedelta(seconds=seconds)
        self.meanwhile(self.now)

    def over(self) -> bool:
        return self.now >= self.until


def kept(cli: Cli, time: Time, every: timedelta) -> list[dict[str, Any]]:
    """Rounds until that time; returns their log."""
    lines: list[dict[str, Any]] = []

    def log(event: str, **detail: Any) -> None:
        lines.append({"at": time.now, "event": event, **detail})

    identity = cli.root / ".provision" / "identity.txt"
    rounds = Rounds(cli.root, (identity,), 10, log, time.over)
    Keeper(rounds, every, Pace(lambda: time.now, time.wait), log).until_stopped(time.over)
    return lines


def failing(cli: Cli) -> None:
    """Two due renewals, of which one cannot be delivered."""
    broken = '  broken: {type: exec, command: [sh, -c, "test ! -e broken"]}\nsinks_end:'
    cli.write(ROTATING.replace("    rotate", "    deliver: [app-env, broken]\n    rotate") + OTHER)
    cli.edit("users:", broken.replace("sinks_end:", "users:"), "provision.yaml")
    cli.applied()
    (cli.root / "broken").touch()
    cli("sandbox", "clock", "--advance", "28d")


def test_backing_off(cli: Cli) -> None:
    """What fails is tried after 1, 2, 4 … minutes, at most an hour; the rest is done in the first round."""
    failing(cli)
    time = Time(START + timedelta(hours=5))
    lines = kept(cli, time, timedelta(hours=4))
    assert ["test/report"] == [one["address"] for one in lines if one["event"] == "done"]
    rests = [
        (datetime.fromisoformat(one["until"]) - one["at"]).total_seconds() / 60
        for one in lines
        if one["event"] == "backs off"
    ]
    assert [1, 2, 4, 8, 16, 32, 60, 60, 60] == rests[:9]
    assert {"test/payroll"} == {one["address"] for one in lines if one["event"] == "backs off"}
    assert all(wait <= 4 * 3600 for wait in time.waits)


def test_well_again(cli: Cli) -> None:
    """Once what failed goes well it is forgotten that it failed."""
    failing(cli)

    def mend(now: datetime) -> None:
        if now >= START + timedelta(minutes=5):
            (cli.root / "broken").unlink(missing_ok=True)

    lines = kept(cli, Time(START + timedelta(hours=2), meanwhile=mend), timedelta(hours=1))
    assert 3 == len([one for one in lines if one["event"] == "backs off"])
    assert {"test/payroll", "test/report"} == {one["address"] for one in lines if one["event"] == "done"}
    assert "No changes." in cli("plan").out


def test_manifests_are_read_anew(cli: Cli) -> None:
    """Each round goes by the manifests as they are then; a broken one is told of, and outlived."""
    cli.write(ROTATING)
    cli.applied()
    path = cli.root / "credentials" / "all.yaml"
    good = path.read_text()
    path.write_text("credentials: [")

    def mend(now: datetime) -> None:
        path.write_text(good)
        cli("sandbox", "clock", "--advance", "28d")

    lines = kept(cli, Time(START + timedelta(minutes=20), meanwhile=mend), timedelta(minutes=10))
    names = [one["event"] for one in lines if one["event"] in ("round failed", "done")]
    assert ["round failed", "done"] == names


@given(st.lists(st.booleans(), max_size=60))
def test_rests_are_bounded(outcomes: list[bool]) -> None:
    """A rest is a minute times a power of two, never more than an hour, and a success ends them all."""
    backoff, now = Backoff(), START
    in_a_row = 0
    for failed in outcomes:
        if failed:
            rest = backoff.failed(ADDRESS, now)
            assert min(FIRST * 2**in_a_row, LONGEST) == rest.until - now
            in_a_row += 1
            assert {ADDRESS} == backoff.resting(now) and not backoff.ready(now)
            now = rest.until
            assert {ADDRESS} == backoff.ready(now) and not backoff.resting(now)
        else:
            backoff.went_well(ADDRESS)
            in_a_row = 0
            assert (frozenset(), None) == (backoff.ready(now), backoff.next())


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_stopping(cli: Cli, name: str) -> None:
    """Between rounds a signal ends the run at once, with 0 and without a word on stderr."""
    cli.write(ROTATING)
    cli.applied()
    command = [sys.executable, "-m", "provisioner", "-C", str(cli.root), "run", "--every", "1h"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = [json.loads(process.stdout.readline())["event"] for _ in range(2)]
        process.send_signal(signal.Signals[name])
        out, err = process.communicate(timeout=60)
    assert (0, ["started", "planned"], "") == (process.returncode, seen, err)
    assert ["stopping", "stopped"] == [json.loads(line)["event"] for line in out.splitlines()]


def test_stopping_in_the_middle(cli: Cli) -> None:
    """A signal while a secret is delivered lets it be finished and recorded, and begins nothing more."""
    cli.write(ROTATING.replace("    rotate", "    deliver: [slow]\n    rotate") + OTHER)
    script = "cat >/dev/null; [ ! -e go ] || kill -TERM $PPID; sleep 0.3"
    slow = f'  slow: {{type: exec, command: [sh, -c, "{script}"]}}\n'
    cli.edit("users:", f"{slow}users:", "provision.yaml")
    cli.applied()
    (cli.root / "go").touch()
    cli("sandbox", "clock", "--advance", "28d")
    command = [sys.executable, "-m", "provisioner", "-C", str(cli.root), "run", "--parallelism", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (0, "") == (done.returncode, done.stderr)
    ran = Ran(done.returncode, done.stdout, done.stderr)
    assert [("test/payroll", "renew")] == events(ran, "done")
    assert [("test/report", "renew")] == events(ran, "not started")
    assert {"test/payroll": 2, "test/report": 1} == generations(cli)


@pytest.mark.parametrize("every", ["0s", "soon"])
def test_no_pause(cli: Cli, every: str) -> None:
    """Rounds need a time between them."""
    assert 64 == cli("run", "--every", every).code
