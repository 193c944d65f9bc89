"""The drill: sixty credentials in test, five vendors, a refresh, and the morning after."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from program_runner import Cli
from refreshed_project import VENDORS, Refreshed

from provisioner.secrets.identities import generate_identity

EVERYTHING_ELSE = {"rejected": 0, "under_way": 0, "unseen": 0, "strangers": 1}
"""The stranger is production's own management AuthAccess: FPay copies that, too."""


def _project(root: Path, each: int, only_in_test: int) -> Refreshed:
    generate_identity(root / ".provision" / "identity.txt")
    drill = Refreshed(Cli(root), each, only_in_test)
    drill.build()
    return drill


def test_the_morning_after_a_refresh(tmp_path: Path) -> None:
    """PS6: bootstrap restores what a refresh took, ends what it brought, and leaves production as it is."""
    drill = _project(tmp_path / "project", 12, 3)
    run = drill.cli
    drill.refresh()
    before = drill.production()

    judged = run("bootstrap", "test", "--check", "--json")
    told = "test was refreshed from production: 48 gone, 12 survive, 45 copies of production, 3 users missing"
    counts = {"gone": 48, "survives": 12, "copies": 45, "users_missing": 3, **EVERYTHING_ELSE}
    assert (2, told, counts) == (judged.code, judged.json["summary"], judged.json["counts"])
    assert {f"test/payspace-{n}": "works" for n in range(12)} == judged.json["tried"]

    assert 5 == run("bootstrap", "test", "--auto-approve").code  # FPay's steps, and the three users
    assert 0 == run("sandbox", "operate").code
    drill.add_users("test", range(9, 12))
    third = run("bootstrap", "test", "--auto-approve")
    assert (0, "test: 3 gone, 57 survive") == (third.code, third.out.splitlines()[0])
    assert sorted(drill.names()) == sorted(drill.working("test"))

    written = drill.writes("test")
    last = run("bootstrap", "test", "--auto-approve")
    assert (0, "test is as it was left: 60 survive") == (last.code, last.out.splitlines()[0])
    assert written == drill.writes("test")
    assert before == drill.production()


POINTS = ("after-intent:2", "after-sent:2", "before-done:1", "before-captured:2", "after-captured:1")
"""Where a run is killed: while copies end, and while credentials are made anew."""


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project on the morning after, to be copied."""
    root = tmp_path_factory.mktemp("refreshed") / "project"
    _project(root, 1, 0).refresh()
    return root


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_bootstrap_is_gone_on_with(point: str, refreshed: Path, tmp_path: Path) -> None:
    """Killed anywhere, the next bootstraps end where one that nobody stopped ends, and leave nothing."""
    root = tmp_path / "project"
    shutil.copytree(refreshed, root)
    drill = Refreshed(Cli(root), 1)
    before = drill.production()
    killed = subprocess.run(
        [sys.executable, "-m", "provisioner", "-C", str(root), "bootstrap", "test", "--auto-approve"],
        env={**os.environ, "PROVISION_FAILPOINT": point},
        capture_output=True,
        check=False,
    )
    assert -signal.SIGKILL == killed.returncode

    for _ in range(3):
        drill.cli("bootstrap", "test", "--auto-approve")
        drill.cli("sandbox", "operate")
        if 0 == (last := drill.cli("bootstrap", "test", "--check")).code:
            break
    assert 0 == last.code, last.out
    assert sorted(drill.names()) == sorted(drill.working("test"))
    assert dict.fromkeys(VENDORS, 1) == drill.live("test")
    assert before == drill.production()


@pytest.fixture
def morning(refreshed: Path, tmp_path: Path) -> Refreshed:
    """A copy of the small project on the morning after."""
    shutil.copytree(refreshed, tmp_path / "project")
    return Refreshed(Cli(tmp_path / "project"), 1)


def test_a_saved_bootstrap_is_applied_as_it_is(morning: Refreshed) -> None:
    """What was looked at is what is done, where an environment asks for approvals for one."""
    run = morning.cli
    assert 0 == run("bootstrap", "test", "--out", str(run.root / "plan.json")).code
    before = morning.production()
    assert 5 == run("apply", str(run.root / "plan.json")).code
    assert 0 == run("sandbox", "operate").code
    assert (0, before) == (run("bootstrap", "test", "--check").code, morning.production())


def test_a_refresh_while_a_person_is_waited_for(morning: Refreshed) -> None:
    """FP9: what a refresh took before anybody read its secret is made anew; nobody is kept waiting."""
    run = morning.cli
    assert 5 == run("bootstrap", "test", "--auto-approve").code
    morning.refresh()
    assert "+ test/fpay-0 " in run("bootstrap", "test", "--check").out
    assert 5 == run("bootstrap", "test", "--auto-approve").code
    assert 0 == run("sandbox", "operate").code
    assert 0 == run("bootstrap", "test", "--check").code
    assert sorted(morning.names()) == sorted(morning.working("test"))


@pytest.mark.parametrize("saved", [False, True])
def test_copies_of_what_nothing_tells_the_place_of(morning: Refreshed, saved: bool) -> None:
    """Where nothing says where production is, test may be it: no copy ends there, also by a saved plan."""
    run = morning.cli
    if saved:
        assert 0 == run("bootstrap", "test", "--out", str(run.root / "plan.json")).code
    for file in ("provision.yaml", "credentials/all.yaml"):
        text = (run.root / file).read_text()
        text = text.replace(", production: {endpoint: sandbox}", "").replace("[test, production]", "[test]")
        (run.root / file).write_text(text)
    before = morning.production(), morning.live("test")
    asked = ("apply", str(run.root / "plan.json")) if saved else ("bootstrap", "test", "--auto-approve")
    ran = run(*asked)
    assert (3, True) == (ran.code, "paynet: provision.yaml has no endpoint in production" in ran.err), ran.err
    assert before == (morning.production(), morning.live("test"))


def test_who_disables_a_copy_is_told_where(morning: Refreshed) -> None:
    """FP8: in production's console the original has the same token, so the handoff says where to sign in."""
    run = morning.cli
    run("bootstrap", "test", "--auto-approve")
    (asked,) = [one for one in run("handoff", "list", "--json").json["handoffs"] if one["verb"] == "revoke"]
    told = run("handoff", "show", asked["id"]).out
    assert "Sign in to test, and to nothing else: production has one with the same id, which stays." in told


def test_an_ordinary_plan_names_the_way(morning: Refreshed) -> None:
    """Who plans on the morning after is told that one command is for all of it; upkeep ends no copy."""
    note = "Note: test holds 4 copies of production's credentials: provision bootstrap test"
    assert note in morning.cli("plan", "--env", "test").err.splitlines()
    assert note not in morning.cli("plan", "--env", "production").err


def test_what_is_rejected_comes_to_light(morning: Refreshed) -> None:
    """A survivor that the vendor shows is tried; one that was sealed wrongly is replaced."""
    run = morning.cli
    sealed = run("secret", "get", "test/payspace-0", "--json").json
    with morning.cli.sandbox() as twins, twins.tenancy("payspace", "test") as data:
        held = data.by_client_id(sealed["client_id"])
        assert held is not None
        data.update(held, label=held.label, fields=held.fields, secret="another")
    judged = run("bootstrap", "test", "--check", "--json")
    assert ("rejected", 1) == (judged.json["standings"]["test/payspace-0"], judged.json["counts"]["rejected"])
    tried = run("verify", "test/payspace-0", "production/payspace-0")
    assert (1, "1 rejected, 1 works.") == (tried.code, tried.last)
    read = [one for one in run("audit", "log", "--json").json["rows"] if one["event"] == "secret read"]
    assert ["test/payspace-0", "production/payspace-0"] == [one["address"] for one in read[-2:]]


def test_a_vendor_that_does_not_answer_is_no_all_clear(morning: Refreshed) -> None:
    """What was not seen is neither gone nor well, stops nothing else, and is no quiet morning."""
    run = morning.cli
    silent = "paynet: {test: {endpoint: 'https://127.0.0.1:1', auth: {token: {env: NOWHERE_AT_ALL}}}"
    run.edit("paynet: {test: {endpoint: sandbox}", silent, "provision.yaml")
    assert 2 == run("bootstrap", "test", "--check").code
    assert 5 == run("bootstrap", "test", "--auto-approve").code
    assert 0 == run("sandbox", "operate").code
    judged = run("bootstrap", "test", "--check", "--json")
    assert (1, "not seen") == (judged.code, judged.json["standings"]["test/paynet-0"])
    (why,) = judged.json["not_seen"]
    assert why.startswith("paynet: its management token is missing")
