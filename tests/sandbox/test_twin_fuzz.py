"""Requests made from the contracts, right and nearly right, to every operation of every twin."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schema_values import JUNK, NASTY, fitting, nearly
from twin_harness import VENDORS, Contract, Proof, Twin
from twin_proofs import MAKING, authority, usable

from provisioner.sandbox.world import Sandbox

EVERY = (*VENDORS, "fpay")
CONTRACTS = {vendor: Contract(vendor) for vendor in EVERY}
OPERATIONS = [(vendor, *operation) for vendor in EVERY for operation in CONTRACTS[vendor].operations()]
NOW = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)

HERE: Mapping[str, tuple[str, ...]] = {"timeclock": ("17", "1", "999"), "fpay": ("here",)}
"""Ids that a vendor has besides those of the credentials that the tests make."""

ODD_IDS = ("x", "0", "-1", "9" * 40, "a" * 3000, "\u0000", "é", "a\nb", "%", "' OR 1=1 --", "here?x=1#y")
RAW_IDS = ("%ff", "%00", "%C0%AE", "%", "%zz", ";v=1")
"""Parts of a path as no client would write them."""

FORM = "application/x-www-form-urlencoded"
BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"{}" * 2,
    b'{"label": NaN}',
    b"[" * 3000,
    b"a=1&a=2",
    b"=&%zz",
)
TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "",
    "application/json; charset=x",
)
FILTERS = (
    "id in {'1', '2'}",
    "createdTime isBefore Yesterday",
    "id startsWith abcd",
    "id in {",
    "and",
    "name = 'x' or",
)

#: Bytes that a header may have (RFC 9110 §5.5); a server passes no others on.
header = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all examples, whose clock stands still: a proof stays good for a whole test."""
    with Sandbox(tmp_path_factory.mktemp("fuzzed"), clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture
def twin(sandbox: Sandbox, vendor: str) -> Twin:
    return Twin(sandbox, vendor, "test", CONTRACTS[vendor])


@pytest.fixture
def ids(twin: Twin) -> tuple[str, ...]:
    """What can stand in a path of this vendor: a credential that is there, and what is not."""
    made = [str(usable(twin).get("id", ""))] if twin.vendor in MAKING else []
    if twin.vendor == "fpay":
        body = {"name": "x", "permission": "ReadOnly", "foreignId": "here"}
        assert twin.call("POST", "authAccess", json=body).status_code in (201, 409)
    return tuple(one for one in (*made, *HERE.get(twin.vendor, ())) if one)


@pytest.mark.parametrize(("vendor", "method", "path"), OPERATIONS)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_no_request_gets_an_answer_outside_the_contract(
    twin: Twin, ids: tuple[str, ...], method: str, path: str, data: st.DataObject
) -> None:
    """No request breaks a twin: each answer is one that the contract has, and none of them is a 500."""
    operation = twin.contract.document["paths"]["/" + path][method.lower()]
    # One part is wrong at a time: a wrong proof would hide from the twin whatever else is wrong.
    wrong = data.draw(st.sampled_from(_parts(operation, path)))
    headers, content = data.draw(_body(twin.contract, operation, sound=wrong != "body"))
    part = data.draw(_path(path, ids, sound=wrong != "path"))
    query = data.draw(_query(twin.contract, operation, sound=wrong != "query"))
    token = data.draw(_spoilt_proof()) if wrong == "proof" else authority(twin, method, path)

    # It holds the answer against the contract, and the body of what succeeds, too.
    answer = twin.call(method, part + query, token=token, headers=headers, content=content)

    assert answer.status_code < 500
    if answer.is_success:
        sent = [name for name, _ in answer.request.url.params.multi_items()]
        known = {twin.contract.resolve(one)["name"] for one in operation.get("parameters", ())}
        assert sorted(known & set(sent)) == sorted(sent)


def _parts(operation: Mapping[str, Any], path: str) -> list[str]:
    """What can be wrong about a request, as often as there is something to find."""
    body = ["body"] * 7 if "requestBody" in operation else ["body"]
    query = ["query"] * 5 if operation.get("parameters") else ["query"]
    return ["nothing", "proof", *query, *body, *(["path"] * 3 if "{id}" in path else [])]


@pytest.mark.parametrize(("vendor", "method", "path"), [one for one in OPERATIONS if "{id}" in one[2]])
def test_a_slash_in_an_id(twin: Twin, method: str, path: str) -> None:
    """An id with a slash leads to no other operation; FPay's foreignId may have one, and finds nothing."""
    sent = twin._send(method, path.format(id="a%2Fb"), "127.0.0.1", headers={})
    assert asyncio.run(sent).status_code == (401 if twin.vendor == "fpay" else 404)


def _path(template: str, ids: tuple[str, ...], *, sound: bool) -> st.SearchStrategy[str]:
    if sound or "{id}" not in template:
        return st.sampled_from(ids or ODD_IDS[:1]).map(lambda one: template.format(id=one))
    texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
    odd = st.one_of(st.sampled_from(ODD_IDS), texts).filter(
        lambda one: one not in (".", "..") and "/" not in one
    )
    parts = st.one_of(odd.map(lambda one: quote(one, safe="")), st.sampled_from(RAW_IDS))
    return parts.map(lambda part: template.replace("{id}", part))


def _query(contract: Contract, operation: Mapping[str, Any], *, sound: bool) -> st.SearchStrategy[str]:
    """Some of the parameters that the contract names, and where it is not sound, others and other values."""
    declared = [contract.resolve(one) for one in operation.get("parameters", ())]
    fits = {one["name"]: fitting(contract, one["schema"]) for one in declared if one["in"] == "query"}
    if sound:
        return st.fixed_dictionaries({}, optional=fits).map(lambda found: _encoded(list(found.items())))
    near = [st.tuples(st.just(name), NASTY | st.sampled_from(FILTERS) | fits[name]) for name in fits]
    surplus = st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), JUNK)
    return st.lists(st.one_of(*near, surplus), min_size=1, max_size=2).map(_encoded)


def _encoded(pairs: list[tuple[str, Any]]) -> str:
    return "?" + urlencode(pairs, errors="replace") if pairs else ""


def _body(
    contract: Contract, operation: Mapping[str, Any], *, sound: bool
) -> st.SearchStrategy[tuple[dict[str, str], bytes]]:
    content = operation.get("requestBody", {}).get("content", {})
    encode = _form if list(content) == [FORM] else _json
    near, strategies = fitting if sound else nearly, []
    for media_type, one in content.items():
        strategies.append(st.tuples(st.just(media_type), near(contract, one["schema"]).map(encode)))
    if not sound:
        malformed = st.one_of(st.sampled_from(BODIES), st.binary(max_size=20), JUNK.map(_json))
        strategies = [*strategies * 3, st.tuples(st.sampled_from(TYPES), malformed)]
    found = st.one_of(strategies) if strategies else st.just(("", b""))
    return found.map(lambda one: ({"content-type": one[0]} if one[0] else {}, one[1]))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _form(value: Any) -> bytes:
    pairs = value.items() if isinstance(value, dict) else [("x", value)]
    return urlencode([(name, str(one)) for name, one in pairs], errors="replace").encode()


def _spoilt_proof() -> st.SearchStrategy[Proof]:
    """Headers that prove nothing: as text that a header can be, in each form that a vendor reads."""
    names = st.sampled_from(["authorization", "x-api-key", "access-token"])
    signed = st.builds("Bearer 17:{}:{}".format, st.sampled_from(["1", "9" * 40, "٣", ""]), header)
    values = st.one_of(header, header.map(lambda one: f"Bearer {one}"), signed)
    return st.dictionaries(names, values.map(_latin), max_size=3)


def _latin(value: str) -> Any:
    """The bytes of a header, as Python's servers hand them on."""
    return value.encode("latin-1", "replace")
