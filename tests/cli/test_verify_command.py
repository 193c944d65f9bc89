"""`provision verify`: what delivered secrets are worth now, and who read them."""

from __future__ import annotations

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli


def _revoke_elsewhere(cli: Cli) -> None:
    """Somebody deletes the newest credential at PaySpace, past us."""
    with cli.sandbox() as twins, twins.tenancy("payspace", "test") as data:
        entries, _ = data.page(label=None, page=1, size=9)
        data.end(entries[-1])


def test_what_works_and_what_is_rejected(cli: Cli) -> None:
    """PS8: each delivered secret is used; one that is rejected makes the exit code 1, and is named."""
    cli.write(PAYROLL)
    cli.applied()
    cli.write(PAYROLL + REPORT)
    cli.applied()
    assert (0, "2 works.") == ((ran := cli("verify")).code, ran.last)
    _revoke_elsewhere(cli)
    ran = cli("verify", "--env", "test", "--json")
    results = {one["address"]: one["result"] for one in ran.json["tried"]}
    assert (1, {"test/payroll": "works", "test/report": "rejected"}) == (ran.code, results)
    assert 0 == cli("verify", "test/payroll").code


def test_what_waits_is_no_failure(cli: Cli) -> None:
    """PN2: a key that its vendor has not approved yet is waiting, and nothing is wrong with it."""
    cli.write(KEY.replace("[test]", "[production]"))
    assert 5 == cli("apply", "--auto-approve").code
    with cli.sandbox() as twins:
        twins.approve("paynet", twins.ledger("paynet", "production")[0].id)
    cli.applied()
    with cli.sandbox() as twins, twins.tenancy("paynet", "production") as data:
        (key,), _ = data.page(label=None, page=1, size=9)
        data.set_status(key, "pending")
    ran = cli("verify")
    assert (0, "1 waiting.") == (ran.code, ran.last)


def test_each_read_stands_in_the_audit_log(cli: Cli) -> None:
    """As with `secret get`: no row, no read."""
    cli.applied()
    cli("verify", "test/payroll")
    last = cli("audit", "log", "--json").json["rows"][-1]
    told = {"generation": 1, "field": None, "for": "verify"}
    assert ("secret read", "test/payroll", told) == (last["event"], last["address"], last["detail"])


def test_without_an_identity_nothing_is_read(cli: Cli) -> None:
    """A wrong command line where no identity is at hand; unknown where the one at hand opens nothing."""
    cli.applied()
    rows = len(cli("audit", "log", "--json").json["rows"])
    (cli.root / ".provision" / "identity.txt").rename(cli.root / "mine.txt")
    ran = cli("verify")
    assert (64, "") == (ran.code, ran.out)
    assert "give --identity FILE, or PROVISION_IDENTITY" in ran.err
    other = cli.root / "other.txt"
    other.write_text(
        "AGE-SECRET-KEY-184JMZMVQH3E6U0PSL869004Y3U2NYV7R30EU99CSEDNPH02YUVFSZW44VU\n", encoding="utf-8"
    )
    ran = cli("verify", "--identity", str(other))
    assert (0, "1 unknown.") == (ran.code, ran.last)
    assert rows == len(cli("audit", "log", "--json").json["rows"])


@pytest.mark.parametrize(
    ("args", "code", "why"),
    [
        (["test/payrol"], 1, "did you mean test/payroll?"),
        (["payroll"], 64, "is not an address"),
        (["test/payroll", "--env", "test"], 64, "not both"),
        (["--env", "tset"], 64, "did you mean test?"),
    ],
)
def test_who_is_meant(args: list[str], code: int, why: str, cli: Cli) -> None:
    """What is not there is named, with the nearest that is."""
    cli.applied()
    ran = cli("verify", *args)
    assert (code, "") == (ran.code, ran.out)
    assert why in ran.err
