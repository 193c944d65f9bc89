"""Adoption: what vendors have already is found, drafted, imported and made whole; nothing of it is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from program_runner import PAYROLL, REPORT, Cli, Ran
from strangers import MADE, five_vendors, made

from provisioner.cli.program import program


def test_the_round_trip(cli: Cli) -> None:
    """Of all vendors that can list: found, drafted, imported, renewed; then nothing is unknown or left."""
    five_vendors(cli)
    for vendor in MADE:
        made(cli, vendor)
    (cli.root / "credentials" / "all.yaml").unlink()
    drafted = cli("discover", "--write", str(cli.root / "credentials"), "--owner", "team-platform")
    assert 0 == drafted.code, drafted.err
    assert "Drafted 5 credentials" in drafted.err
    assert 0 == cli("validate").code
    plan = cli("plan", "--json").json
    assert ["import"] * 5 == [change["action"] for change in plan["changes"]]
    writes = _writes(cli)
    cli.applied()
    assert writes == _writes(cli)
    unknown = ["test/board-viewer", "test/card-capture", "test/payroll-export"]
    after = cli("plan", "--json").json
    assert ([], unknown) == (after["changes"], after["secrets_unknown"])
    renewed = cli("renew", *unknown, "--auto-approve")
    assert 5 == renewed.code, renewed.out + renewed.err
    _do_all_handoffs(cli)
    _until_nothing_is_left(cli)
    last = cli("plan", "--json").json
    assert ([], []) == (last["changes"], last["secrets_unknown"])
    assert 0 == cli("discover").code
    delivered = sorted(path.stem for path in (cli.root / "secrets" / "test").glob("*.env"))
    assert ["board-viewer", "card-capture", "made-by-hand", "payroll-export", "rpp-merchant-old"] == delivered
    # FPay's account has one of its own, which provision itself works with.
    assert {**dict.fromkeys(MADE, 1), "fpay": 2} == {name: _live(cli, name) for name in MADE}


def _writes(cli: Cli) -> int:
    with cli.sandbox() as twins:
        return twins.writes()


def _live(cli: Cli, vendor: str) -> int:
    with cli.sandbox() as twins:
        return sum(
            1 for one in twins.ledger(vendor, "test") if one.ended_at is None and one.status != "disabled"
        )


def _do_all_handoffs(cli: Cli) -> None:
    assert 0 == cli("sandbox", "operate").code


def _until_nothing_is_left(cli: Cli) -> None:
    """A day later the overlap is over: the old ones are retired, by a person where that takes one."""
    assert 0 == cli("sandbox", "clock", "--advance", "25h").code
    cli("apply", "--auto-approve")
    _do_all_handoffs(cli)


def test_what_is_told(cli: Cli) -> None:
    """What is not ours is listed with what it says of itself; what is ours, or imported already, is not."""
    cli.applied()
    mine = made(cli, "payspace")
    made(cli, "payspace", label="provision/others/production/their-key/1/n1")
    told = cli("discover", "--provider", "payspace", "--env", "test")
    assert "2 credentials not ours." == told.last
    assert "tagged production/their-key of project others" in told.out
    found = cli("discover", "--json").json
    assert [mine["id"]] == [one["remote_id"] for one in found["unmanaged"] if one["name"]]
    folder = cli.root / "credentials"
    drafted = cli("discover", "--write", str(folder), "--owner", "team")
    assert "is tagged production/their-key of project others" in drafted.err
    imports = yaml.safe_load((folder / "payspace.yaml").read_text())["import"]
    assert [mine["id"]] == [one["remote_id"] for one in imports]
    again = cli("discover", "--write", str(folder), "--owner", "team", "--json")
    assert ([], 1) == (again.json["written"], len(again.json["unmanaged"]))


def test_nothing_is_overwritten(cli: Cli) -> None:
    """A file that is there stays as it is: what is found later gets a file of its own."""
    made(cli, "payspace")
    folder = cli.root / "credentials"
    cli("discover", "--write", str(folder), "--owner", "team")
    first = (folder / "payspace.yaml").read_text()
    made(cli, "payspace")
    assert "payspace-2.yaml" in cli("discover", "--write", str(folder), "--owner", "team").err
    assert first == (folder / "payspace.yaml").read_text()
    assert "payroll-export-2:" in (folder / "payspace-2.yaml").read_text()
    assert 0 == cli("validate").code


def test_one_name_in_two_environments(cli: Cli) -> None:
    """What has one name in test and production becomes one credential, with what differs in each."""
    for tenant, scope in (("test", "full-access"), ("production", "read-only")):
        made(cli, "payspace", tenant, scope=scope)
    cli("discover", "--write", str(cli.root / "credentials"), "--owner", "team")
    actions = {
        one["address"]: one["action"]
        for one in cli("plan", "--json", "--target", "*/payroll-export").json["changes"]
    }
    assert {"production/payroll-export": "import", "test/payroll-export": "import"} == actions


def test_a_user_without_a_name(cli: Cli) -> None:
    """A linked user that provision.yaml does not name is named first; until then nothing is written."""
    made(cli, "payspace")
    cli.edit("payroll-bot: {payspace: svc.payroll}", "payroll-bot: {paynet: none}", "provision.yaml")
    (cli.root / "credentials" / "all.yaml").unlink()
    refused = cli("discover", "--write", str(cli.root / "credentials"), "--owner", "team")
    assert (1, []) == (refused.code, list((cli.root / "credentials").iterdir()))
    assert 'svc-payroll: {payspace: "svc.payroll"}' in refused.err


def test_names_of_other_letters(cli: Cli) -> None:
    """A draft's name keeps the letters that a name has no room for, without their accents."""
    made(cli, "payspace", label="Gehälter à Zürich", user=None, scope="read-only")
    assert 0 == cli("discover", "--write", str(cli.root / "credentials"), "--owner", "team").code
    assert "  gehalter-a-zurich:\n" in (cli.root / "credentials" / "payspace.yaml").read_text()


@pytest.mark.parametrize("case", ["no folder", "in a file", "nobody"])
def test_what_cannot_be_drafted(cli: Cli, case: str) -> None:
    """A folder that cannot be made, and an owner without a name, are told; nothing is written."""
    made(cli, "payspace", user=None, scope="read-only")
    (cli.root / "gone").symlink_to(cli.root / "nowhere")
    folder = {"no folder": "gone", "in a file": "provision.yaml/drafts"}.get(case, "drafts")
    owner = "team" if case != "nobody" else " "
    ran = cli("discover", "--write", str(cli.root / folder), "--owner", owner)
    said = "write --write DIR --owner TEAM" if case == "nobody" else "choose another folder for --write"
    assert (64 if case == "nobody" else 1, True) == (ran.code, said in ran.err), ran.err
    assert [] == list(cli.root.glob("**/payspace*.yaml"))


def given(cli: Cli, secret: str, *args: str) -> Ran:
    """An import with this on stdin."""
    ran = CliRunner().invoke(
        program, ["-C", str(cli.root), "import", *args, "--secret-stdin", "--auto-approve"], input=secret
    )
    assert "client_secret" not in secret or json.loads(secret)["client_secret"] not in ran.output
    return Ran(ran.exit_code, ran.stdout, ran.stderr)


def _pair(answer: dict[str, Any]) -> str:
    return json.dumps({name: answer[name] for name in ("client_id", "client_secret")})


def test_import_with_its_secret(cli: Cli) -> None:
    """A secret on stdin is tried, sealed and delivered, and shown to nobody; a wrong one is refused.

    PaySpace may take two seconds to know a secret, so a wrong one is tried for as long.
    """
    answer = made(cli, "payspace")
    wrong = json.dumps({"client_id": answer["client_id"], "client_secret": "made-up-secret"})
    assert 3 == given(cli, wrong, "test/payroll", answer["id"]).code
    no_text = [json.dumps({"client_id": "x", "client_secret": one}) for one in ("a\ud800b", "a\0b")]
    for unfit in ('{"client_id": "x"}', *no_text):
        assert 64 == given(cli, unfit, "test/payroll", answer["id"]).code
    assert [] == cli("state", "list", "--json").json["addresses"]
    assert 0 == given(cli, _pair(answer), "test/payroll", answer["id"]).code
    assert answer["client_secret"] in (cli.root / "secrets" / "test" / "payroll.env").read_text()
    (row,) = cli("status", "--json").json["credentials"]
    assert ("active", True, 1) == (row["state"], row["secret_known"], row["generation"])


def test_import_of_one(cli: Cli) -> None:
    """It is planned and applied at once; nothing is delivered, and whatever shows it says so."""
    answer = made(cli, "payspace", description="general ledger")
    ran = cli("import", "test/payroll", answer["id"], "--auto-approve")
    assert (0, "Apply: 1 done.") == (ran.code, ran.last)
    assert "← test/payroll   import" in ran.out
    assert "not managed" not in ran.out
    assert "active, secret unknown" in cli("status").out
    assert "secret unknown: provision renew test/payroll makes it whole" in cli("show", "test/payroll").out
    plan = cli("plan")
    assert "1 secret is unknown (test/payroll): provision renew ADDRESS makes it whole." == plan.last
    assert "1 secret is unknown" in cli("plan", "--format", "markdown").out
    assert "1 secret is unknown" in cli("plan", "--format", "html").out
    assert not (cli.root / "secrets").exists()


@pytest.mark.parametrize("case", ["nowhere", "no id", "undeclared", "has it", "other", "held", "asking"])
def test_what_is_refused(cli: Cli, case: str) -> None:
    """An import that cannot be says why, and neither records nor makes anything."""
    answer = made(cli, "payspace")
    cli.write(PAYROLL + REPORT)
    id, address, said, code = answer["id"], "test/payroll", "", 3
    if case == "nowhere":
        id, said = "no-such-id", "PaySpace has no credential no-such-id"
    elif case == "no id":
        id, said, code = " ", "write it as provision discover lists it", 64
    elif case == "undeclared":
        address, said, code = "test/payrol", "did you mean test/payroll?", 1
    elif case == "asking":
        said, code = "add --auto-approve", 64
    else:
        assert (
            0 == cli("import", "test/report" if case == "held" else "test/payroll", id, "--auto-approve").code
        )
        other = made(cli, "payspace")["id"]
        id = other if case == "other" else id
        said = {
            "has it": f"has {id} already",
            "other": "already: first provision state rm",
            "held": "state mv",
        }[case]
    before = (cli("state", "list", "--json").json, len(cli.ledger("payspace", "test")))
    extra = ("--secret-stdin",) if case == "asking" else ("--auto-approve",)
    ran = cli("import", address, id, *extra)
    assert (code, True) == (ran.code, said in ran.err), ran.err
    assert before == (cli("state", "list", "--json").json, len(cli.ledger("payspace", "test")))


@pytest.mark.parametrize("address", ["test/payroll", "test/report"])
def test_manifests_that_say_otherwise(cli: Cli, address: str) -> None:
    """What an entry under `import` says is not contradicted by a command: it would wait from then on."""
    first, other = made(cli, "payspace")["id"], made(cli, "payspace")["id"]
    cli.write(PAYROLL + REPORT)
    entry = cli.root / "credentials" / "entry.yaml"
    entry.write_text(f"import:\n  - {{name: payroll, environment: test, remote_id: {first}}}\n")
    ran = cli("import", address, other if address == "test/payroll" else first, "--auto-approve")
    assert (3, True) == (ran.code, f"{first} is test/payroll" in ran.err), ran.err
    assert "credentials/entry.yaml:2" in ran.err
    assert 0 == cli("import", "test/payroll", first, "--auto-approve").code


def test_what_another_address_took_meanwhile(cli: Cli) -> None:
    """An id that was taken since the plan was made is refused by the apply itself: it has one address."""
    answer = made(cli, "payspace")
    cli.write(PAYROLL + REPORT)
    entry = cli.root / "credentials" / "entry.yaml"
    entry.write_text(f"import:\n  - {{name: payroll, environment: test, remote_id: {answer['id']}}}\n")
    saved = str(cli.root / "plan.json")
    assert 0 == cli("plan", "--out", saved, "--target", "test/payroll").code
    entry.unlink()
    assert 0 == cli("import", "test/report", answer["id"], "--auto-approve").code
    ran = cli("apply", saved)
    assert (3, True) == (ran.code, "is generation 1 of test/report already" in ran.out + ran.err), ran.out
    assert ["test/report"] == cli("state", "list", "--json").json["addresses"]
