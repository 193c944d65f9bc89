"""What a refresh left, told apart: pure, over short situations."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from plan_cases import situation

from provisioner.core import copies
from provisioner.core.bootstrap import Standing, plan
from provisioner.core.capabilities import Identity, Observe
from provisioner.core.copies import Production
from provisioner.core.journal import Action
from provisioner.core.model import Address, Listing, Observed, Record, RemoteStatus, Tag, Via
from provisioner.core.plan import from_json, to_json
from provisioner.core.provider import Outcome
from provisioner.core.situation import Situation

PLACE = ("payspace", "test")
PAYROLL = Address("test", "payroll")
FIELDS = {"scopes": ["read-only"]}


def _case(**more: Any) -> Situation:
    held = {"test/payroll": {"fields": FIELDS}, "production/payroll": {"fields": FIELDS}}
    declared = {address: {"fields": FIELDS} for address in held}
    return situation({"declared": declared, "records": held, **more})


def _split(whole: Situation) -> tuple[Situation, Production]:
    """What `bootstrap test` sees, and what it knows of production."""
    records = {address: one for address, one in whole.records.items() if address.environment == "production"}
    only = {name: kind for name, kind in whole.environments.items() if name == "test"}
    mine = {address: one for address, one in whole.records.items() if address.environment == "test"}
    return replace(whole, environments=only, records=mine), Production(frozenset({"production"}), records)


def _id(record: Record) -> str:
    assert record.active is not None
    return record.active.remote_id


def _shown(whole: Situation, *seen: Observed) -> Situation:
    return replace(whole, observations={PLACE: Listing({one.remote_id: one for one in seen})})


def _live(remote_id: str, tag: str | None = None, **more: Any) -> Observed:
    return Observed(remote_id, RemoteStatus.LIVE, FIELDS, Tag.parse(tag) if tag else None, **more)


OF_PRODUCTION = "provision/payments/production/payroll/3/n9"


def _planned(whole: Situation, **more: Any) -> list[str]:
    made = plan(*_split(whole), **more).plan
    return [f"{one.address} {one.action} {one.copy}".rstrip() for one in made.changes]


def test_gone_and_copied() -> None:
    """What is gone is made anew, after what stands in its place ends; the plan survives a file."""
    whole = _shown(_case(), _live("c1", OF_PRODUCTION))
    made = plan(*_split(whole))
    assert ["test/payroll@production.3 retire c1", "test/payroll create"] == _planned(whole)
    assert {PAYROLL: Standing.GONE} == made.findings.standings
    assert made.plan == from_json(to_json(made.plan))


def test_what_survives_is_kept() -> None:
    """PS6: what the vendor still shows, and what works, has no change."""
    whole = _case()
    whole = _shown(whole, _live(_id(whole.records[PAYROLL])))
    made = plan(*_split(whole), {PAYROLL: Outcome.WORKS})
    assert ((), 1) == (made.plan.changes, made.plan.unchanged)
    assert {PAYROLL: Standing.SURVIVES} == made.findings.standings


def test_what_is_rejected_is_made_anew() -> None:
    """What the vendor shows, but whose secret it rejects, is replaced, with that reason."""
    whole = _case()
    whole = _shown(whole, _live(_id(whole.records[PAYROLL])))
    (change,) = plan(*_split(whole), {PAYROLL: Outcome.REJECTED}).plan.changes
    assert (Action.REPLACE, "its secret is rejected by the vendor") == (change.action, change.reasons[0].text)


def test_where_nobody_can_look_the_trial_is_the_look() -> None:
    """A vendor that shows nothing is judged by use alone; without that nothing is said, and nothing done."""
    whole = replace(_case(), observations={PLACE: Listing(unseen="managed in its portal")})
    known = whole.declarations["payspace"]
    blind = replace(known, capabilities={Via.API: replace(known.capabilities[Via.API], observe=Observe.NONE)})
    whole = replace(whole, declarations={**whole.declarations, "payspace": blind})
    assert [] == _planned(whole)
    assert ["test/payroll replace"] == _planned(whole, tried={PAYROLL: Outcome.REJECTED})
    assert [] == _planned(whole, tried={PAYROLL: Outcome.WORKS})


def test_a_vendor_that_does_not_answer_says_nothing() -> None:
    """An outage is no refresh: nothing is made anew because a list could not be read."""
    whole = replace(_case(), observations={PLACE: Listing(unseen="503")})
    made = plan(*_split(whole), {PAYROLL: Outcome.REJECTED})
    assert ((), {PAYROLL: Standing.UNSEEN}) == (made.plan.changes, made.findings.standings)


@pytest.mark.parametrize(
    "tag",
    ["provision/elsewhere/production/payroll/1/n", "provision/payments/uat/payroll/1/n", "somebody's"],
)
def test_strangers_are_left_alone(tag: str) -> None:
    """Neither another project's, nor another test environment's, nor anybody else's is a copy of ours."""
    whole = _case()
    whole = _shown(whole, _live(_id(whole.records[PAYROLL])), _live("s1", tag))
    made = plan(*_split(whole))
    assert ((), 1) == (made.plan.changes, made.findings.strangers)


def test_untagged_copies_are_known_by_their_id() -> None:
    """Where a vendor kept no tag, an id that production's records have is a copy of that."""
    whole = _case()
    theirs = _id(whole.records[Address("production", "payroll")]) + "-of-production"
    record = whole.records[Address("production", "payroll")]
    moved = replace(record, generations=(replace(record.generations[0], remote_id=theirs),))
    whole = replace(whole, records={**whole.records, record.address: moved})
    whole = _shown(whole, _live(_id(whole.records[PAYROLL])), _live(theirs))
    assert [f"test/payroll@production.1 retire {theirs}"] == _planned(whole)


@pytest.mark.parametrize(("identity", "copied"), [(Identity.LABEL, False), (Identity.USER, True)])
def test_a_copy_under_our_own_id(identity: Identity, copied: bool) -> None:
    """TC1, TC8: only where there is one access for each user can a copy have the id that we recorded."""
    whole = _case()
    known = whole.declarations["payspace"]
    one_each = replace(known, capabilities={Via.API: replace(known.capabilities[Via.API], identity=identity)})
    whole = replace(whole, declarations={**whole.declarations, "payspace": one_each})
    ours = _id(whole.records[PAYROLL])
    whole = _shown(whole, _live(ours, OF_PRODUCTION))
    expected = [f"test/payroll@production.3 retire {ours}", "test/payroll create"]
    assert (expected if copied else []) == _planned(whole)


def test_two_copies_under_one_tag_have_addresses_of_their_own() -> None:
    """What production has twice is ended twice, each by an operation of its own."""
    whole = _shown(_case(), _live("c1", OF_PRODUCTION), _live("c2", OF_PRODUCTION))
    ends = [one.address for one in plan(*_split(whole)).plan.changes if copies.of_copy(one.address)]
    assert ["test/payroll@production.3", "test/payroll@production.3.c2"] == [str(one) for one in ends]


OPEN = {
    "address": "test/payroll@production.3",
    "action": "retire",
    "generation": 3,
    "provider": "payspace",
}


@pytest.mark.parametrize(("phase", "expected"), [("intent", "retire c1"), ("sent", "recover")])
def test_an_interrupted_end_is_gone_on_with(phase: str, expected: str) -> None:
    """What was only intended is begun anew in its place; what may have been sent is recovered, and once."""
    whole = _shown(_case(operations=[{**OPEN, "phase": phase}]), _live("c1", OF_PRODUCTION))
    left, production = _split(whole)
    (begun,) = left.operations
    left = replace(left, operations=[replace(begun, desired={"copy": "c1"})])
    first, *others = plan(left, production).plan.changes
    assert f"test/payroll@production.3 {expected}" == f"{first.address} {first.action} {first.copy}".rstrip()
    assert begun.id == first.operation
    assert ["test/payroll create"] == [f"{one.address} {one.action}" for one in others]


TAGS = st.sampled_from(
    [None, OF_PRODUCTION, "provision/payments/test/payroll/1/n1", "provision/other/production/payroll/1/n"]
)


@given(st.dictionaries(st.sampled_from([*"abcdef"]), st.tuples(TAGS, st.sampled_from(RemoteStatus))))
def test_nothing_but_copies_ends(seen: dict[str, tuple[str | None, RemoteStatus]]) -> None:
    """Over any ledger: a bootstrap ends nothing that is not tagged as production's, of this project."""
    ledger = [replace(_live(id, tag), status=status) for id, (tag, status) in seen.items()]
    made = plan(*_split(_shown(_case(), *ledger)))
    ended = {one.copy for one in made.plan.changes if one.copy}
    usable = {RemoteStatus.LIVE, RemoteStatus.WAITING}
    assert {id for id, (tag, status) in seen.items() if tag == OF_PRODUCTION and status in usable} == ended
    assert {Action.RETIRE, Action.CREATE} >= {one.action for one in made.plan.changes}
