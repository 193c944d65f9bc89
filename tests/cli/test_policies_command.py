"""Policies on the command line: told by validate, shown by plan, refused by apply, listed by `policies`."""

from __future__ import annotations

from program_runner import PAYROLL, REPORT, Cli

READ_ONLY = """\
policies:
  only-reading:
    match: {kind: test}
    require: {properties: {scopes: {items: {const: read-only}}}}
    message: in test everybody only reads
"""
PLACE = "credentials/all.yaml:7:5: test/payroll: in test everybody only reads (policy only-reading)"
EXCEPTION = "    exceptions: [{credential: payroll, until: %s, reason: until the vendor has roles}]\n"


def test_what_is_denied_is_a_problem(cli: Cli) -> None:
    """What a policy denies is a problem of validate at its place, and is refused by apply, not by plan."""
    cli.write(PAYROLL + REPORT, more=READ_ONLY)
    ran = cli("validate")
    assert (1, True) == (ran.code, PLACE in ran.err.splitlines())
    assert [PLACE] == cli("validate", "--json").json["problems"]
    planned = cli("plan")
    assert (0, True) == (planned.code, "  policy: test/payroll: in test everybody only reads" in planned.out)
    assert 3 == cli("apply", "--auto-approve").code
    assert [] == cli.ledger("payspace", "test")


def test_what_is_warned_of_is_told(cli: Cli) -> None:
    """What a policy warns of is told on stderr with its place, and is in nobody's way."""
    cli.write(PAYROLL, more=READ_ONLY + "    level: warn\n")
    ran = cli("validate")
    assert (0, True) == (ran.code, f"Warning: {PLACE}" in ran.err.splitlines())
    told = cli("validate", "--json").json
    assert (True, True) == (told["valid"], PLACE in told["warnings"])
    cli.applied()


def test_an_exception_ends(cli: Cli) -> None:
    """An exception counts to the end of its day on the project's clock; then it is told, and denied again."""
    now = cli.sandbox().now()
    cli.write(PAYROLL, more=READ_ONLY + EXCEPTION % now.date())
    assert 0 == cli("validate").code
    assert 0 == cli("plan", "--out", "plan.json").code
    assert 0 == cli("sandbox", "clock", "--advance", "25h").code
    ran = cli("validate")
    assert 1 == ran.code
    assert f"its exception ended {now.date()}" in ran.err
    assert (
        f"Warning: provision.yaml:17:18: the exception of payroll from policy only-reading ended {now.date()}"
        in ran.err
    )
    refused = cli("apply", "plan.json")
    assert (3, True) == (refused.code, f"its exception ended {now.date()}" in refused.err)
    assert [] == cli.ledger("payspace", "test")


def test_a_plan_for_later_knows_what_ends_until_then(cli: Cli) -> None:
    """A plan for a later moment is judged at that moment."""
    cli.write(PAYROLL, more=READ_ONLY + EXCEPTION % cli.sandbox().now().date())
    assert "policy:" not in cli("plan", "--at", "+0h").out
    assert "policy: test/payroll" in cli("plan", "--at", "+25h").out


def test_a_secret_that_grew_too_old(cli: Cli) -> None:
    """A secret that is older than a policy lets it be is told by each plan that does not renew it."""
    cli.write(PAYROLL)
    cli.applied()
    assert "older than 365 days" not in cli("plan").err
    cli("sandbox", "clock", "--advance", "366d")
    note = "Note: test/payroll: no secret grows older than 365 days: `rotate.every` is at most 365d"
    assert f"{note} (policy year-old-secret)" in cli("plan").err.splitlines()
    assert "older than 365 days" not in cli("renew", "test/payroll", "--reason", "old", "--auto-approve").err


def test_one_place_is_told_once(cli: Cli) -> None:
    """What many credentials have from one place is one problem, which names some and counts the rest."""
    many = "".join(REPORT.replace("report:", f"report-{number}:") for number in range(9))
    rule = "{require: {properties: {rotate_days: {maximum: 30}}}, message: young}"
    cli.write(many, more=f"policies: {{young: {rule}}}\n")
    cli.edit(
        "defaults: {deliver: [app-env]}",
        "defaults: {deliver: [app-env], rotate: {every: 90d}}",
        "provision.yaml",
    )
    (problem,) = cli("validate", "--json").json["problems"]
    assert (
        "provision.yaml:11:48: test/report-0, test/report-1, test/report-2 and 6 more: young (policy young)"
        == problem
    )


def test_many_warnings(cli: Cli) -> None:
    """Of many warnings the first are told and the rest is counted; JSON has them all."""
    many = "".join(REPORT.replace("report:", f"report-{number}:") for number in range(25))
    cli.write(many)
    ran = cli("validate")
    assert (0, 21) == (ran.code, len(ran.err.splitlines()))
    assert "Warning: 5 more" in ran.err
    assert 25 == len(cli("validate", "--json").json["warnings"])


def test_the_list(cli: Cli) -> None:
    """`policies list` has the built-in ones, the project's own, and what always holds."""
    cli.write(PAYROLL + REPORT, more=READ_ONLY)
    listed = cli("policies", "list", "--json").json["policies"]
    names = [
        "production-ip-list",
        "year-old-secret",
        "guarded-full-access",
        "only-reading",
        "shared-sink-path",
    ]
    assert names == [one["name"] for one in listed]
    assert (["test/payroll", "test/report"], ["test/payroll"]) == (listed[3]["about"], listed[3]["misfits"])
    assert [True, True, True, False, True] == [one["built_in"] for one in listed]
    text = cli("policies", "list").out
    assert all(name in text for name in names)


def test_show_tells_how_each_credential_stands(cli: Cli) -> None:
    """`policies show` says of each credential that it fits, does not, or need not yet."""
    cli.write(PAYROLL + REPORT, more=READ_ONLY)
    assert (
        "  test/payroll: does not fit\n  test/report: fits\n" in cli("policies", "show", "only-reading").out
    )
    cli.write(PAYROLL + REPORT, more=READ_ONLY + EXCEPTION % "2999-01-31")
    assert "  test/payroll: excepted until 2999-01-31\n" in cli("policies", "show", "only-reading").out
    assert "always" in cli("policies", "show", "shared-sink-path").out
    ran = cli("policies", "show", "only-readin")
    assert (64, True) == (ran.code, "did you mean only-reading?" in ran.err)


def test_a_built_in_one_is_changed_by_its_name(cli: Cli) -> None:
    """An entry of a built-in policy's name changes its level, and narrows what it is about."""
    cli.write(PAYROLL, more="policies: {guarded-full-access: {level: deny}, year-old-secret: {level: off}}\n")
    ran = cli("validate")
    assert (1, True, False) == (ran.code, "guarded-full-access" in ran.err, "year-old-secret" in ran.err)
    cli.write(PAYROLL, more="policies: {guarded-full-access: {level: deny, match: {kind: production}}}\n")
    assert 0 == cli("validate").code
