"""Linked users: checked before anything is made, told of when they left, listed and ended by name."""

from __future__ import annotations

from program_runner import PAYROLL, REPORT, Cli

FORMER = PAYROLL.replace("payroll:", "former:").replace("payroll-bot", "former-bot")
CLERK = PAYROLL.replace("payroll:", "clerk:").replace("payroll-bot", "report-bot")
CLOCK = """\
  clock:
    provider: timeclock
    owner: team-payroll
    user: payroll-bot
    environments: [test, production]
"""
REPORT_BOT = "report-bot: {payspace: svc.reports}}"
NOT_ACTIVE = "user svc.payroll is not active at payspace: link another user, or have it activated there"


def _with_users(cli: Cli, credentials: str) -> None:
    """These credentials, with a user who left, and TimeClock in both environments."""
    cli.write(credentials)
    cli.edit(REPORT_BOT, f"{REPORT_BOT[:-1]}, former-bot: {{payspace: svc.former}}}}", "provision.yaml")
    cli.edit("{payspace: svc.payroll}", "{payspace: svc.payroll, timeclock: 17}", "provision.yaml")
    both = "{test: {endpoint: sandbox}, production: {endpoint: sandbox}}"
    cli.edit("sinks:", f"  timeclock: {both}\nsinks:", "provision.yaml")


def _leaves(cli: Cli, vendor: str, id: str) -> None:
    """At the vendor in test, this user is no longer active."""
    with cli.sandbox() as twins, twins.tenancy(vendor, "test") as data:
        data.put("user", id, {**data.stored("user", id), "active": False})


def _writes(cli: Cli) -> int:
    with cli.sandbox() as twins:
        return twins.writes()


def test_a_user_who_is_not_active(cli: Cli) -> None:
    """PS3: what their credential takes is not asked for; all others are made, and an apply exits with 5."""
    _with_users(cli, PAYROLL + FORMER)
    shown = cli("plan").out
    assert "user svc.former is not active at payspace" in shown
    assert "Plan: 1 to create, 1 waiting, 0 unchanged." == shown.splitlines()[-1]
    done = cli("apply", "--auto-approve")
    assert 5 == done.code
    assert ["active"] == cli.ledger("payspace", "test")
    before = _writes(cli)
    assert 5 == cli("apply", "--auto-approve").code
    assert before == _writes(cli)


def test_what_a_role_denies_is_told(cli: Cli) -> None:
    """PS4: a credential that is to be linked says what its user's role keeps from it."""
    cli.write(CLERK)
    assert "the role of user svc.reports denies payslips, to this credential too" in cli("plan").out


def test_nobody_is_asked_without_need(cli: Cli) -> None:
    """Without a refresh, or where nothing declared links one, no vendor is asked for users."""
    cli.write(REPORT)
    with cli.sandbox() as twins:
        twins.fault("payspace", "test", "busy", operation="GET api/v1/users", times=3)
    assert "Not observed" not in cli("plan").out
    cli.write(PAYROLL)
    assert "svc.payroll" in cli("plan", "--no-refresh").out
    with cli.sandbox() as twins:
        assert [3] == [fault.times for fault in twins.faults()]


def test_a_vendor_that_does_not_tell_its_users(cli: Cli) -> None:
    """A vendor that lists its credentials and not its users says so once, and nothing waits for that."""
    with cli.sandbox() as twins:
        twins.fault("payspace", "test", "busy", operation="GET api/v1/users", seconds=3600)
    cli.write(PAYROLL + CLERK)
    shown = cli("plan").out
    assert 1 == shown.count("payspace in test, its users: ")
    assert "Plan: 2 to create, 0 unchanged." == shown.splitlines()[-1]


def test_a_vendor_that_tells_nothing(cli: Cli) -> None:
    """A vendor that cannot be asked anything says so once, not again for its users."""
    with cli.sandbox() as twins:
        twins.fault("payspace", "test", "busy", operation="GET", times=9, seconds=3600)
    shown = cli("plan").out
    assert (1, False) == (shown.count("GET api/v1"), "its users" in shown)
    assert "Plan: 1 to create, 0 unchanged." == shown.splitlines()[-1]


def test_a_portal_tells_nothing_of_users(cli: Cli) -> None:
    """Where people manage a vendor in its portal nobody sees its users, so none of them is missing there."""
    cli.edit(
        "payspace: {test: {endpoint: sandbox}",
        "payspace: {test: {endpoint: sandbox, via: portal}",
        "provision.yaml",
    )
    assert "Plan: 1 to create, 0 unchanged." in cli("plan").out


def test_a_rename_waits_with_the_rest(cli: Cli) -> None:
    """What waits for its user keeps its old name until then, and an apply finds it as it was planned on."""
    cli.applied()
    _leaves(cli, "payspace", "svc.payroll")
    cli.edit("  payroll:\n", "  wages:\n    previously: payroll\n")
    cli.edit("general ledger", "the general ledger")
    ran = cli("apply", "--auto-approve")
    assert (5, True) == (ran.code, NOT_ACTIVE in ran.out)
    assert ["test/payroll"] == [
        one["address"] for one in cli("status", "--json").json["credentials"] if one["generation"]
    ]


def test_somebody_leaves(cli: Cli) -> None:
    """A credential in use whose user left is told of, and neither changed nor ended."""
    cli.applied()
    assert "Linked users who left" not in cli("plan").out
    _leaves(cli, "payspace", "svc.payroll")
    ran = cli("plan", "--detailed-exitcode")
    assert 0 == ran.code
    assert f"  test/payroll: {NOT_ACTIVE}" in ran.out.splitlines()
    assert f"`test/payroll: {NOT_ACTIVE}`" in cli("plan", "--format", "markdown").out
    assert [f"test/payroll: {NOT_ACTIVE}"] == cli("plan", "--json").json["users_left"]
    assert "No changes." in cli("apply", "--auto-approve").out
    cli.edit("general ledger", "the general ledger")
    assert f"(description differs; {NOT_ACTIVE})" in cli("plan").out


def test_a_user_of_timeclock(cli: Cli) -> None:
    """TC8: an access is granted to a user who is there and active; in the other tenant they still are."""
    _with_users(cli, CLOCK)
    _leaves(cli, "timeclock", "17")
    shown = cli("plan").out
    assert "user 17 is not active at timeclock: link another user" in shown
    assert "Plan: 1 to create, 1 waiting, 0 unchanged." == shown.splitlines()[-1]


def test_status_of_a_user(cli: Cli) -> None:
    """By the manifests' name all that is theirs, at every vendor; by a vendor's what has that name there."""
    _with_users(cli, PAYROLL + CLERK + CLOCK)

    def listed(name: str) -> list[str]:
        return sorted(row["address"] for row in cli("status", "--user", name, "--json").json["credentials"])

    everything = ["production/clock", "test/clock", "test/payroll"]
    assert everything == listed("payroll-bot")
    assert everything[:2] == listed("17")
    assert everything[2:] == listed("svc.payroll")
    cli.applied()
    assert everything == listed("payroll-bot")
    assert "Nothing is linked to former-bot.\n" == cli("status", "--user", "former-bot").out


def test_a_name_that_nobody_has(cli: Cli) -> None:
    """Another name is an error of the command line that knows the nearest one."""
    for command in (("status",), ("revoke", "--auto-approve"), ("renew", "--auto-approve")):
        ran = cli(*command, "--user", "payrol-bot")
        assert (64, True) == (ran.code, "did you mean payroll-bot?" in ran.err)
    for wrong in ((), ("test/payroll", "--user", "payroll-bot")):
        assert 64 == cli("revoke", "--auto-approve", *wrong).code


def test_revoke_all_of_a_user(cli: Cli) -> None:
    """Every credential of theirs is ended in one plan, and nobody else's; then nothing is left to end."""
    _with_users(cli, PAYROLL + CLERK + CLOCK.replace(", production", ""))
    cli.applied()
    shown = cli("revoke", "--user", "payroll-bot", "--reason", "left the company")
    assert "Plan: 2 to revoke" in shown.out
    refused = "revocations: 2 revocations in test, 1 allowed"
    assert (3, True) == (shown.code, refused in shown.out)  # the rails are as usual
    cli.edit("defaults:", "limits: {revocations: 2}\ndefaults:", "provision.yaml")
    ended = cli("revoke", "--user", "payroll-bot", "--reason", "left the company", "--auto-approve")
    assert 0 == ended.code
    assert ["ended", "active"] == sorted(cli.ledger("payspace", "test"), reverse=True)
    assert ["ended"] == cli.ledger("timeclock", "test")
    again = cli("revoke", "--user", "payroll-bot", "--auto-approve")
    assert (1, True) == (again.code, "nothing that can still be used is linked to payroll-bot" in again.err)


def test_revoke_protects(cli: Cli) -> None:
    """What is protected stays, whoever it is linked to: a command line does not lift that."""
    _with_users(cli, CLOCK)
    cli.applied()
    ran = cli("revoke", "--user", "17", "--auto-approve")
    assert (3, True) == (ran.code, "protected: production/clock is protected" in ran.out)
    assert ["active"] == cli.ledger("timeclock", "test")


def test_a_user_who_got_another_name(cli: Cli) -> None:
    """A user whom the manifests call otherwise by now is the same one: their vendor's name did not change."""
    cli.applied()
    cli.edit("payroll-bot: {", "payroll-service: {", "provision.yaml")
    cli.edit("user: payroll-bot", "user: payroll-service")
    for name in ("payroll-service", "payroll-bot", "svc.payroll"):
        assert "- test/payroll" in cli("revoke", "--user", name).out
