"""What a change does to access, and why: each vendor's own order, and the laws of every partial order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_cases import SCHEMAS

from provisioner.core.capabilities import field_rules
from provisioner.core.model import JsonValue
from provisioner.core.privilege import Effect, covers, weigh
from provisioner.core.provider import User, Users

RULES = {path.stem: field_rules(json.loads(path.read_text())) for path in sorted(SCHEMAS.glob("*.json"))}
ALL, MASKED, NONE = frozenset({"payslips", "pay_rates"}), frozenset({"pay_rates"}), frozenset[str]()
USERS: Users = {
    "all": User("all", active=True, allows=ALL),
    "some": User("some", active=True, allows=MASKED),
    "others": User("others", active=True, allows=frozenset({"payslips"})),
    "same": User("same", active=True, allows=MASKED),
    "nothing": User("nothing", active=True, allows=NONE),
    "silent": User("silent", active=True),
}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("ReadWriteNoMoneyOut", "FullAccess", "wider: adds MoneyOut"),
        ("FullAccess", "ReadWriteNoMoneyOut", "narrower: drops MoneyOut"),
        ("ReadMoneyIn", "ReadWriteNoMoneyOut", "wider: adds Write"),
        ("ReadOnly", "ReadMoneyIn", "wider: adds MoneyIn"),
        ("MoneyInOnly", "ReadMoneyIn", "wider: adds Read"),
        ("MoneyInOnly", "ReadOnly", "wider and narrower: adds Read; drops MoneyIn"),
        ("FullAccess", "MoneyInOnly", "narrower: drops MoneyOut, Read, Write"),
        ("ReadOnly", "ReadOnly", ""),
    ],
)
def test_the_permissions_of_fpay(before: str, after: str, said: str) -> None:
    """FP2, FP3: five permissions are a lattice, by the rights that the document gives each."""
    assert said == str(weigh("scopes", [before], [after], RULES["fpay"]))


def test_scopes_by_inclusion() -> None:
    """OAuth scopes are ordered by inclusion, and full-access holds read-only (PS8)."""
    both = ["duitnow:read", "rpp:merchant"]
    assert "wider: adds rpp:merchant" == str(weigh("scopes", both[:1], both, RULES["paynet"]))
    assert "" == str(weigh("scopes", both, both[::-1], RULES["paynet"]))
    assert "wider: adds full-access" == str(
        weigh("scopes", ["read-only"], ["full-access"], RULES["payspace"])
    )
    many = [f"family:right-{number}" for number in range(5)]
    assert "wider: adds family:right-0, family:right-1, family:right-2 and 2 more" == str(
        weigh("scopes", [], many, RULES["paynet"])
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (["10.0.0.0/24"], [], "wider: any address may call"),
        (["10.0.0.0/24"], None, "wider: any address may call"),
        (None, ["10.0.0.0/24"], "narrower: only 10.0.0.0/24 may call"),
        ([], None, ""),
        (["10.0.0.0/25", "10.0.0.128/25"], ["10.0.0.0/24"], ""),
        (["10.0.0.0/24"], ["10.0.0.128/25", "10.0.0.0/25"], ""),
        (["10.0.0.0/24"], ["10.0.0.0/25"], "narrower: drops 10.0.0.0/24"),
        (["10.0.0.0/25"], ["10.0.0.0/24"], "wider: adds 10.0.0.0/24"),
        (["10.0.0.0/24"], ["10.0.1.0/24"], "wider and narrower: adds 10.0.1.0/24; drops 10.0.0.0/24"),
        (["0.0.0.0/0"], ["::/0"], "wider and narrower: adds ::/0; drops 0.0.0.0/0"),
        (["0.0.0.0/0", "::/0"], None, ""),
        (["2001:db8::/33", "2001:db8:8000::/33"], ["2001:db8::/32"], ""),
    ],
)
def test_ranges_by_their_addresses(before: JsonValue, after: JsonValue, said: str) -> None:
    """PY2: what counts is which addresses may call, however the ranges are written; no list means any."""
    assert said == str(weigh("allow_ips", before, after, RULES["paytia"]))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("some", "all", "wider: the role of all allows payslips"),
        ("all", "some", "narrower: the role of some denies payslips"),
        ("some", "same", ""),
        ("some", "others", "wider and narrower: the role of others allows payslips;"
         " the role of others denies pay_rates"),
        ("some", "silent", "wider and narrower: another user, and not both roles are known"),
        ("some", "nobody", "wider and narrower: another user, and not both roles are known"),
        (None, "some", "wider and narrower: another user, and not both roles are known"),
        ("nobody", "nobody", ""),
    ],
)  # fmt: skip
def test_users_by_their_roles(before: JsonValue, after: JsonValue, said: str) -> None:
    """PS4: another user is as much more or less as the roles say; where one is not known, it may be both."""
    assert said == str(weigh("user", before, after, RULES["payspace"], USERS))


@pytest.mark.parametrize(
    ("vendor", "path", "narrow", "said"),
    [
        ("payspace", "settings.development_mode", True, "wider: figures come back as they are (PS5)"),
        ("paytia", "settings.enhance_security", True, "wider: calls need no pre-authorization (PY6)"),
    ],
)
def test_settings_that_change_power(vendor: str, path: str, narrow: bool, said: str) -> None:
    """PS5, PY6: leaving a switch out is what turning it off is, and off allows more."""
    for off in (False, None):
        assert said == str(weigh(path, narrow, off, RULES[vendor]))
        assert Effect.NARROWER is weigh(path, off, narrow, RULES[vendor]).effect
    assert "" == str(weigh(path, None, False, RULES[vendor]))


def test_other_fields_weigh_nothing() -> None:
    """A description, or how a webhook is written, is no matter of access."""
    assert "" == str(weigh("description", "a", "b", RULES["paytia"]))
    assert "" == str(weigh("settings.webhook_format", "single", "multiple", RULES["paytia"]))


def _some(values: list[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(values), unique=True, max_size=4)


NETWORKS = ["10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25", "10.0.0.128/26", "10.0.1.0/24", "10.0.0.0/23",
            "::/0", "2001:db8::/33", "2001:db8:8000::/33", "2001:db8::/32", "0.0.0.0/0"]  # fmt: skip
PERMISSIONS = ["FullAccess", "MoneyInOnly", "ReadMoneyIn", "ReadOnly", "ReadWriteNoMoneyOut"]
ORDERS: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("fpay", "scopes"): st.sampled_from(PERMISSIONS).map(lambda one: [one]),
    ("payspace", "scopes"): st.sampled_from([["full-access"], ["read-only"], []]),
    ("payspace", "user"): st.sampled_from(["all", "some", "others", "same", "nothing"]),
    ("payspace", "settings.development_mode"): st.sampled_from([True, False, None]),
    ("paynet", "scopes"): _some(["rpp:merchant", "rpp:acquirer", "duitnow:read", "duitnow:transfer"]),
    ("paytia", "allow_ips"): st.none() | _some(NETWORKS),
    ("paytia", "settings.enhance_security"): st.sampled_from([True, False, None]),
    ("timeclock", "user"): st.sampled_from(["all", "some", "others"]),
}
"""Every field that bears on access, of every vendor, and its values."""

UP = frozenset({Effect.NONE, Effect.WIDER})
"""What a step that takes nothing away is."""

each_order = pytest.mark.parametrize(("vendor", "path"), ORDERS, ids="-".join)


def _effect(vendor: str, path: str, before: JsonValue, after: JsonValue) -> Effect:
    return weigh(path, before, after, RULES[vendor], USERS).effect


def test_every_vendor_is_held_to_the_laws() -> None:
    """Each of the five has an order, and each field that bears on access is among them."""
    assert {"fpay", "payspace", "paynet", "paytia", "timeclock"} == {vendor for vendor, _ in ORDERS}
    weighty = {"scopes", "user", "allow_ips"}
    fields = {
        (vendor, path)
        for vendor, rules in RULES.items()
        for path in rules.on_change
        if vendor != "oauth2" and (path in weighty or path in rules.widths)
    }
    assert fields == ORDERS.keys()


@each_order
@given(data=st.data())
def test_no_change_is_neither(vendor: str, path: str, data: st.DataObject) -> None:
    """Reflexive: from a value to itself is neither wider nor narrower, and gives no reason."""
    value = data.draw(ORDERS[vendor, path])
    assert "" == str(weigh(path, value, value, RULES[vendor], USERS))


@each_order
@given(data=st.data())
def test_there_and_back(vendor: str, path: str, data: st.DataObject) -> None:
    """Antisymmetric: what is wider one way is narrower the other, and never wider both ways."""
    values = ORDERS[vendor, path]
    before, after = data.draw(values), data.draw(values)
    there, back = (_effect(vendor, path, *way) for way in ((before, after), (after, before)))
    reverse = {Effect.WIDER: Effect.NARROWER, Effect.NARROWER: Effect.WIDER}
    assert reverse.get(there, there) is back


@each_order
@given(data=st.data())
def test_step_by_step(vendor: str, path: str, data: st.DataObject) -> None:
    """Transitive: two steps that take nothing away take nothing away together."""
    values = ORDERS[vendor, path]
    low, middle, high = data.draw(values), data.draw(values), data.draw(values)
    if {_effect(vendor, path, low, middle), _effect(vendor, path, middle, high)} <= UP:
        assert _effect(vendor, path, low, high) in UP


@given(st.lists(st.sampled_from(PERMISSIONS), min_size=1), st.lists(st.sampled_from(PERMISSIONS), min_size=1))
def test_covering_is_the_same_order(granted: list[str], asked: list[str]) -> None:
    """A vendor grants within what was asked exactly where going from that to it adds nothing."""
    assert covers(granted, asked, RULES["fpay"].includes) is not bool(
        weigh("scopes", asked, granted, RULES["fpay"]).more
    )
