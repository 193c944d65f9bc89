"""`plan --drift-only`: what the vendors show otherwise than it is recorded, and nothing of what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from program_runner import KEY, PAYROLL, REPORT, Cli

SCHEMA = json.loads((Path(__file__).parent.parent.parent / "schemas" / "drift.json").read_text())
DETAILED = ("plan", "--drift-only", "--detailed-exitcode")


@pytest.fixture
def drifted(cli: Cli) -> Cli:
    """Three credentials in use: one has wider scopes and other words at its vendor, one is gone."""
    cli.write(PAYROLL.replace("full-access", "read-only") + REPORT + KEY)
    cli.applied()
    with cli.sandbox() as twins:
        payroll = next(one.id for one in twins.ledger("payspace", "test") if "/payroll/" in one.label)
        (rpp,) = twins.ledger("paynet", "test")
        with twins.tenancy("payspace", "test") as data:
            held = data.get(payroll)
            fields = {**held.fields, "scope": "full-access", "description": "theirs"}
            data.update(held, label=held.label, fields=fields)
        with twins.tenancy("paynet", "test") as data:
            data.end(data.get(rpp.id))
    return cli


def test_findings_are_told_and_nothing_is_proposed(drifted: Cli) -> None:
    """Each finding with its fields as recorded and as shown; what is worst of a credential comes first."""
    ran = drifted(*DETAILED)
    assert (2, "") == (ran.code, ran.err)
    assert [
        "  test/payroll   wider     scopes wider at the vendor than recorded",
        "      scopes     read-only → full-access          wider: adds full-access",
        "  test/payroll   altered   description altered at the vendor",
        '      description  "general ledger" → "theirs"',
        "  test/rpp       gone      gone at the vendor",
        "",
        "Drift: 1 gone, 1 wider, 1 altered, 1 as recorded.",
    ] == ran.out.rstrip().splitlines()[2:]


def test_the_same_for_programs(drifted: Cli) -> None:
    """The JSON has the published shape, and the same findings."""
    ran = drifted(*DETAILED, "--json")
    Draft202012Validator(SCHEMA).validate(ran.json)
    found = [
        (one["address"], one["kind"], [f["path"] for f in one["fields"]]) for one in ran.json["findings"]
    ]
    assert [
        ("test/payroll", "wider", ["scopes"]),
        ("test/payroll", "altered", ["description"]),
        ("test/rpp", "gone", []),
    ] == found
    assert (2, 1) == (ran.code, ran.json["as_recorded"])
    assert ran.json["findings"] == drifted("plan", "--drift-only", "--format", "json").json["findings"]


def test_an_edit_of_the_manifest_is_no_drift(cli: Cli) -> None:
    """What was declared since, or is no longer declared, is a plan's to tell."""
    cli.write(PAYROLL + REPORT)
    cli.applied()
    cli.write(PAYROLL.replace("general ledger", "new"))
    assert 2 == cli("plan", "--detailed-exitcode").code
    ran = cli(*DETAILED)
    assert (0, "No drift. 2 credentials are as recorded in production and test.") == (ran.code, ran.last)


def test_a_selection_holds(drifted: Cli) -> None:
    """Only what was asked for is looked at."""
    ran = drifted(*DETAILED, "--target", "test/report")
    assert (0, "No drift. 1 credential is as recorded in production and test.") == (ran.code, ran.last)


def test_nothing_is_written(drifted: Cli) -> None:
    """Looking changes nothing, at no vendor and not in the state."""
    with drifted.sandbox() as twins:
        before = twins.writes(), (drifted.root / ".provision" / "state.db").read_bytes()
    drifted(*DETAILED)
    with drifted.sandbox() as twins:
        assert before == (twins.writes(), (drifted.root / ".provision" / "state.db").read_bytes())


def test_what_is_not_managed_is_counted(cli: Cli) -> None:
    """A credential without a record is counted in a plan and here, and makes neither of them pending."""
    cli.applied()
    with cli.sandbox() as twins, twins.tenancy("payspace", "test") as data:
        fields = {"description": None, "scope": "read-only", "user": None, "development_mode": False}
        data.add(label="by hand", status="active", client_id="x", secret="", fields=fields)
        theirs = "provision/other/test/payroll/1/0123456789abcdef"  # managed, by another project
        data.add(label=theirs, status="active", client_id="y", secret="", fields=fields)
    line = "1 credential at payspace in test is not managed: provision discover"
    for command in (DETAILED, ("plan", "--detailed-exitcode")):
        ran = cli(*command)
        assert (0, True) == (ran.code, line in ran.out.splitlines())
    counted = {"provider": "payspace", "environment": "test", "count": 1}
    assert [counted] == cli(*DETAILED, "--json").json["unmanaged"]


@pytest.mark.parametrize(
    "given",
    [
        ["--no-refresh"],
        ["--out", "plan.json"],
        ["--at", "+1d"],
        ["--format", "html"],
        ["--hold-retire"],
        ["--allow-wider"],
    ],
)
def test_what_does_not_go_with_it(cli: Cli, given: list[str]) -> None:
    """An option about changes, or one that keeps from looking, is a usage error that names it."""
    ran = cli("plan", "--drift-only", *given)
    assert (64, "") == (ran.code, ran.out)
    assert given[0] in ran.err
    assert not (cli.root / "plan.json").exists()


def test_a_vendor_that_does_not_answer_is_a_failure(cli: Cli) -> None:
    """A check that could not look does not say that all is well."""
    cli.applied()
    away = 'endpoint: "https://payspace.example", auth: {token: {env: NO_SUCH_TOKEN}}'
    cli.edit("payspace: {test: {endpoint: sandbox}", f"payspace: {{test: {{{away}}}", "provision.yaml")
    ran = cli(*DETAILED)
    assert 1 == ran.code
    assert "Not observed, so a drift there would not show:" in ran.out.splitlines()
    assert 1 == cli("plan", "--drift-only").code


def test_a_portal_is_no_failure(cli: Cli) -> None:
    """Where only people can look, that is said, and is nobody's failure."""
    cli.edit(
        "payspace: {test: {endpoint: sandbox}",
        "payspace: {test: {endpoint: sandbox, via: portal}",
        "provision.yaml",
    )
    ran = cli(*DETAILED)
    assert 0 == ran.code
    assert "managed in its portal" in ran.out


def test_an_ignored_field_is_not_told(drifted: Cli) -> None:
    """`ignore_drift` holds for findings as it does for plans."""
    drifted.edit(
        "description: general ledger", "description: general ledger\n    ignore_drift: [description]"
    )
    assert ["wider", "gone"] == [one["kind"] for one in drifted(*DETAILED, "--json").json["findings"]]


def test_what_only_waits_is_no_drift(cli: Cli) -> None:
    """A key that waits for the vendor's approval (PN2) is told, and ends as a plan that waits does."""
    cli.write(KEY.replace("[test]", "[production]"))
    assert 5 == cli("apply", "--auto-approve").code
    assert 5 == cli(*DETAILED).code
