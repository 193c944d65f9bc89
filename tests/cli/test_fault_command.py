"""`provision sandbox fault`: what is armed is met by the next commands, and what comes of it is told."""

from __future__ import annotations

from program_runner import Cli

KEY = "  a: {provider: payspace, owner: team, scopes: [read-only], environments: [test]}\n"
POST = "POST api/v1/credentials"


def test_an_armed_fault_is_met_by_an_apply(cli: Cli) -> None:
    """A fault of another command is met by the apply, which says what it came to; the next one is well."""
    cli.write(KEY)
    armed = cli("sandbox", "fault", "arm", "payspace", "test", "busy", "--on", POST, "--seconds", "3600")
    assert f"payspace test: busy on {POST}, 3600 s, once\n" == armed.out
    failed = cli("apply", "--auto-approve")
    assert 1 == failed.code
    assert "too busy (429)" in failed.out + failed.err
    assert "apply again in 3600 seconds" in failed.out + failed.err
    assert "The twins are well.\n" == cli("sandbox", "fault", "list").out
    assert 0 == cli("apply", "--auto-approve").code


def test_faults_are_listed_and_cleared(cli: Cli) -> None:
    """The list says what waits for which requests, for people and for programs; clear forgets it all."""
    cli.write(KEY)
    cli("sandbox", "fault", "arm", "paynet", "production", "cut", "--times", "3")
    cli("sandbox", "fault", "arm", "payspace", "test", "stale", "--seconds", "60")
    cut, stale = cli("sandbox", "fault", "list").out.splitlines()
    assert "paynet production: cut on any request, 3 times" == cut
    assert stale.startswith("payspace test: stale on any request, until ")
    kinds = [one["kind"] for one in cli("sandbox", "fault", "list", "--json").json["faults"]]
    assert ["cut", "stale"] == kinds
    assert 0 == cli("sandbox", "fault", "clear").code
    assert {"faults": []} == cli("sandbox", "fault", "list", "--json").json


def test_what_cannot_be_armed_is_named(cli: Cli) -> None:
    """An unknown vendor, kind or operation is a wrong command line."""
    cli.write(KEY)
    for words in (("nobody", "test", "cut"), ("paynet", "test", "boom"), ("timeclock", "test", "wider")):
        assert 64 == cli("sandbox", "fault", "arm", *words).code
    refused = cli("sandbox", "fault", "arm", "payspace", "test", "cut", "--on", "POST nowhere")
    assert 64 == refused.code
    assert POST in refused.err


def test_kinds_are_told_with_what_comes_of_them(cli: Cli) -> None:
    """`kinds` names every kind."""
    from provisioner.sandbox.faults import KINDS

    told = cli("sandbox", "fault", "kinds").out
    assert all(f"{kind}: " in told for kind in KINDS)
