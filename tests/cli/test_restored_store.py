"""A store that was put back to an older copy: seen by its head or the vendors, read-only until settled."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli
from store_harness import behind

RENEWABLE = KEY.replace("environments:", "rotate: {allow_downtime: true}\n    environments:")


def _database(cli: Cli) -> list[Path]:
    return sorted((cli.root / ".provision").glob("state.db*"))


def _copy(cli: Cli) -> Path:
    """An older copy of the store, as a backup has it."""
    folder = cli.root / "backup"
    folder.mkdir()
    for path in _database(cli):
        shutil.copy2(path, folder)
    return folder


def _restore(cli: Cli, folder: Path, *, head: bool = True) -> None:
    """Put the older copy back; without `head` on a machine that has never seen the newer one."""
    for path in _database(cli):
        path.unlink()
    for path in folder.iterdir():
        shutil.copy2(path, cli.root / ".provision")
    if not head:
        (cli.root / ".provision" / "head").unlink()


@pytest.fixture
def renewed(cli: Cli) -> Path:
    """A project whose only credential was renewed after the copy was made."""
    cli.applied()
    folder = _copy(cli)
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    return folder


def _show(cli: Cli, address: str) -> Any:
    return cli("show", address, "--json").json


def _generations(cli: Cli, address: str) -> list[tuple[int, str]]:
    return [(one["number"], one["state"]) for one in _show(cli, address)["generations"]]


def _refused(cli: Cli, *args: str) -> str:
    before = cli.ledger("payspace", "test")
    ran = cli(*args)
    assert 3 == ran.code, ran.out + ran.err
    assert before == cli.ledger("payspace", "test")
    return ran.err


@pytest.mark.parametrize("head", [True, False])
def test_a_plan_says_so_loudly(cli: Cli, renewed: Path, head: bool) -> None:
    """A plan works on an older copy, and says what it is, in every form; also when only the vendors tell."""
    _restore(cli, renewed, head=head)
    ran = cli("plan")
    assert 0 == ran.code
    assert "WARNING: " in ran.err
    assert "provision state reconcile" in ran.err
    words = "is an older copy" if head else "payspace has generation 2"
    assert words in ran.err
    verdicts = cli("plan", "--json").json["verdicts"]
    assert {"restored store"} == {one["rail"] for one in verdicts}


@pytest.mark.parametrize("head", [True, False])
def test_nothing_is_applied(cli: Cli, renewed: Path, head: bool) -> None:
    """Whatever would write is refused with 3, and the vendor is not called."""
    _restore(cli, renewed, head=head)
    cli.edit("general", "special")
    for args in (("apply", "--auto-approve"), ("renew", "test/payroll", "--auto-approve")):
        assert "provision state reconcile" in _refused(cli, *args)


def test_nor_is_a_saved_plan(cli: Cli, renewed: Path) -> None:
    """A plan that was saved on an older copy is refused as well, although it asks no vendor again."""
    _restore(cli, renewed, head=False)
    cli.edit("general", "special")
    cli("plan", "--out", "plan.json")
    assert "payspace has generation 2" in _refused(cli, "apply", "plan.json")


def test_a_secret_of_an_older_copy_is_not_read(cli: Cli, renewed: Path) -> None:
    """What writes an audit row is refused: the secret of an older copy may long be dead."""
    _restore(cli, renewed)
    assert "older copy" in _refused(cli, "secret", "get", "test/payroll")


def test_reconcile_takes_over_what_is_newer(cli: Cli, renewed: Path) -> None:
    """The vendor's newer generation is the active one, with an unknown secret; nothing is revoked."""
    _restore(cli, renewed)
    ran = cli("state", "reconcile", "--reason", "disk failed", "--auto-approve", "--json")
    assert 0 == ran.code, ran.err
    (adopted,) = ran.json["adopted"]
    assert ("test/payroll", False) == (adopted["address"], adopted["secret_known"])
    assert [(1, "retiring"), (2, "active")] == _generations(cli, "test/payroll")
    assert not _show(cli, "test/payroll")["record"]["secret_known"]
    assert ["active", "active"] == cli.ledger("payspace", "test")
    row = cli("audit", "log", "--json").json["rows"][-1]
    assert ("store reconciled", "disk failed") == (row["event"], row["detail"]["reason"])


def test_then_the_store_can_be_written(cli: Cli, renewed: Path) -> None:
    """After it a plan warns no more, and a renewal gives a known secret and ends what was there before."""
    _restore(cli, renewed)
    cli("state", "reconcile", "--auto-approve")
    ran = cli("plan")
    assert ("", "No changes.") == (ran.err, ran.out[:11])
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    assert _show(cli, "test/payroll")["record"]["secret_known"]
    cli("sandbox", "clock", "--advance", "25h")
    cli.applied()
    assert ["ended", "ended", "active"] == cli.ledger("payspace", "test")
    assert 0 == cli("audit", "verify").code


def test_a_renewal_in_place(cli: Cli) -> None:
    """Where the id stays and the secret went, the vendor's tag tells, and the older generation is dead."""
    cli.write(RENEWABLE)
    cli.applied()
    folder = _copy(cli)
    assert 0 == cli("renew", "test/rpp", "--auto-approve").code
    _restore(cli, folder, head=False)
    assert "paynet has generation 2" in cli("plan").err
    cli("state", "reconcile", "--auto-approve")
    assert [(1, "retired"), (2, "active")] == _generations(cli, "test/rpp")
    assert cli("plan").out.startswith("No changes.")


def test_what_the_copy_never_had(cli: Cli) -> None:
    """A credential that was created after the copy gets its record back; none is made twice."""
    cli.applied()
    folder = _copy(cli)
    cli.write(PAYROLL + REPORT)
    cli.applied()
    _restore(cli, folder)
    cli("state", "reconcile", "--auto-approve")
    assert [(1, "active")] == _generations(cli, "test/report")
    assert "No changes. 2 credentials" in cli("plan").out
    assert ["active", "active"] == cli.ledger("payspace", "test")


def test_a_store_that_lost_everything(cli: Cli) -> None:
    """Without any store the vendors' tags bring every record back."""
    cli.write(PAYROLL + REPORT)
    cli.applied()
    for path in [*_database(cli), cli.root / ".provision" / "head"]:
        path.unlink()
    assert "2 more" not in _refused(cli, "apply", "--auto-approve")
    cli("state", "reconcile", "--auto-approve")
    assert "No changes. 2 credentials" in cli("plan").out


def test_what_nobody_declares_is_protected(cli: Cli) -> None:
    """What is ours at the vendor and declared nowhere is taken over, and revoked once a person says so."""
    cli.applied()
    folder = _copy(cli)
    cli.write(PAYROLL + REPORT)
    cli.applied()
    cli.write(PAYROLL)
    _restore(cli, folder)
    assert "nobody declares it" in cli("state", "reconcile", "--auto-approve").out
    waits = cli("apply", "--auto-approve")
    assert (5, True) == (waits.code, "list it under `removed`, or forget it" in waits.out)
    assert "test/report is protected" in _refused(cli, "revoke", "test/report", "--auto-approve")
    cli.write(PAYROLL, more="removed: [{name: report, reason: not needed}]\n")
    cli.applied()
    assert ["active", "ended"] == cli.ledger("payspace", "test")


def test_what_was_revoked_since(cli: Cli) -> None:
    """What ended after the copy is only planned as the manifests say; the head alone tells of it."""
    cli.write(PAYROLL + REPORT)
    cli.applied()
    folder = _copy(cli)
    cli.write(PAYROLL)
    cli.applied()
    _restore(cli, folder)
    ran = cli("state", "reconcile", "--auto-approve")
    assert (0, True) == (ran.code, "have nothing that the store does not know" in ran.out)
    cli.applied()
    assert cli("plan").out.startswith("No changes.")
    assert ["active", "ended"] == cli.ledger("payspace", "test")


def test_a_rename_since(cli: Cli) -> None:
    """A credential that was renamed and renewed after the copy keeps one record, under its new name."""
    cli.write(RENEWABLE)
    cli.applied()
    folder = _copy(cli)
    cli.write(RENEWABLE.replace("rpp:\n", "ledger:\n    previously: rpp\n", 1))
    cli.applied()
    assert 0 == cli("renew", "test/ledger", "--auto-approve").code
    _restore(cli, folder)
    cli("state", "reconcile", "--auto-approve")
    assert ["test/ledger"] == cli("state", "list", "--json").json["addresses"]
    assert [(1, "retired"), (2, "active")] == _generations(cli, "test/ledger")
    assert cli("plan").out.startswith("No changes.")
    assert ["active"] == cli.ledger("paynet", "test")


def test_an_operation_that_ended_since(cli: Cli) -> None:
    """What was under way in the copy had ended before the newer generation was made: it is closed."""
    cli.applied()
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    url = f"sqlite:///{cli.root}/.provision/state.db"
    for phase, state in (("captured", "pending"), ("done", "active")):
        behind(url, f"UPDATE provision_operations SET phase = '{phase}' WHERE generation = 2")
        behind(url, f"UPDATE provision_generations SET state = '{state}' WHERE number = 2")
        if phase == "captured":
            folder = _copy(cli)
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    _restore(cli, folder)
    assert "! test/payroll" in cli("plan").out
    cli("state", "reconcile", "--auto-approve")
    assert [(1, "retiring"), (2, "retiring"), (3, "active")] == _generations(cli, "test/payroll")
    assert cli("plan").out.startswith("No changes.")


def test_an_operation_that_may_have_ended_since(cli: Cli) -> None:
    """What was under way in the copy, with nothing newer at the vendor, is told and left to recovery."""
    cli.applied()
    url = f"sqlite:///{cli.root}/.provision/state.db"
    behind(url, "UPDATE provision_operations SET phase = 'sent'")
    folder = _copy(cli)
    behind(url, "UPDATE provision_operations SET phase = 'done'")
    cli.edit("general", "special")
    cli.applied()
    _restore(cli, folder)
    assert "test/payroll: create, sent" in cli("state", "reconcile", "--auto-approve").out
    assert "! test/payroll" in cli("plan").out


def test_nothing_to_reconcile(cli: Cli) -> None:
    """On a store that is whole nothing is written, and nothing is asked."""
    cli.applied()
    head = cli("audit", "head").out
    ran = cli("state", "reconcile")
    assert (0, True) == (ran.code, ran.out.startswith("Nothing to reconcile"))
    assert head == cli("audit", "head").out


def test_it_asks_first(cli: Cli, renewed: Path) -> None:
    """Without a terminal and without --auto-approve nothing is taken over."""
    _restore(cli, renewed)
    assert 64 == cli("state", "reconcile").code
    assert [(1, "active")] == _generations(cli, "test/payroll")


def test_a_vendor_that_does_not_answer(cli: Cli, renewed: Path) -> None:
    """While a vendor that could be asked cannot be reached, what it has would be missed: refused."""
    _restore(cli, renewed)
    cli.edit(
        "paynet: {test: {endpoint: sandbox}",
        'paynet: {test: {endpoint: "http://127.0.0.1:9", auth: {token: {env: NO_SUCH_TOKEN}}}',
        "provision.yaml",
    )
    ran = cli("state", "reconcile", "--auto-approve")
    assert (1, True) == (ran.code, "cannot be seen now" in ran.err), ran.err
    assert [(1, "active")] == _generations(cli, "test/payroll")


def test_a_team_on_postgresql(cli: Cli, empty_postgres_url: str) -> None:
    """A team's store that was restored shows on each machine that saw the newer one, and by the vendors."""
    cli.edit("project: payments", f"project: payments\nstate: {empty_postgres_url}", "provision.yaml")
    cli.applied()
    assert 0 == cli("state", "copy", empty_postgres_url, "sqlite:///backup.db").code
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    _forget_everything(empty_postgres_url)
    assert 0 == cli("state", "copy", "sqlite:///backup.db", empty_postgres_url).code
    assert "is an older copy" in _refused(cli, "apply", "--auto-approve")
    (cli.root / ".provision" / "head").unlink()
    assert "payspace has generation 2" in _refused(cli, "apply", "--auto-approve")
    cli("state", "reconcile", "--auto-approve")
    assert [(1, "retiring"), (2, "active")] == _generations(cli, "test/payroll")


def _forget_everything(url: str) -> None:
    from provisioner.state.tables import METADATA

    for table in reversed(METADATA.sorted_tables):
        if table.name != "provision_meta":
            behind(url, f"DELETE FROM {table.name}")


def test_an_older_head_is_fine(cli: Cli) -> None:
    """A machine that has not been used for a while has an older head, and the log still leads through it."""
    cli.applied()
    head = (cli.root / ".provision" / "head").read_text()
    cli.edit("general", "special")
    cli.applied()
    (cli.root / ".provision" / "head").write_text(head)
    assert "" == cli("plan").err
    cli.edit("special", "general")
    cli.applied()


@pytest.mark.parametrize("text", ["", "payments", "payments 7:xyz", "\xff"])
def test_a_head_that_cannot_be_read(cli: Cli, text: str) -> None:
    """A damaged head warns and hinders nobody, and the next apply writes it anew."""
    cli.applied()
    path = cli.root / ".provision" / "head"
    good = path.read_text()
    path.write_bytes(text.encode("latin-1"))
    assert 0 == cli("plan").code
    cli.edit("general", "special")
    cli.applied()
    assert good.split()[0] == path.read_text().split()[0]
    assert 0o600 == path.stat().st_mode & 0o777


def test_a_head_that_cannot_be_kept(cli: Cli) -> None:
    """What was applied stays applied where the head cannot be written; that is said."""
    (cli.root / ".provision" / "head").mkdir()
    ran = cli("apply", "--auto-approve")
    assert (0, True) == (ran.code, "could not be kept" in ran.err), ran.err
