"""`apply --expect`: what was looked at elsewhere is made again, and done only if it is the same."""

from __future__ import annotations

import re

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli


def _digest(cli: Cli, *options: str) -> str:
    return str(cli("plan", "--json", *options).json["digest"])


def test_the_markdown_has_it(cli: Cli) -> None:
    """The comment on a pull request holds the digest that apply expects."""
    found = re.search(r"Digest: `([0-9a-f]{64})`", cli("plan", "--format", "markdown").out)
    assert found is not None
    assert _digest(cli) == found[1]


@pytest.mark.parametrize("options", [(), ("--no-refresh",), ("--target", "test/pay*")])
def test_the_same_plan_is_done(cli: Cli, options: tuple[str, ...]) -> None:
    """The plan that was looked at is done without a question; done again, it is not there any more."""
    digest = _digest(cli, *options)
    ran = cli("apply", "--expect", digest.upper(), *options)
    assert (0, "Apply: 1 done.") == (ran.code, ran.last), ran.err
    again = cli("apply", "--expect", digest, *options)
    assert (3, True) == (again.code, "perhaps it was applied already" in again.err)


@pytest.mark.parametrize("how", [(), ("--no-refresh",)])
def test_a_plan_made_without_vendors_is_done_with_them(cli: Cli, how: tuple[str, ...]) -> None:
    """What was planned on a pull request without the vendors is done by a run that asks them, or does not."""
    digest = _digest(cli, "--no-refresh")
    assert 0 == cli("apply", "--expect", digest, *how).code
    assert ["active"] == cli.ledger("payspace", "test")


def test_another_plan_is_not_done(cli: Cli) -> None:
    """A plan that is not the one that was looked at is shown, and refused with 3; nothing is done."""
    digest = _digest(cli)
    cli.write(PAYROLL + REPORT)
    ran = cli("apply", "--expect", digest)
    assert (3, True) == (ran.code, "Plan: 2 to create, 0 unchanged." in ran.err)
    assert "+ test/report" in ran.out
    assert _digest(cli) in ran.err
    assert [] == cli.ledger("payspace", "test")


def test_what_moved_beside_it_does_not_matter(cli: Cli) -> None:
    """A plan stays the same where other credentials came about since."""
    cli.write(PAYROLL + KEY)
    digest = _digest(cli, "--target", "test/payroll")
    cli.applied("--target", "test/rpp")
    assert 0 == cli("apply", "--expect", digest, "--target", "test/payroll").code
    cli.edit("general ledger", "ledger")
    offline = _digest(cli, "--no-refresh")
    cli.write(PAYROLL.replace("general ledger", "ledger") + KEY + REPORT)
    cli.applied("--target", "test/report")
    assert 0 == cli("apply", "--expect", offline).code


def test_what_vendors_show_besides_is_left(cli: Cli) -> None:
    """Of a plan made without the vendors nothing is done but what it says, and the rest is told of."""
    cli.write(PAYROLL + REPORT)
    cli.applied()
    cli.edit("general ledger", "ledger")
    digest = _digest(cli, "--no-refresh")
    with cli.sandbox() as twins, twins.tenancy("payspace", "test") as tenancy:
        credentials, _ = tenancy.page(label=None, page=1, size=50)
        tenancy.end(next(one for one in credentials if "/report/" in one.label))
    ran = cli("apply", "--expect", digest)
    assert (0, "Apply: 1 done.") == (ran.code, ran.last), ran.err
    assert "something to do about 1 other credential, which this plan leaves" in ran.err
    assert "test/report" in cli("plan").out


def test_a_saved_plan_is_expected_too(cli: Cli) -> None:
    """A saved plan is done only where it has the digest that is expected."""
    digest = _digest(cli)
    cli("plan", "--out", "plan.json")
    assert 3 == cli("apply", "plan.json", "--expect", "0" * 64).code
    assert [] == cli.ledger("payspace", "test")
    assert 0 == cli("apply", "plan.json", "--expect", digest).code


def test_the_rails_hold(cli: Cli) -> None:
    """That it was looked at lifts no rail."""
    cli.write(PAYROLL + REPORT.replace("[test]", "[production]"))
    cli.applied()
    cli.write(PAYROLL)
    ran = cli("apply", "--expect", _digest(cli))
    assert (3, True) == (ran.code, "production/report is protected" in ran.err)


@pytest.mark.parametrize("text", ["", "0123456789abcdef", "0" * 63 + "g", "0" * 65])
def test_part_of_a_digest(cli: Cli, text: str) -> None:
    """Less than a digest is wrong usage: a part of one could be met by chance, or on purpose."""
    assert 64 == cli("apply", "--expect", text).code
