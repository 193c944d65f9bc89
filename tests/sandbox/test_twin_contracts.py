"""The application and the published contracts say the same, and nothing else gets in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twin_harness import TENANTS, VENDORS, Contract, Twin

from provisioner.sandbox.world import Sandbox

CONTRACTS = {vendor: Contract(vendor) for vendor in VENDORS}
OPERATIONS = [(vendor, *operation) for vendor in VENDORS for operation in CONTRACTS[vendor].operations()]
WITH_JSON = [
    (vendor, method, path)
    for vendor, method, path in OPERATIONS
    if method in ("POST", "PATCH", "PUT") and not path.endswith(("token", "renew"))
]
LABELLED = {"payspace": "api/v1/credentials", "paynet": "developer/v1/keys"}


def security(contract: Contract, method: str, path: str) -> list[str]:
    declared = contract.document["paths"]["/" + path][method.lower()].get("security", [{"management": []}])
    return [name for entry in declared for name in entry]


def usable(twin: Twin) -> dict[str, Any]:
    """A credential that may do everything at its vendor."""
    body = {
        "payspace": {"label": "x", "scope": "full-access", "user": "svc.payroll"},
        "paynet": {"label": "x", "scopes": ["rpp:merchant"]},
    }[twin.vendor]
    return twin.call("POST", LABELLED[twin.vendor], json=body).json()


def authority(twin: Twin, method: str, path: str) -> str | None:
    """The token that the contract asks for here."""
    names = security(twin.contract, method, path)
    if names == ["access"]:
        return twin.access_token(usable(twin))
    return twin.sandbox.token(twin.vendor, twin.tenant) if names else None


def test_every_route_is_in_the_contract_and_the_reverse(sandbox: Sandbox) -> None:
    """The application serves the operations of the contracts, no fewer and no more."""
    served = {
        (route.path.split("/")[1], method, route.path.split("/", 3)[3])
        for route in sandbox.app.routes
        for method in route.endpoint.operations
    }

    assert set(OPERATIONS) == served


@pytest.mark.parametrize(("vendor", "method", "path"), OPERATIONS)
def test_every_operation_asks_for_the_authority_that_the_contract_names(
    open_twin: Any, vendor: str, method: str, path: str
) -> None:
    """No token, another tenant's, and one of the other kind are refused with 401."""
    twin = open_twin(vendor, "production")
    names, concrete = security(twin.contract, method, path), path.format(id="x")
    stranger = open_twin(vendor, "test")
    management = twin.sandbox.token(vendor, "production")
    wrong = {
        "management": [stranger.sandbox.token(vendor, "test"), stranger.access_token(usable(stranger))],
        "access": [management, stranger.access_token(usable(stranger))],
    }

    for name in names:
        for token in (None, "", "x", *wrong[name]):
            response = twin.call(method, concrete, token=token)
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith(f'Bearer realm="{vendor}/production"')
    assert bool(names) == (path not in ("oauth/token", "auth/token"))


@pytest.mark.parametrize(("vendor", "method", "path"), OPERATIONS)
def test_unknown_query_parameters_are_refused(open_twin: Any, vendor: str, method: str, path: str) -> None:
    """A query parameter that the contract does not name is an error, not ignored."""
    twin = open_twin(vendor, "test")
    concrete, token = path.format(id="x"), authority(twin, method, path)

    assert twin.call(method, concrete, token=token, params={"lable": "x"}).status_code == 400


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "page=1&page=2", "page=٣", "page_size=501", "page=99999999999", "page_size="],
)
@pytest.mark.parametrize("vendor", VENDORS)
def test_bad_pages_are_refused(open_twin: Any, vendor: str, query: str) -> None:
    """A page is a whole number within the contract's limits."""
    assert open_twin(vendor, "test").call("GET", f"{LABELLED[vendor]}?{query}").status_code == 400


@pytest.mark.parametrize(("vendor", "method", "path"), WITH_JSON)
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"{}", "application/json; charset=latin-1", 415),
        (b"{" + b" " * 65536 + b"}", "application/json", 413),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"label": "x", "label": "y"}', "application/json", 400),
        (b'{"label": NaN}', "application/json", 400),
        (b"[" * 60000, "application/json", 400),
        (b'{"label": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "application/json; charset=UTF-8", 422),
        (b'{"\\ud800~/": 1}', "application/json", 422),
        (b'{"label": "\\ud800", "name": "\\u0000", "note": 1}', "application/json", 422),
    ],
)
def test_bad_bodies_are_refused(
    open_twin: Any, vendor: str, method: str, path: str, body: bytes, content_type: str, status: int
) -> None:
    """A body of the wrong type, size or form is refused as such, and changes nothing."""
    twin = open_twin(vendor, "test")
    token = authority(twin, method, path)
    concrete = path.format(id="x")
    before = twin.sandbox.writes()

    response = twin.call(method, concrete, token=token, content=body, headers={"content-type": content_type})

    assert response.status_code == status, response.text
    assert twin.sandbox.writes() == before


@pytest.mark.parametrize(
    ("vendor", "method", "path"),
    [o for o in OPERATIONS if o not in WITH_JSON and not o[2].endswith("token")],
)
def test_bodies_are_refused_where_none_belongs(open_twin: Any, vendor: str, method: str, path: str) -> None:
    """A body that the contract does not know is an error, not ignored."""
    twin = open_twin(vendor, "test")
    token = authority(twin, method, path)

    assert twin.call(method, path.format(id="x"), token=token, json={}).status_code == 400


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("label", ["a\u0000b", "a\nb", "\ud800", "", "a" * 201, 7, None, ["a"]])
def test_a_label_is_one_line_of_text(open_twin: Any, vendor: str, label: object) -> None:
    """A label that is no text of one to 200 characters on one line is refused, and the fault names it."""
    body = {"label": label, "scope": "read-only"} if vendor == "payspace" else {"label": label}
    body |= {"scopes": ["rpp:merchant"]} if vendor == "paynet" else {}
    headers = {"content-type": "application/json"}
    twin = open_twin(vendor, "test")

    answer = twin.call("POST", LABELLED[vendor], content=json.dumps(body), headers=headers)

    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/label"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_wrong_methods_paths_and_tenants_are_refused(open_twin: Any, vendor: str) -> None:
    """A wrong method is 405 with those allowed; a wrong path, slash or tenant is 404, as problem details."""
    twin = open_twin(vendor, "test")
    keys = LABELLED[vendor]

    for method in ("PUT", "HEAD", "OPTIONS", "DELETE"):
        assert twin.call(method, keys).status_code == 405
    for path in ("", "nothing", f"{keys}/", f"{keys}/x/y"):
        assert twin.call("GET", path).status_code == 404
    stranger = open_twin(vendor, "staging")
    assert stranger.call("GET", keys, token="x").json()["status"] == 404


def values() -> st.SearchStrategy[Any]:
    """What a careless client may put into a field, with enough that is right to get through."""
    right = [
        "x",
        "",
        "a" * 200,
        "a" * 201,
        "full-access",
        "read-only",
        "svc.payroll",
        "svc.former",
        ["rpp:merchant"],
        ["rpp:merchant", "duitnow:read"],
        ["rpp:merchant", "rpp:merchant"],
        [],
        True,
        False,
        None,
        0,
        1.5,
        {},
    ]
    return st.one_of(st.sampled_from(right), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2))


FIELDS = ("label", "description", "scope", "user", "development_mode", "scopes", "name", "note", "extra")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all examples of a property: its law holds whatever happened before."""
    with Sandbox(tmp_path_factory.mktemp("shared")) as sandbox:
        yield sandbox


@pytest.mark.parametrize(("vendor", "method", "path"), WITH_JSON)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_the_contract_forbids_is_refused_and_nothing_breaks(
    shared: Sandbox, vendor: str, method: str, path: str, data: st.DataObject
) -> None:
    """Any JSON object that the contract forbids is answered 422, and no answer is outside the contract."""
    twin = Twin(shared, vendor, "test", CONTRACTS[vendor])
    token = authority(twin, method, path)
    operation = twin.contract.document["paths"]["/" + path][method.lower()]
    schema = twin.contract.resolve(operation["requestBody"]["content"]["application/json"]["schema"])
    known = st.sampled_from([*schema["properties"], *schema["properties"], *FIELDS])
    body = data.draw(st.dictionaries(known, values(), max_size=5))

    headers = {"content-type": "application/json"}
    answer = twin.call(method, path.format(id="x"), token=token, content=json.dumps(body), headers=headers)
    if not twin.contract.fits(schema, body):
        assert answer.status_code == 422, body
    elif answer.status_code == 422:
        rules = ("is required with full-access", "is not an active user profile")
        assert any(rule in answer.json()["detail"] for rule in rules), body


def test_both_tenants_of_every_vendor_are_open(sandbox: Sandbox) -> None:
    """Every vendor has the tenants test and production, each with a management token of its own."""
    tokens = {sandbox.token(vendor, tenant) for vendor in VENDORS for tenant in TENANTS}

    assert len(tokens) == 4
    with pytest.raises(LookupError):
        sandbox.token("payspace", "staging")
