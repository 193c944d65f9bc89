"""FPay's twin and its contract say the same, and nothing else gets in; apart since its authority differs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fpay_twin import ACCESS, CONTRACT, FPay
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.sandbox.world import Sandbox

OPERATIONS = CONTRACT.operations()
WITH_JSON = [(method, path) for method, path in OPERATIONS if method != "GET"]


@pytest.fixture
def fpay(sandbox: Sandbox) -> FPay:
    return FPay.of(sandbox)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_asks_for_an_access_of_its_tenant(sandbox: Sandbox, method: str, path: str) -> None:
    """No token, another tenant's, a wrong or missing half of it, and another scheme are refused with 401."""
    fpay, concrete = FPay.of(sandbox, "production"), path.format(id="x")
    token, _, secret = sandbox.token("fpay", "production").partition(":")
    wrong = (None, "", "x", ":", token, f"{token}:", f":{secret}", f"{secret}:{token}", f"{token}:{secret}x")

    for value in (*wrong, sandbox.token("fpay", "test")):
        response = fpay.call(method, concrete, token=value)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith('Bearer realm="fpay/production"')
    for header in (f"Basic {token}:{secret}".encode(), f"Bearer {token}:ключ".encode()):
        assert fpay.call(method, concrete, token=None, headers={"authorization": header}).status_code == 401


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_unknown_parameters_and_stray_bodies_are_refused(fpay: FPay, method: str, path: str) -> None:
    """A query parameter that the contract does not name, or a body where none belongs, is 400."""
    concrete = path.format(id="x")

    assert fpay.call(method, concrete, params={"sort": "x"}).status_code == 400
    if method == "GET":
        assert fpay.call(method, concrete, json={}).status_code == 400


@pytest.mark.parametrize("name", ["filter", "sortBy", "limit", "page"])
def test_repeated_parameters_are_refused(fpay: FPay, name: str) -> None:
    """A parameter of a list stands once."""
    assert fpay.call("GET", f"{ACCESS}?{name}=1&{name}=1").status_code == 400


@pytest.mark.parametrize(("method", "path"), WITH_JSON)
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"{" + b" " * 65536 + b"}", "application/json", 413),
        (b"", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"name": "x", "name": "y"}', "application/json", 400),
        (b'{"amount": NaN}', "application/json", 400),
        (b"[" * 60000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "application/json; charset=UTF-8", 422),
        (b'{"name": "\\ud800", "permission": "ReadOnly"}', "application/json", 422),
        (b'{"change": {"description": "\\u0000"}}', "application/json", 422),
        (b'{"amount": true}', "application/json", 422),
    ],
)
def test_bad_bodies_are_refused(
    fpay: FPay, method: str, path: str, body: bytes, content_type: str, status: int
) -> None:
    """A body of the wrong type, size or form is refused as such, and changes nothing."""
    concrete = path.format(id=fpay.create()["id"])
    before = fpay.sandbox.writes()

    response = fpay.call(method, concrete, content=body, headers={"content-type": content_type})

    assert response.status_code == status, response.text
    assert fpay.sandbox.writes() == before


def test_wrong_methods_paths_and_tenants_are_refused(sandbox: Sandbox) -> None:
    """A wrong method is 405 with those allowed; a wrong path or tenant is 404, as problem details."""
    fpay = FPay.of(sandbox)

    for method in ("PUT", "HEAD", "OPTIONS", "DELETE"):
        assert fpay.call(method, ACCESS).status_code == 405
        assert fpay.call(method, f"{ACCESS}/x").status_code == 405
    for path in ("", "nothing", "wallet/", "wallet/x"):
        assert fpay.call("GET", path).status_code == 404
    assert FPay.of(sandbox, "staging").call("GET", ACCESS, token="x").json()["status"] == 404


def test_only_effects_are_counted(fpay: FPay) -> None:
    """Reads, refusals and the console are no writes of the API; creations, updates and movements are."""
    made = fpay.create(foreignId="crm-1")
    assert fpay.sandbox.writes("fpay", "test") == 1

    fpay.list()
    fpay.get("crm-1")
    fpay.update("crm-1", change={"name": "x"})
    fpay.post({"name": "x", "permission": "ReadOnly", "foreignId": "crm-1"})
    fpay.disable("crm-1")
    assert fpay.sandbox.writes() == 1

    fpay.update(made["id"], remove=["description"])
    fpay.call("POST", "deposit", json={"amount": 1})
    assert fpay.sandbox.writes("fpay", "test") == fpay.sandbox.writes() == 3


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FPay]:
    """One tenant for all examples of a property: its law holds whatever happened before."""
    with Sandbox(tmp_path_factory.mktemp("shared")) as sandbox:
        fpay = FPay.of(sandbox)
        fpay.create(foreignId="here")
        yield fpay


FIELDS = ("name", "permission", "description", "foreignData", "foreignId", "change", "remove", "amount", "x")
texts = ("x", "", "a" * 128, "a" * 129, "a" * 200, "a" * 201, "a\nb", "a\n", "ReadOnly", "FullAccess", "here")
lists = (["description"], ["description", "foreignData"], ["description", "description"], [])
changes = ({"description": "x"}, {"foreignData": "x" * 129}, {"description": "a\n", "foreignData": ""}, {})
right = st.sampled_from([*texts, *lists, *changes, None, True, 0, 1, 7])
values = st.one_of(right, st.text(max_size=5), st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=3)))
RULES = ("must not hold what /change changes", "is more than the wallet holds")


@pytest.mark.parametrize(("method", "path"), WITH_JSON)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_the_contract_forbids_is_refused_and_nothing_breaks(
    shared: FPay, method: str, path: str, data: st.DataObject
) -> None:
    """Any JSON object that the contract forbids is answered 422, and no answer is outside the contract."""
    operation = CONTRACT.document["paths"]["/" + path][method.lower()]
    schema = CONTRACT.resolve(operation["requestBody"]["content"]["application/json"]["schema"])
    known = st.sampled_from([*schema["properties"], *schema["properties"], *FIELDS])
    body: dict[str, Any] = data.draw(st.dictionaries(known, values, max_size=5))
    if path == ACCESS and data.draw(st.booleans()):
        body = {"name": "x", "permission": "ReadOnly", **body}

    headers = {"content-type": "application/json"}
    answer = shared.call(method, path.format(id="here"), content=json.dumps(body), headers=headers)
    if not CONTRACT.fits(schema, body):
        assert answer.status_code == 422, body
    elif answer.status_code == 422:
        assert any(rule in answer.json()["detail"] for rule in RULES), body
    else:
        assert answer.status_code in (200, 201, 409), body
