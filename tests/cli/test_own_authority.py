"""Our own credential at a vendor: what it may not do is known at plan (FP3), and no run ends what it uses."""

from __future__ import annotations

import json

import pytest
from handoff_project import CARD, with_handoffs
from program_runner import PAYROLL, Cli

from provisioner.sandbox import fpay_console

ALL = CARD.replace("ReadOnly", "FullAccess")
BOTH = ALL + CARD.replace("card:", "reader:")
TOO_NARROW = "(ReadWriteNoMoneyOut) may not create FullAccess (FP3): ask for less"


def _work_with(cli: Cli, token: str) -> None:
    """Have provision manage FPay in test with this token."""
    with cli.sandbox() as twins, twins.tenancy("fpay", "test") as data:
        data.connection.execute(
            "UPDATE tenants SET token = ? WHERE vendor = 'fpay' AND tenant = 'test'", (token,)
        )


def _work_with_permission(cli: Cli, permission: str) -> None:
    """The same with an AuthAccess that a person made in the console."""
    with cli.sandbox() as twins, twins.tenancy("fpay", "test") as data:
        access = fpay_console.create(data, {"name": "narrow", "permission": permission})
    _work_with(cli, f"{access.client_id}:{access.secret}")


def _managed_by_its_own(cli: Cli) -> str:
    """The remote id of test/card, which is made, and which provision works with from then on."""
    with_handoffs(cli, ALL)
    assert 5 == cli("apply", "--auto-approve").code
    assert 0 == cli("sandbox", "operate").code
    parts = [
        cli("secret", "get", "test/card", "--field", part).out.strip() for part in ("token", "secret_key")
    ]
    _work_with(cli, ":".join(parts))
    return parts[0]


def test_too_narrow(cli: Cli) -> None:
    """FP3: what our own access may not create waits, with the remedy; the rest is made."""
    _work_with_permission(with_handoffs(cli, BOTH), "ReadWriteNoMoneyOut")
    plan = cli("plan")
    assert f"the credential that provision works with at fpay {TOO_NARROW}" in plan.out
    assert "1 to create, 1 waiting" in plan.out
    applied = cli("apply", "--auto-approve", "--json").json
    waits = [one["text"] for one in applied["outcomes"] if one["address"] == "test/card"]
    assert TOO_NARROW in waits[0]
    with cli.sandbox() as twins:
        made = [one.fields["permission"] for one in twins.ledger("fpay", "test") if one.label]
    assert ["ReadOnly"] == made


@pytest.mark.parametrize("permission", ["ReadOnly", "ReadMoneyIn", "MoneyInOnly"])
def test_it_may_write_nothing(cli: Cli, permission: str) -> None:
    """FP2, FP3: an access that cannot write makes nothing at all, also where it cannot even list."""
    _work_with_permission(with_handoffs(cli), permission)
    shown = cli("plan").out
    assert f"({permission}) may create and change nothing (FP3): work with one that may" in shown
    assert ("Not observed" in shown) is (permission == "MoneyInOnly")


def test_nothing_is_asked_without_refresh(cli: Cli) -> None:
    """Offline a plan is made as if we might do all; the vendor's own refusal then stops that credential."""
    _work_with_permission(with_handoffs(cli, BOTH), "ReadWriteNoMoneyOut")
    assert "Plan: 2 to create" in cli("plan", "--no-refresh").out
    ran = cli("apply", "--no-refresh", "--auto-approve", "--json")
    assert 1 == ran.code
    failed = {one["address"]: one["text"] for one in ran.json["outcomes"] if one["status"] == "failed"}
    assert ["test/card"] == list(failed)
    assert "may not create FullAccess (FP3)" in failed["test/card"]


def test_no_run_ends_what_it_uses(cli: Cli) -> None:
    """The credential that manages the vendor is not revoked with itself; with another one it is."""
    before = cli.sandbox().token("fpay", "test")
    _managed_by_its_own(cli)
    refused = cli("revoke", "test/card", "--auto-approve")
    assert (3, True) == (refused.code, "own credential: test/card is the credential that" in refused.out)
    emergency = cli("renew", "test/card", "--compromised", "--reason", "leaked", "--auto-approve")
    assert (3, True) == (emergency.code, "own credential" in emergency.out)
    _work_with(cli, before)
    assert 5 == cli("revoke", "test/card", "--auto-approve").code


def test_also_from_a_plan_that_asked_nobody(cli: Cli) -> None:
    """An apply asks for itself what it works with: a saved plan may be made with another, or offline."""
    _managed_by_its_own(cli)
    cli.write(PAYROLL)
    cli.edit("sinks:", "  fpay: {test: {endpoint: sandbox}}\nsinks:", "provision.yaml")
    file = str(cli.root / "plan.json")
    saved = cli("plan", "--no-refresh", "--target", "test/card", "--out", file)
    assert "own credential" not in saved.out
    assert [] == json.loads((cli.root / "plan.json").read_text())["verdicts"]
    ran = cli("apply", file, "--auto-approve")
    assert (3, True) == (ran.code, "own credential: test/card" in ran.err)
    digest = cli("plan", "--no-refresh", "--json").json["digest"]
    expected = cli("apply", "--expect", digest)
    assert (3, True) == (expected.code, "own credential: test/card" in expected.out)


def test_it_renews_beside_itself(cli: Cli) -> None:
    """A renewal with overlap leaves the access that the run uses; its end waits for one with the new."""
    own = _managed_by_its_own(cli)
    assert 5 == cli("renew", "test/card", "--auto-approve").code
    assert 0 == cli("sandbox", "operate").code
    cli("sandbox", "clock", "--advance", "30d")
    shown = cli("plan").out
    assert "- test/card" in shown
    assert "own credential: test/card is the credential that this run uses" in shown
    assert own == cli.sandbox().token("fpay", "test").partition(":")[0]


def test_which_vendors_say(cli: Cli) -> None:
    """`providers` tells whether a vendor says what our own credential may do, reached in each way."""
    said = {
        (one["name"], via)
        for one in cli("providers", "--json").json["providers"]
        for via, capabilities in one["capabilities"].items()
        if capabilities["authority"]
    }
    assert {("fpay", "api")} == said
    assert "authority             no" in cli("providers", "payspace").out
