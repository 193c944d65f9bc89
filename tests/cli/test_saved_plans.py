"""A saved plan is done as it was saved, or not at all."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from typing import Any

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli


@pytest.fixture
def saved(cli: Cli) -> Cli:
    """A project with a saved plan that creates two credentials."""
    cli.write(PAYROLL + REPORT)
    assert 0 == cli("plan", "--out", "plan.json").code
    return cli


def _rewrite(cli: Cli, change: Callable[[Any], None]) -> None:
    path = cli.root / "plan.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_saved_plan_is_applied_without_a_question(saved: Cli) -> None:
    """What was looked at is done, and nothing is asked."""
    assert 0o600 == stat.S_IMODE((saved.root / "plan.json").stat().st_mode)
    ran = saved("apply", "plan.json")
    assert (0, "Apply: 2 done.") == (ran.code, ran.last)
    assert "No changes." == saved("plan").last[:11]


def test_a_reason_that_is_no_text_stays_readable(saved: Cli) -> None:
    """A command line may hold bytes of no character; the plan that has them is read as it was written."""
    assert 0 == saved("apply", "plan.json").code
    assert 0 == saved("renew", "test/payroll", "--reason", "\udcff", "--out", "again.json").code
    assert "Apply: 1 done." == saved("apply", "again.json").last
    assert "No changes." == saved("plan").last[:11]


def test_show_tells_what_is_in_it(saved: Cli) -> None:
    """`show` prints the plan as `plan` did, and its JSON as the file holds it."""
    assert saved("plan").last == saved("show", "plan.json").last
    assert json.loads((saved.root / "plan.json").read_text()) == saved("show", "plan.json", "--json").json


def _scope(document: Any) -> None:
    document["changes"][1]["desired"]["fields"]["scopes"] = ["full-access"]


def _unknown_key(document: Any) -> None:
    document["changes"][0]["extra"] = 1


def _removed(document: Any) -> None:
    del document["changes"][0]


def _repeated(document: Any) -> None:
    document["changes"].append(document["changes"][0])


def _moment(document: Any) -> None:
    document["planned_at"] = "2020-01-01T00:00:00+00:00"


def _kind(document: Any) -> None:
    document["environments"]["test"] = "production"


def _shape(document: Any) -> None:
    document["changes"] = "none"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_scope, "test/report was edited"),
        (_unknown_key, "test/payroll was edited"),
        (_removed, "a change was removed"),
        (_repeated, "a change was repeated"),
        (_moment, "something beside its changes was edited"),
        (_kind, "something beside its changes was edited"),
        (_shape, "not the shape of a plan"),
    ],
)
def test_an_edited_plan(saved: Cli, change: Callable[[Any], None], words: str) -> None:
    """An edited plan is refused with 3, says what was edited, and nothing is done."""
    _rewrite(saved, change)
    ran = saved("apply", "plan.json")
    assert (3, True) == (ran.code, words in ran.err), ran.err
    assert [] == saved.ledger("payspace", "test")


def test_an_address_that_was_edited_is_one_word(saved: Cli) -> None:
    """What was written into a plan moves no cursor, and makes no line of its own."""
    _rewrite(saved, lambda document: document["changes"][0].update(address="a\x1b[1A\nApply: 1 done."))
    ran = saved("apply", "plan.json")
    refusal = "Error: plan.json is not what was saved: a\\u001b[1A\\u000aApply: 1 done. was edited"
    assert (3, refusal) == (ran.code, ran.err.splitlines()[0])


@pytest.mark.parametrize(
    "text", ["", "not json", "[]", "null", "{}", '{"format_version": true}', "[" * 100_000]
)
def test_what_is_no_plan(saved: Cli, text: str) -> None:
    """A file that never was a plan is refused with 3."""
    (saved.root / "plan.json").write_text(text)
    assert 3 == saved("apply", "plan.json").code


def test_a_newer_format(saved: Cli) -> None:
    """A plan of a newer version is refused, and says that it is one."""
    _rewrite(saved, lambda document: document.update(format_version=2))
    ran = saved("apply", "plan.json")
    assert 3 == ran.code
    assert "has plan format 2, and this version of provision reads 1" in ran.err


def test_an_address_that_moved(saved: Cli) -> None:
    """A plan one of whose addresses moved since is refused with 3, names it, and does nothing."""
    saved.applied("--target", "test/payroll")
    ran = saved("apply", "plan.json")
    assert 3 == ran.code
    assert "test/payroll moved since the plan was made" in ran.err
    assert ["active"] == saved.ledger("payspace", "test")


def test_only_another_address_moved(cli: Cli) -> None:
    """A plan applies where only addresses that it does not speak of moved."""
    cli.write(PAYROLL + KEY)
    cli("plan", "--target", "test/rpp", "--out", "plan.json")
    cli.applied("--target", "test/payroll")
    ran = cli("apply", "plan.json")
    assert (0, "Apply: 1 done.") == (ran.code, ran.last)


def test_another_project(saved: Cli) -> None:
    """A plan is refused where it was not made: another project, store or kind."""
    saved.edit("project: payments", "project: invoices", "provision.yaml")
    ran = saved("apply", "plan.json")
    assert 3 == ran.code
    assert "for project payments, and here project is invoices" in ran.err
    saved.edit("project: invoices", "project: payments\nstate: sqlite:///other.db", "provision.yaml")
    assert "here state is sqlite:///other.db" in saved("apply", "plan.json").err
    saved.edit("\nstate: sqlite:///other.db", "", "provision.yaml")
    saved.edit("test: {kind: test", "test: {kind: production", "provision.yaml")
    assert "environment test of kind test" in saved("apply", "plan.json").err
    assert [] == saved.ledger("payspace", "test")


def test_it_is_applied_as_it_is(saved: Cli) -> None:
    """What would change a saved plan is asked of `plan`, not of `apply`."""
    assert 64 == saved("apply", "plan.json", "--target", "test/report").code


def test_the_rails_judge_a_saved_plan_again(cli: Cli) -> None:
    """A plan saved although the rails refuse it is refused when it is applied."""
    cli.write(PAYROLL + REPORT.replace("[test]", "[production]"))
    cli.applied()
    cli.write(PAYROLL)
    assert 0 == cli("plan", "--out", "plan.json").code
    assert 3 == cli("apply", "plan.json").code
    assert ["active"] == cli.ledger("payspace", "production")


def test_a_place_that_cannot_be_written(saved: Cli) -> None:
    """A plan that cannot be saved is a failure, and leaves no draft behind."""
    assert 1 == saved("plan", "--out", "no/such/folder.json").code
    assert [] == list(saved.root.glob(".plan*"))


def test_a_saved_plan_survives_a_manifest_that_moves_on(saved: Cli) -> None:
    """A sink that the manifests dropped since stops its credential alone, in words."""
    saved.edit("defaults: {deliver: [app-env]}\n", "", "provision.yaml")
    saved.edit("app-env:", "other-env:", "provision.yaml")
    ran = saved("apply", "plan.json")
    assert (1, "Apply: 2 failed.") == (ran.code, ran.last)
    assert "sink app-env is not declared any more" in ran.out


def test_a_plan_without_changes(cli: Cli) -> None:
    """A saved plan that has nothing to do says so when it is applied."""
    cli.applied()
    assert 0 == cli("plan", "--out", "empty.json").code
    ran = cli("apply", "empty.json")
    assert (0, "Apply: nothing to do.") == (ran.code, ran.last)


@pytest.mark.parametrize(
    "given", [("plan", "--out"), ("calendar", "--ics"), ("report", "--html"), ("status", "--prometheus")]
)
def test_an_option_that_names_no_file(cli: Cli, given: tuple[str, str]) -> None:
    """An empty FILE, as an unset variable makes it, is wrong usage."""
    ran = cli(*given, "")
    assert (64, True) == (ran.code, "names no file" in ran.err)
