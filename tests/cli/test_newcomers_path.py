"""The main job, the way a newcomer does it."""

from __future__ import annotations

import stat

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli


def test_init_plan_apply_plan(cli: Cli) -> None:
    """A new project plans and applies at once, delivers, and then has no changes."""
    project = Cli(cli.root / "mine")
    made = Cli(cli.root)("init", "mine")
    assert (0, True) == (made.code, (project.root / "provision.yaml").is_file())
    assert "Plan: 4 to create, 0 unchanged." == project("plan").last
    assert "Apply: 4 done." == project.applied().last
    delivered = project.root / "secrets" / "test" / "payroll-export.env"
    assert 0o600 == stat.S_IMODE(delivered.stat().st_mode)
    assert {"PAYROLL_EXPORT_CLIENT_ID", "PAYROLL_EXPORT_CLIENT_SECRET"} == {
        line.partition("=")[0] for line in delivered.read_text().splitlines()
    }
    again = project("plan", "--detailed-exitcode")
    assert (0, "No changes. 4 credentials are as declared in production and test.") == (
        again.code,
        again.last,
    )


def test_a_plan_writes_nothing(cli: Cli) -> None:
    """A plan makes no store, and no vendor counts a write."""
    assert 2 == cli("plan", "--detailed-exitcode").code
    assert not (cli.root / ".provision" / "state.db").exists()
    cli.applied()
    cli.edit("general ledger", "monthly ledger")
    with cli.sandbox() as twins:
        before = twins.writes()
    assert 2 == cli("plan", "--detailed-exitcode").code
    with cli.sandbox() as twins:
        assert before == twins.writes()


@pytest.mark.parametrize(
    ("credentials", "before", "after", "line"),
    [
        (PAYROLL, "general ledger", "ledger, read only", "update          (description differs)"),
        (PAYROLL, "full-access", "read-only", "update          (scopes differs)"),
        (PAYROLL, "payroll-bot", "report-bot", "update          (user differs)"),
        (KEY, "rpp:merchant", "rpp:acquirer", "replace         (scopes: takes a replace)"),
        (KEY, "team-payments", "team-money", "update          (owner differs)"),
    ],
)
def test_an_edit_is_planned_as_the_vendor_can(
    cli: Cli, credentials: str, before: str, after: str, line: str
) -> None:
    """An edited field gives what its vendor takes for it, and once applied no changes."""
    cli.write(credentials)
    cli.applied()
    cli.edit(before, after)
    planned = cli("plan")
    assert line in planned.out
    cli.applied()
    assert "No changes." == cli("plan").last[:11]


def test_a_field_that_the_vendor_lacks(cli: Cli) -> None:
    """A field that a vendor lacks is a problem with file and line, and nothing is planned."""
    cli.edit("    environments", "    allow_ips: [203.0.113.7]\n    environments")
    ran = cli("plan")
    assert (1, "") == (ran.code, ran.out)
    assert "credentials/all.yaml:8:5: " in ran.err


def test_deleting_an_entry(cli: Cli) -> None:
    """A deleted entry plans a revoke, and after the apply the vendor's credential is dead."""
    cli.write(PAYROLL + REPORT)
    cli.applied()
    cli.write(PAYROLL)
    assert "- test/report   revoke          (no longer declared)" in cli("plan").out
    cli.applied()
    assert ["active", "ended"] == sorted(cli.ledger("payspace", "test"))
    assert "No changes. 1 credential is as declared in production and test." == cli("plan").last


def test_deleting_an_entry_in_production(cli: Cli) -> None:
    """In production a deleted entry is blocked until it is listed under `removed`."""
    production = REPORT.replace("[test]", "[production]")
    cli.write(PAYROLL + production)
    cli.applied()
    cli.write(PAYROLL)
    planned, refused = cli("plan"), cli("apply", "--auto-approve")
    assert (0, 3) == (planned.code, refused.code)
    assert "Refused by the rails" in planned.out
    assert "production/report is protected" in refused.err
    assert ["active"] == cli.ledger("payspace", "production")
    cli.write(PAYROLL, more="removed: [{name: report, reason: nobody reads it}]\n")
    cli.applied()
    assert ["ended"] == cli.ledger("payspace", "production")


def test_emptying_the_directory(cli: Cli) -> None:
    """No manifest left is an error, never a plan that revokes everything."""
    cli.applied()
    (cli.root / "credentials" / "all.yaml").unlink()
    ran = cli("apply", "--auto-approve")
    assert 1 == ran.code
    assert "no credential is declared" in ran.err
    assert ["active"] == cli.ledger("payspace", "test")


def test_targets_and_excludes(cli: Cli) -> None:
    """Globs on addresses say what a plan is about; the rest is not counted."""
    cli.write(PAYROLL + REPORT + KEY)
    assert "Plan: 1 to create, 0 unchanged." == cli("plan", "--target", "test/pay*").last
    assert "Plan: 2 to create, 0 unchanged." == cli("plan", "--exclude", "*/report").last
    assert "No changes." == cli("plan", "--env", "production").last[:11]


def test_a_vendor_that_cannot_be_seen(cli: Cli) -> None:
    """A vendor whose token is missing is said to be unseen; everything else is planned."""
    cli.edit(
        "payspace: {test: {endpoint: sandbox},",
        'payspace: {test: {endpoint: "https://vendor.invalid", auth: {token: {env: NO_SUCH_TOKEN}}},',
        "provision.yaml",
    )
    planned = cli("plan")
    assert 0 == planned.code
    assert "Not observed" in planned.out
    assert "set the variable NO_SUCH_TOKEN" in planned.out
    failed = cli("apply", "--auto-approve")
    assert (1, "Apply: 1 failed.") == (failed.code, failed.last)
    assert "set the variable NO_SUCH_TOKEN" in failed.out
