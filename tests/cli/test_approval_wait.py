"""PN2: PayNet approves keys in production; waiting for it is no failure."""

from __future__ import annotations

from program_runner import KEY, PAYROLL, Cli


def test_from_waiting_to_done(cli: Cli) -> None:
    """An apply that has to wait ends with 5, status says for whom, and after the approval the key is used."""
    cli.write(KEY.replace("[test]", "[production]"))
    first = cli("apply", "--auto-approve")
    assert (5, "Apply: 1 waiting.") == (first.code, first.last)
    (row,) = cli("status", "--json").json["credentials"]
    assert ("create: waiting", "approval") == (row["state"], row["waits_for"])
    assert "the vendor's approval" in cli("status").out

    waiting = cli("plan", "--detailed-exitcode")
    assert (5, "Plan: 1 waiting, 0 unchanged.") == (waiting.code, waiting.last)
    assert 5 == cli("apply").code  # nothing to decide, so nothing is asked

    assert 0 == cli("sandbox", "approve", "production/rpp").code
    assert "Plan: 1 to activate, 0 unchanged." == cli("plan").last
    assert "Apply: 1 done." == cli.applied().last
    assert ["active"] == cli.ledger("paynet", "production")
    assert (cli.root / "secrets" / "production" / "rpp.env").is_file()
    assert "No changes." == cli("plan").last[:11]


def test_a_denial(cli: Cli) -> None:
    """A denial is told, and a person decides what follows."""
    cli.write(KEY.replace("[test]", "[production]"))
    cli("apply", "--auto-approve")
    listed = cli("sandbox", "list", "--json").json["credentials"]
    (key,) = [one["id"] for one in listed if one["vendor"] == "paynet"]
    assert 0 == cli("sandbox", "approve", "--provider", "paynet", key, "--deny").code
    assert "denied by the vendor" in cli("plan").out


def test_nothing_waits(cli: Cli) -> None:
    """An address that does not wait cannot be approved."""
    cli.applied()
    assert 1 == cli("sandbox", "approve", "test/payroll").code
    assert 1 == cli("sandbox", "approve", "--provider", "paynet", "nothing").code


def test_after_a_denial_it_can_be_revoked(cli: Cli) -> None:
    """What was denied is ended at the vendor by `revoke`, and the next apply asks for another key."""
    _denied(cli)
    assert "or end it: provision revoke production/rpp" in cli("plan").out
    ran = cli("revoke", "production/rpp", "--auto-approve")
    assert (0, "Apply: 1 done.") == (ran.code, ran.last), ran.err
    assert ["ended"] == cli.ledger("paynet", "production")
    assert "revoked" == cli("status", "--json").json["credentials"][0]["state"]
    assert 5 == cli("apply", "--auto-approve").code
    assert ["ended", "pending"] == cli.ledger("paynet", "production")


def test_after_a_denial_it_can_be_deleted(cli: Cli) -> None:
    """What was denied and is no longer declared is ended, and nothing is left to do."""
    _denied(cli)
    cli.write(PAYROLL)
    assert "1 to recover" in cli("plan").last
    assert "Apply: 2 done." == cli.applied().last
    assert ["ended"] == cli.ledger("paynet", "production")
    assert "No changes." == cli("plan").last[:11]


def test_edited_while_it_waits(cli: Cli) -> None:
    """Other scopes are another key: the one that waits is ended, and the next apply asks for the other."""
    cli.write(KEY.replace("[test]", "[production]"))
    assert 5 == cli("apply", "--auto-approve").code
    cli.edit("[rpp:merchant]", "[rpp:acquirer]")
    assert 0 == cli("apply", "--auto-approve").code
    assert 5 == cli("apply", "--auto-approve").code
    assert ["ended", "pending"] == cli.ledger("paynet", "production")


def _denied(cli: Cli) -> None:
    cli.write(KEY.replace("[test]", "[production]"))
    assert 5 == cli("apply", "--auto-approve").code
    assert 0 == cli("sandbox", "approve", "production/rpp", "--deny").code
