"""Data that is not what it should be: each is told in words, and costs nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli


def test_a_secret_after_a_rename(cli: Cli) -> None:
    """A renamed credential gives its secret under its new name, also after a second rename."""
    cli.applied()
    secret = cli("secret", "get", "test/payroll", "--field", "client_secret").out
    for before, after in (("payroll", "wages"), ("wages", "salaries")):
        cli.write(PAYROLL.replace("  payroll:", f"  {after}:").rstrip() + f"\n    previously: {before}\n")
        cli.applied()
        ran = cli("secret", "get", f"test/{after}", "--field", "client_secret")
        assert (0, secret) == (ran.code, ran.out), ran.err


@pytest.mark.parametrize("command", [["plan"], ["status"], ["sandbox", "list"], ["sandbox", "clock"]])
def test_a_sandbox_that_is_damaged(cli: Cli, command: list[str]) -> None:
    """Twins whose data is no database say so, and what to do."""
    folder = cli.root / ".provision" / "sandbox"
    folder.mkdir(parents=True)
    (folder / "sandbox.db").write_bytes(b"\x01nothing" * 4096)
    ran = cli(*command)
    assert (1, True) == (ran.code, "cannot be used: file is not a database" in ran.err), ran.err
    assert "delete the folder" in ran.err


def test_a_sandbox_that_cannot_be_made(cli: Cli) -> None:
    """Twins that find no place for their data say so."""
    (cli.root / ".provision" / "sandbox").write_text("in the way")
    ran = cli("plan")
    assert (1, True) == (ran.code, "/sandbox cannot be used: File exists" in ran.err), ran.err


def test_a_store_that_is_damaged(cli: Cli) -> None:
    """A store that is no database any more is to be restored: running again would not help."""
    cli.applied()
    store = cli.root / ".provision" / "state.db"
    for side in store.parent.glob("state.db-*"):
        side.unlink()
    store.write_bytes(b"\x01nothing" * 4096)
    ran = cli("plan")
    assert (1, True) == (ran.code, "file is not a database" in ran.err)
    assert "restore it from a copy" in ran.err


def test_a_store_that_is_busy(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that another process keeps is told as that: run again."""
    monkeypatch.setattr("provisioner.state.opening.BUSY_SECONDS", 0.1)
    cli.applied()
    other = sqlite3.connect(cli.root / ".provision" / "state.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    ran = cli("renew", "test/payroll", "--auto-approve")
    other.close()
    assert (1, True) == (ran.code, "database is locked" in ran.err)
    assert "then run again" in ran.err


def test_ctrl_c_while_starting() -> None:
    """Ctrl-C before the program is even loaded ends it without a traceback."""
    script = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'provisioner.cli.program': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from provisioner.__main__ import main\n"
        "sys.argv[1:] = ['plan']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ, capture_output=True, text=True, check=False
    )
    assert (130, "") == (done.returncode, done.stderr)


def test_a_rename_to_a_name_that_was_revoked(cli: Cli) -> None:
    """A rename to a name whose credential ended earlier keeps the credential, and its secret."""
    cli.write(PAYROLL + REPORT)
    cli.applied()
    secret = cli("secret", "get", "test/payroll", "--field", "client_secret").out
    cli.write(PAYROLL)
    cli.applied()
    cli.write(PAYROLL.replace("  payroll:", "  report:").rstrip() + "\n    previously: payroll\n")
    assert "Plan: 1 to update, 0 unchanged." == cli("plan").last
    cli.applied()
    assert ["active", "ended"] == cli.ledger("payspace", "test")
    assert secret == cli("secret", "get", "test/report", "--field", "client_secret").out
    assert "No changes." == cli("plan").last[:11]


def test_a_management_token_that_is_missing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without our own token nothing is sent, and both plan and apply say which variable to set."""
    monkeypatch.delenv("OUR_TOKEN", raising=False)
    cli.edit(
        "payspace: {test: {endpoint: sandbox}",
        'payspace: {test: {endpoint: "http://127.0.0.1:1/x", auth: {token: {env: OUR_TOKEN}}}',
        "provision.yaml",
    )
    for _ in range(2):
        assert "is missing: set the variable OUR_TOKEN" in cli("plan").out
        assert "Plan: 1 to create, 0 unchanged." == cli("plan").last
        ran = cli("apply", "--auto-approve")
        assert (1, "Apply: 1 failed.") == (ran.code, ran.last)
        assert "set the variable OUR_TOKEN" in ran.out


def test_a_sink_that_is_gone_for_good(cli: Cli) -> None:
    """What a broken sink never took is delivered where it is declared to go now, without the old sink."""
    cli.edit("sinks:\n", "sinks:\n  gone: {type: exec, command: [/nowhere/at-all]}\n", "provision.yaml")
    cli.edit("scopes: [full-access]", "scopes: [full-access]\n    deliver: [gone]")
    assert 1 == cli("apply", "--auto-approve").code
    cli.edit("deliver: [gone]", "deliver: [app-env]")
    cli.edit("  gone: {type: exec, command: [/nowhere/at-all]}\n", "", "provision.yaml")
    assert "Plan: 1 to recover, 0 unchanged." == cli("plan").last
    cli.applied()
    assert (cli.root / "secrets" / "test" / "payroll.env").is_file()
    assert "No changes." == cli("plan").last[:11]


def test_an_update_whose_sink_is_gone_for_good(cli: Cli) -> None:
    """The same holds where a present secret was to go to a sink that never took it."""
    cli.applied()
    cli.edit("sinks:\n", "sinks:\n  gone: {type: exec, command: [/nowhere/at-all]}\n", "provision.yaml")
    cli.edit("scopes: [full-access]", "scopes: [full-access]\n    deliver: [app-env, gone]")
    assert 1 == cli("apply", "--auto-approve").code
    cli.edit("deliver: [app-env, gone]", "deliver: [app-env]")
    cli.edit("  gone: {type: exec, command: [/nowhere/at-all]}\n", "", "provision.yaml")
    assert "Plan: 1 to recover, 0 unchanged." == cli("plan").last
    cli.applied()
    assert "No changes." == cli("plan").last[:11]


def test_a_run_that_was_killed_does_not_work(cli: Cli) -> None:
    """Status tells a run that died from one that works."""
    script = (
        "import os, sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from provisioner.state import open_store\n"
        "store = open_store('sqlite:///.provision/state.db', project='payments', root=Path(sys.argv[1]),"
        " clock=lambda: datetime.now(UTC), create=True, read_only=False)\n"
        "store.acquire(['test'], holder='ada@ci-7 pid 7')\n"
        "print('held', flush=True); sys.stdin.readline(); os._exit(9)\n"
    )
    command = [sys.executable, "-c", script, str(cli.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert "held\n" == run.stdout.readline()
        assert "ada@ci-7 pid 7 works on test since" in cli("status").err
        run.communicate("\n")
    assert "ada@ci-7 pid 7 died while it worked on test" in cli("status").err


def test_a_new_project_keeps_its_own_from_git(cli: Cli, tmp_path: Path) -> None:
    """What provision keeps to itself is out of git's reach, even where the project's .gitignore is lost."""
    assert 0 == cli("init", str(tmp_path / "new")).code
    (tmp_path / "new" / ".gitignore").unlink()
    git = ["git", "-C", str(tmp_path / "new")]
    subprocess.run([*git, "init", "--quiet"], check=True)
    told = subprocess.run([*git, "status", "--short", "-uall"], check=True, capture_output=True, text=True)
    assert ["?? credentials/example.yaml", "?? provision.yaml"] == told.stdout.splitlines()


@pytest.mark.parametrize(
    "there",
    [
        "",  # not configured any more
        'test: {endpoint: "http://127.0.0.1:9/x", auth: {token: {file: token}}},',  # nobody listens
    ],
)
def test_a_revoke_that_never_left_is_taken_back(cli: Cli, there: str) -> None:
    """A revoke whose vendor could not be asked leaves the credential, and declaring it again keeps it."""
    (cli.root / "token").write_text("secret")
    cli.write(PAYROLL + KEY)
    cli.applied()
    cli.write(PAYROLL)
    there_before = "paynet: {test: {endpoint: sandbox},"
    cli.edit(there_before, f"paynet: {{{there}", "provision.yaml")
    assert 1 == cli("apply", "--auto-approve").code
    cli.write(PAYROLL + KEY)
    cli.applied()
    assert ["active"] == cli.ledger("paynet", "test")
    assert "No changes." == cli("plan").last[:11]


def test_a_project_that_was_renamed(cli: Cli) -> None:
    """A project that knows nothing, in the file of another, is told of that before it makes copies."""
    cli.applied()
    assert "Note" not in cli("plan").err
    cli.edit("project: payments", "project: payment", "provision.yaml")
    assert "the state holds nothing of project payment, and 1 record of project payments" in cli("plan").err


def test_a_list_that_lags_makes_no_second_credential(cli: Cli) -> None:
    """What a vendor's list does not show yet is asked for by its id before a plan calls it gone."""
    cli.write(PAYROLL)
    cli("sandbox", "fault", "arm", "payspace", "test", "stale", "--seconds", "3600")
    cli.applied()
    assert "No changes." == cli("plan").last[:11]
    assert ["active"] == cli.ledger("payspace", "test")
