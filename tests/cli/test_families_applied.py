"""Families, from the manifest to the vendor: renaming a key renames, and never revokes by mistake."""

from __future__ import annotations

from program_runner import Cli

FAMILY = """\
  payroll:
    for_each: {elements}
    provider: payspace
    owner: team-payroll
    description: "{{key}}"
    scopes: [read-only]
    environments: [test]
"""


def _write(cli: Cli, elements: str, more: str = "") -> None:
    cli.write(FAMILY.format(elements=elements).replace("{{key}}", "{key}"), more=more)


def test_a_family_is_applied(cli: Cli) -> None:
    """Each element is a credential of its own, made once."""
    _write(cli, "[eu, us]")
    cli.applied()
    assert "2 credentials are as declared" in cli("plan").out
    assert ["active", "active"] == cli.ledger("payspace", "test")
    assert "new: " not in cli("plan").out


def test_a_renamed_key_is_caught(cli: Cli) -> None:
    """A renamed key is refused with 3 and the words to write; with them it is a rename, and nothing ends."""
    _write(cli, "[eu, us]")
    cli.applied()
    _write(cli, "[emea, us]")
    ran = cli("apply", "--auto-approve")
    assert (3, True) == (ran.code, "write `previously: eu` at emea under for_each" in ran.err)
    assert 3 == cli("apply", "--auto-approve", "--target", "test/payroll-eu").code
    assert ["active", "active"] == cli.ledger("payspace", "test")
    _write(cli, "[{key: emea, previously: eu}, us]")
    ran = cli("plan", "--target", "test/payroll-us")
    assert "No changes." in ran.out
    assert "renamed from payroll-eu" in cli.applied().out
    assert ["active", "active"] == cli.ledger("payspace", "test")


def test_what_is_meant_is_done(cli: Cli) -> None:
    """Listed under `removed`, one of a family ends beside a create of another."""
    _write(cli, "[eu, us]")
    cli.applied()
    _write(cli, "[emea, us]", "removed: [{name: payroll-eu, reason: the office closed}]\n")
    cli.applied()
    assert ["active", "active", "ended"] == sorted(cli.ledger("payspace", "test"))


def test_the_plan_says_where(cli: Cli) -> None:
    """A plan names the line of the element that declares a credential."""
    _write(cli, "\n      eu:\n      us:")
    out = cli("plan").out
    assert "test/payroll-eu   create          (declared in credentials/all.yaml:4, no record)" in out
    assert "test/payroll-us   create          (declared in credentials/all.yaml:5, no record)" in out
