"""What each twin refuses, at each of its operations: read from the contracts, so that none is left out."""

from __future__ import annotations

from typing import Any

import pytest
from twin_harness import METHODS, VENDORS, Contract, Twin
from twin_proofs import MAKING, PROOFS, authority, security, usable

from provisioner.sandbox.world import Sandbox

EVERY = (*VENDORS, "fpay")
CONTRACTS = {vendor: Contract(vendor) for vendor in EVERY}
OPERATIONS = [(vendor, *operation) for vendor in EVERY for operation in CONTRACTS[vendor].operations()]

FORM = "application/x-www-form-urlencoded"


def content(vendor: str, method: str, path: str) -> dict[str, Any]:
    """The bodies that the contract knows here, by media type."""
    operation = CONTRACTS[vendor].document["paths"]["/" + path][method.lower()]
    return dict(operation.get("requestBody", {}).get("content", {}))


def required(vendor: str, method: str, path: str) -> list[str]:
    """The fields that a JSON body needs here."""
    one = content(vendor, method, path).get("application/json")
    return CONTRACTS[vendor].resolve(one["schema"]).get("required", []) if one else []


WITH_BODY = [operation for operation in OPERATIONS if content(*operation)]
WITH_JSON = [operation for operation in WITH_BODY if "application/json" in content(*operation)]
WITH_NEEDS = [operation for operation in WITH_JSON if required(*operation)]
WITH_FORM = [operation for operation in WITH_BODY if list(content(*operation)) == [FORM]]
GUARDED = [operation for operation in OPERATIONS if security(CONTRACTS[operation[0]], *operation[1:])]


@pytest.fixture
def twin(sandbox: Sandbox, vendor: str) -> Twin:
    return Twin(sandbox, vendor, "test", CONTRACTS[vendor])


def faults(twin: Twin, method: str, path: str, body: dict[str, Any]) -> list[str]:
    """The fields that a refused body is told of."""
    token = authority(twin, method, path)
    answer = twin.call(method, path.format(id="x"), token=token, json=body)
    assert answer.status_code == 422, answer.text
    return [fault["pointer"] for fault in answer.json()["errors"]]


@pytest.mark.parametrize(("vendor", "method", "path"), WITH_JSON)
def test_an_unknown_field(twin: Twin, method: str, path: str) -> None:
    """A field that the contract does not have is refused, and named."""
    assert "/surplus" in faults(twin, method, path, {"surplus": 1})


@pytest.mark.parametrize(("vendor", "method", "path"), WITH_NEEDS)
def test_missing_fields(twin: Twin, vendor: str, method: str, path: str) -> None:
    """Every field that the contract requires is named where it is missing."""
    assert {f"/{name}" for name in required(vendor, method, path)} <= set(faults(twin, method, path, {}))


@pytest.mark.parametrize(("vendor", "method", "path"), WITH_FORM)
def test_missing_parameters_of_a_form(twin: Twin, method: str, path: str) -> None:
    """A form without what it needs is refused as OAuth does (RFC 6749 §5.2)."""
    answer = twin.call(method, path, token=None, data={"surplus": "1"})
    assert (400, "invalid_request") == (answer.status_code, answer.json()["error"])


@pytest.mark.parametrize(("vendor", "path"), sorted({(vendor, path) for vendor, _, path in OPERATIONS}))
def test_a_wrong_method(twin: Twin, path: str) -> None:
    """Each path has the methods of its contract, and tells them to whoever tries another."""
    known = {method for method, one in twin.contract.operations() if one == path}
    for method in {*map(str.upper, METHODS), "OPTIONS", "TRACE", "PROPFIND"} - known:
        answer = twin.call(method, path.format(id="x"))
        assert (405, ", ".join(sorted(known))) == (answer.status_code, answer.headers["allow"])


@pytest.mark.parametrize(("vendor", "method", "path"), WITH_BODY)
def test_a_wrong_content_type(twin: Twin, vendor: str, method: str, path: str) -> None:
    """A body under a type that the contract does not have is refused: 415, or 400 at a token endpoint."""
    token, known = authority(twin, method, path), content(vendor, method, path)
    for wrong in {"application/json", FORM, "text/plain", "application/xml"} - known.keys():
        answer = twin.call(
            method, path.format(id="x"), token=token, content=b"{}", headers={"content-type": wrong}
        )
        assert answer.status_code == (400 if list(known) == [FORM] else 415)


@pytest.mark.parametrize(("vendor", "method", "path"), WITH_BODY)
@pytest.mark.parametrize("surplus", [0, 1])
def test_an_oversized_body(twin: Twin, vendor: str, method: str, path: str, surplus: int) -> None:
    """A body of 64 KiB is read, and one of a byte more is refused as too large before anything else."""
    (media_type, *_) = content(vendor, method, path)
    headers, body = {"content-type": media_type}, b" " * (64 * 1024 + surplus)
    token = authority(twin, method, path)
    answer = twin.call(method, path.format(id="x"), token=token, content=body, headers=headers)
    assert surplus == (answer.status_code == 413)


@pytest.mark.parametrize(("vendor", "method", "path"), GUARDED)
def test_a_credential_of_the_other_tenant(sandbox: Sandbox, vendor: str, method: str, path: str) -> None:
    """What proves a credential, or a manager, of test is refused in production, and the reverse."""
    twins = [Twin(sandbox, vendor, tenant, CONTRACTS[vendor]) for tenant in ("test", "production")]
    for here, there in (twins, twins[::-1]):
        for proof in (PROOFS[vendor](there), there.sandbox.token(vendor, there.tenant)):
            assert here.call(method, path.format(id="x"), token=proof).status_code == 401


@pytest.mark.parametrize("vendor", MAKING)
def test_an_id_of_the_other_tenant(sandbox: Sandbox, vendor: str) -> None:
    """A manager of production does not find what is in test."""
    test, production = (Twin(sandbox, vendor, tenant, CONTRACTS[vendor]) for tenant in ("test", "production"))
    made = usable(test)
    path = f"{MAKING[vendor][0]}/{made['id']}" if "id" in made else MAKING[vendor][0]
    assert (200, 404) == (test.call("GET", path).status_code, production.call("GET", path).status_code)
