"""An emergency: chosen by what they are, planned once, old secrets first, gone on with after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli

NAMES = ("wide", "narrow", "third")
REASON = ("--reason", "INC-4711: laptop stolen")
EMERGENCY = ("renew", "--compromised", *REASON, "--auto-approve")


def three(cli: Cli, more: str = "") -> None:
    """Three credentials of one vendor with a label, and whatever else; all are applied."""
    text = "".join(
        f"  {name}:\n    provider: payspace\n    owner: team\n    labels: {{laptop: 'yes'}}\n"
        f"    scopes: [{'full-access' if name == 'wide' else 'read-only'}]\n"
        f"{'    user: payroll-bot' if name == 'wide' else '    environments: [test]'}\n"
        + ("    environments: [test]\n" if name == "wide" else "")
        for name in NAMES
    )
    cli.write(text + more)
    cli.applied()


def history(cli: Cli, name: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = cli("audit", "log", f"test/{name}", "--json").json["rows"]
    return found


def generations(cli: Cli) -> dict[str, int]:
    rows = cli("status", "--json").json["credentials"]
    return {row["address"]: row["generation"] for row in rows}


def delivered(cli: Cli, name: str) -> str:
    return (cli.root / "secrets" / "test" / f"{name}.env").read_text()


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (("test/narrow", "test/wide"), {"test/narrow", "test/wide"}),
        (("--label", "laptop=yes"), {"test/wide", "test/narrow", "test/third"}),
        (("--label", "laptop=yes", "--user", "payroll-bot"), {"test/wide"}),
        (("--label", "laptop=no"), None),
        (("--provider", "paynet"), {"test/rpp"}),
        (("--provider", "payspace", "--env", "test"), {"test/wide", "test/narrow", "test/third"}),
        (("--env", "production"), None),
        (("--user", "svc.payroll"), {"test/wide"}),
    ],
)
def test_chosen_by_what_they_are(cli: Cli, choice: tuple[str, ...], expected: set[str] | None) -> None:
    """Addresses, labels, vendors, users and environments choose; several filters must all hold."""
    three(cli, KEY)
    ran = cli(*EMERGENCY, *choice, "--out", str(cli.root / "plan.json"), "--json")
    if expected is None:
        assert (1, True) == (ran.code, "fits" in ran.err)
    else:
        assert expected == {change["address"] for change in ran.json["changes"]}
        assert {True} == {change["compromised"] for change in ran.json["changes"]}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((*EMERGENCY,), "ADDRESS"),
        ((*EMERGENCY, "test/wide", "--provider", "payspace"), "not both"),
        ((*EMERGENCY, "--label", "laptop"), "KEY=VALUE"),
        ((*EMERGENCY, "--env", "tset"), "did you mean test?"),
        (("renew", "--compromised", "test/wide", "--auto-approve"), "--reason"),
        (("renew", "--compromised", "test/wide", "--auto-approve", "--reason", "  "), "--reason"),
        ((*EMERGENCY, "test/wide", "--at", "+1d"), "--at"),
        ((*EMERGENCY, "test/wide", "--dry-run"), "--dry-run"),
    ],
)
def test_what_an_emergency_does_not_take(cli: Cli, args: tuple[str, ...], words: str) -> None:
    """No choice, two ways of choosing, no reason, another moment or a dry run: nothing is done."""
    three(cli)
    ran = cli(*args)
    assert (64, True) == (ran.code, words in ran.err), ran.err
    assert {1} == set(generations(cli).values())


def test_never_issued(cli: Cli) -> None:
    """What was never issued cannot be compromised; the nearest that was is named."""
    three(cli)
    cli.edit("  third:", "  fourth:")
    ran = cli(*EMERGENCY, "test/fourth")
    assert (1, True) == (ran.code, "test/fourth is not issued" in ran.err)


def test_old_ones_end_and_new_ones_are_delivered(cli: Cli) -> None:
    """All the old secrets are dead, the new ones delivered; more than any rail lets a plan revoke."""
    three(cli, KEY)
    before = {name: delivered(cli, name) for name in NAMES}
    ran = cli(*EMERGENCY, "--label", "laptop=yes")
    assert (0, "Apply: 3 done.") == (ran.code, ran.last), ran.err
    assert Counter(ended=3, active=3) == Counter(cli.ledger("payspace", "test"))
    assert ["active"] == cli.ledger("paynet", "test")
    assert not [name for name in NAMES if before[name] == delivered(cli, name)]
    shown = [line.split()[1] for line in ran.out.splitlines() if line.strip().startswith("↻")]
    assert "test/wide" == shown[0]
    assert "revoked first: consumers hold a dead secret until the delivery" in ran.out
    assert "No changes." in cli("plan").out


def test_windows_and_downtime_do_not_hold_it_up(cli: Cli) -> None:
    """A vendor that renews in place, and a maintenance window, refuse or delay nothing."""
    cli.write(KEY + '    rotate: {every: 90d, window: "Sun 03:00-03:01 UTC"}\n')
    cli.applied()
    assert 3 == cli("renew", "test/rpp", "--auto-approve").code
    assert 0 == cli(*EMERGENCY, "test/rpp").code
    assert {"test/rpp": 2} == generations(cli)


def test_the_history_names_the_reason(cli: Cli) -> None:
    """Before anything is done the history says that it was compromised and why; so does the renewal."""
    three(cli)
    assert 0 == cli(*EMERGENCY, "--label", "laptop=yes").code
    for name in NAMES:
        rows = history(cli, name)
        events = [row["event"] for row in rows]
        assert events.index("compromised") < events.index("renew intended") < events.index("renew done")
        reasons = {row["event"]: row["detail"] for row in rows}
        assert {"reason": "compromised: INC-4711: laptop stolen"} == reasons["compromised"]
        assert ["compromised: INC-4711: laptop stolen"] == reasons["renew done"]["reasons"]  # type: ignore[index]
    assert 0 == cli("audit", "verify").code


def test_asked_for_once(cli: Cli) -> None:
    """One question is for all; where nobody can answer, nothing is done."""
    three(cli)
    ran = cli("renew", "--compromised", *REASON, "--label", "laptop=yes")
    assert 64 == ran.code
    assert "Plan: 3 to renew, 0 unchanged." == ran.last
    assert {1} == set(generations(cli).values())


def killed(cli: Cli, failpoint: str, *more: str) -> int:
    """The emergency as a process of its own, which kills itself at a step."""
    command = [sys.executable, "-m", "provisioner", "-C", str(cli.root), *EMERGENCY, *more]
    variables = {**os.environ, "PROVISION_FAILPOINT": failpoint}
    return subprocess.run(command, env=variables, capture_output=True, check=False, timeout=120).returncode


STEPS = ("after-intent", "after-sent", "before-captured", "after-verified")


@pytest.mark.parametrize(
    ("again", "step"),
    [
        *(("same", f"{step}:2") for step in STEPS),
        ("apply", "before-cut_over:1"),
        ("apply", "before-done:3"),
    ],
)
def test_a_killed_emergency_goes_on(cli: Cli, again: str, step: str) -> None:
    """Killed at any step, the same command, or an apply, ends every old secret and leaves one new one each.

    What was done already is not done twice.
    """
    three(cli)
    before = {name: delivered(cli, name) for name in NAMES}
    assert -signal.SIGKILL == killed(cli, step, "--label", "laptop=yes", "--parallelism", "1")
    if again == "same":
        ran = cli(*EMERGENCY, "--label", "laptop=yes")
        assert 0 == ran.code, ran.out + ran.err
    else:
        cli.applied()
    live = [one for one in cli.ledger("payspace", "test") if one == "active"]
    assert 3 == len(live)
    assert not [name for name in NAMES if before[name] == delivered(cli, name)]
    done = [sum(row["event"] == "renew done" for row in history(cli, name)) for name in NAMES]
    assert [1, 1, 1] == done
    assert "No changes." in cli("plan").out


def test_the_same_reason_is_the_same_emergency(cli: Cli) -> None:
    """Run again for the same reason it does nothing; for another reason it begins anew."""
    three(cli)
    assert 0 == cli(*EMERGENCY, "test/wide").code
    rest = cli(*EMERGENCY, "--label", "laptop=yes")
    assert (0, True) == (rest.code, "1 credential renewed for this reason already." in rest.out)
    assert {"test/wide": 2, "test/narrow": 2, "test/third": 2} == generations(cli)
    assert "3 credentials renewed for this reason already." == cli(*EMERGENCY, "--label", "laptop=yes").last
    assert 0 == cli("renew", "test/wide", "--auto-approve").code
    assert "3 credentials renewed for this reason already." == cli(*EMERGENCY, "--label", "laptop=yes").last
    another = ("renew", "--compromised", "--reason", "found again", "--auto-approve", "test/wide")
    assert 0 == cli(*another).code
    assert 4 == generations(cli)["test/wide"]
    assert 0 == cli("revoke", "test/wide", "--auto-approve").code
    assert 0 == cli(*EMERGENCY, "test/wide").code
    assert 5 == generations(cli)["test/wide"]


def test_something_else_was_open(cli: Cli) -> None:
    """An older operation is ended first; the run says that the secret is not renewed yet, and fails."""
    three(cli)
    command = [
        sys.executable,
        "-m",
        "provisioner",
        "-C",
        str(cli.root),
        "renew",
        "test/wide",
        "--auto-approve",
    ]
    variables = {**os.environ, "PROVISION_FAILPOINT": "after-captured"}
    assert (
        -signal.SIGKILL == subprocess.run(command, env=variables, check=False, capture_output=True).returncode
    )
    ran = cli(*EMERGENCY, "test/wide")
    assert (1, True) == (
        ran.code,
        "test/wide: an older operation was ended first. Run the same again" in ran.err,
    )
    assert 0 == cli(*EMERGENCY, "test/wide").code
    live = Counter(cli.ledger("payspace", "test"))
    assert Counter(active=3, ended=2) == live


def test_left_out_and_told(cli: Cli) -> None:
    """What fits and is not declared any more is left out, and it says how to end it."""
    cli.write(PAYROLL + REPORT)
    cli.applied()
    cli.write(PAYROLL)
    ran = cli(*EMERGENCY, "--provider", "payspace")
    assert 0 == ran.code
    assert "test/report fits, and is left out: nothing declares it. provision revoke test/report" in ran.err
    assert Counter(active=2, ended=1) == Counter(cli.ledger("payspace", "test"))


def test_a_saved_emergency(cli: Cli) -> None:
    """Where approvals are asked for, the plan of an emergency is saved, and the file does the same."""
    three(cli)
    path = cli.root / "plan.json"
    assert 0 == cli(*EMERGENCY, "test/wide", "--out", str(path)).code
    assert 1 == generations(cli)["test/wide"]
    assert 0 == cli("apply", str(path)).code
    assert Counter(active=3, ended=1) == Counter(cli.ledger("payspace", "test"))
    assert "1 credential renewed for this reason already." == cli(*EMERGENCY, "test/wide").last
