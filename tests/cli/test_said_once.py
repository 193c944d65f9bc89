"""Where something went wrong is said once in a line, whoever says it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from program_runner import PAYROLL, REPORT, Cli, Ran

PLACE = "payspace in test"


@pytest.fixture
def busy(cli: Cli) -> Cli:
    """Everything was applied, and then the vendor has no time for anybody."""
    cli.write(PAYROLL + REPORT)
    cli.applied()
    with cli.sandbox() as twins:
        twins.fault("payspace", "test", "busy", times=999, seconds=3600)
    return cli


def _lines(ran: Ran, what: str) -> Iterator[str]:
    told = [line for line in (ran.out + ran.err).splitlines() if what in line]
    assert told, ran
    yield from told


@pytest.mark.parametrize("command", [("plan",), ("plan", "--drift-only"), ("discover",)])
def test_a_vendor_that_does_not_answer_is_named_once(busy: Cli, command: tuple[str, ...]) -> None:
    """What could not be asked is told by its place, once, and then why."""
    for line in _lines(busy(*command), PLACE):
        assert (1, 1) == (line.count("payspace"), line.count(PLACE)), line


@pytest.mark.parametrize("command", [("plan",), ("plan", "--drift-only"), ("discover",)])
def test_a_missing_token_is_told_by_one_place(cli: Cli, command: tuple[str, ...]) -> None:
    """A vendor that we have no token for is named once, with what to do."""
    away = 'endpoint: "https://payspace.example", auth: {token: {env: NO_SUCH_TOKEN}}'
    cli.edit("payspace: {test: {endpoint: sandbox}", f"payspace: {{test: {{{away}}}", "provision.yaml")
    (told,) = _lines(cli(*command), "NO_SUCH_TOKEN")
    assert f"{PLACE}: its management token is missing: set the variable NO_SUCH_TOKEN" in told
    assert 1 == told.count("payspace")


def test_an_address_is_named_once(busy: Cli) -> None:
    """What became of a change is told after its address, which the reason does not repeat."""
    for line in _lines(busy("renew", "test/report", "--auto-approve"), "failed  "):
        assert (1, 1) == (line.count("test/report"), line.count(PLACE)), line


def test_a_row_names_its_vendor_once(busy: Cli) -> None:
    """A trial that found no answer is told in the row of its credential, which names the vendor."""
    for line in _lines(busy("verify"), "unknown  "):
        assert 1 == line.count("payspace"), line
