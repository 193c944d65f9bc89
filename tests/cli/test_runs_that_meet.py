"""Two runs at once, a run that sleeps through its lease, signals while a vendor is at work: real processes.

The vendor does what it was asked and answers late, so a run is certainly in the middle of it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli
from store_harness import behind

SLOW = 1.5
"""Seconds until the vendor's answer; the tests do what they do within them."""


def started(cli: Cli, *args: str, vendor: str = "payspace") -> subprocess.Popen[str]:
    """A run of `apply` whose request the vendor has carried out and not answered yet."""
    operation = {"payspace": "POST api/v1/credentials", "paynet": "POST developer/v1/keys"}[vendor]
    with cli.sandbox() as twins:
        before = len(twins.ledger(vendor, "test"))
        twins.fault(vendor, "test", "latency", operation=operation, seconds=SLOW)
        command = [sys.executable, "-m", "provisioner", "-C", str(cli.root), "apply", "--auto-approve", *args]
        run = subprocess.Popen(
            command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        while len(twins.ledger(vendor, "test")) == before:
            assert run.poll() is None, run.communicate()
            time.sleep(0.01)
    return run


def ended(run: subprocess.Popen[str]) -> tuple[int, str, str]:
    """How a run ends by itself."""
    out, err = run.communicate(timeout=60)
    return run.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_waits_for_the_vendor(cli: Cli, number: int) -> None:
    """What is in flight at the first Ctrl-C, or SIGTERM, is finished and saved; nothing more is begun."""
    cli.write(PAYROLL + REPORT)
    run = started(cli, "--parallelism", "1")
    run.send_signal(number)
    code, out, err = ended(run)
    assert (1, "Apply: 1 done, 1 not started.") == (code, out.splitlines()[-1])
    assert "Once more stops hard" in err
    assert ["active"] == cli.ledger("payspace", "test")
    cli.applied()
    assert ["active", "active"] == cli.ledger("payspace", "test")


def test_the_second_signal_does_not(cli: Cli) -> None:
    """The second Ctrl-C does not wait for the vendor's answer; the next run ends what that lost and makes
    another, since the secret was shown once, to nobody."""
    run = started(cli)
    run.send_signal(signal.SIGINT)
    assert run.stderr is not None
    while "Once more stops hard" not in run.stderr.readline():
        assert run.poll() is None
    run.send_signal(signal.SIGINT)
    code, _, _ = ended(run)
    assert 128 + signal.SIGINT == code
    assert "! test/payroll   recover" in cli("plan").out
    cli.applied()
    assert ["ended", "active"] == cli.ledger("payspace", "test")
    assert 0 == cli("plan", "--detailed-exitcode").code


def test_two_applies_at_once(cli: Cli) -> None:
    """One proceeds; the other ends with 4 and says who works there, since when, and from which host."""
    first = started(cli)
    first.send_signal(signal.SIGSTOP)  # however slow this machine is, it is still at it
    second = cli("apply", "--auto-approve")
    first.send_signal(signal.SIGCONT)
    (lease,) = behind(
        f"sqlite:///{cli.root}/.provision/state.db", "SELECT holder, host FROM provision_leases"
    )
    assert 4 == second.code
    assert f"{lease.holder} works on test from host {lease.host} since 20" in second.err
    assert f"pid {first.pid}" in lease.holder
    assert 0 == ended(first)[0]
    assert ["active"] == cli.ledger("payspace", "test")


@pytest.mark.parametrize(("declared", "vendor"), [(PAYROLL, "payspace"), (KEY, "paynet")])
def test_a_run_that_sleeps_through_its_lease(cli: Cli, declared: str, vendor: str) -> None:
    """A run that was paused for longer than its lease, overtaken, and continued writes nothing any more."""
    cli.write(declared)
    url = f"sqlite:///{cli.root}/.provision/state.db"
    slept = started(cli, vendor=vendor)
    slept.send_signal(signal.SIGSTOP)
    behind(url, "UPDATE provision_leases SET expires_at = '2000-01-01T00:00:00.000000+00:00'")
    cli.applied()
    before = state(url), delivered(cli)
    slept.send_signal(signal.SIGCONT)
    code, out, err = ended(slept)
    assert 1 == code
    assert "lost its lease" in out + err
    assert before == (state(url), delivered(cli))
    assert 1 == cli.ledger(vendor, "test").count("active")
    assert 0 == cli("plan", "--detailed-exitcode").code
    assert [] == sorted((cli.root / ".provision").glob("emergency/*"))


def state(url: str) -> list[list[object]]:
    """Every row of the store."""
    tables = behind(url, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [[name, *map(tuple, behind(url, f"SELECT * FROM {name}"))] for (name,) in tables]


def delivered(cli: Cli) -> dict[str, str]:
    """What the sinks hold."""
    return {str(path): path.read_text() for path in sorted((cli.root / "secrets").rglob("*.env"))}


def test_a_run_that_is_overtaken_by_one_that_dies(cli: Cli) -> None:
    """What a run got from the vendor after it lost its lease is kept, sealed, as long as nobody went on with
    its operation: the next run takes it in, and the vendor is not asked again."""
    slept = started(cli)
    slept.send_signal(signal.SIGSTOP)
    url = f"sqlite:///{cli.root}/.provision/state.db"
    behind(url, "UPDATE provision_leases SET expires_at = '2000', epoch = epoch + 1")
    slept.send_signal(signal.SIGCONT)
    assert 1 == ended(slept)[0]
    cli.applied("--identity", str(cli.root / ".provision" / "identity.txt"))
    assert ["active"] == cli.ledger("payspace", "test")
    assert 0 == cli("plan", "--detailed-exitcode").code
    assert [] == sorted((cli.root / ".provision").glob("emergency/*"))
