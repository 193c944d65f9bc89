"""PN2: PayNet approves keys in production; waiting for it is no failure."""

from __future__ import annotations

from program_runner import KEY, Cli


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
