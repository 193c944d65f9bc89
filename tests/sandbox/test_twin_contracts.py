"""The application and the published contracts say the same, and nothing else gets in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twin_harness import TENANTS, VENDORS, Contract, Twin
from twin_proofs import LISTS, MAKING, PROOFS, authority, security

from provisioner.sandbox.dispatch import Door
from provisioner.sandbox.registry import VENDORS as REGISTERED
from provisioner.sandbox.world import Sandbox

CONTRACTS = {vendor: Contract(vendor) for vendor in VENDORS}
OPERATIONS = [(vendor, *operation) for vendor in VENDORS for operation in CONTRACTS[vendor].operations()]


def takes(vendor: str, method: str, path: str) -> list[str]:
    """The media types of the bodies that the contract knows here."""
    operation = CONTRACTS[vendor].document["paths"]["/" + path][method.lower()]
    return list(operation.get("requestBody", {}).get("content", {}))


WITH_JSON = [operation for operation in OPERATIONS if "application/json" in takes(*operation)]
BODILESS = [operation for operation in OPERATIONS if not takes(*operation)]
#: Operations that need nobody's authority but what is in their body.
OPEN = ("oauth/token", "auth/token", "api/sign-in")


def test_every_route_is_in_the_contract_and_the_reverse(sandbox: Sandbox) -> None:
    """The application serves the operations of the contracts, no fewer and no more."""
    served = {
        (route.path.split("/")[1], method, route.path.split("/", 3)[3].replace(":path}", "}"))
        for route in sandbox.app.routes
        if isinstance(route.endpoint, Door)  # the consoles beside it are pages, not the API
        for method in route.endpoint.operations
    }
    published = {(vendor, *operation) for vendor in REGISTERED for operation in Contract(vendor).operations()}

    assert published == served


@pytest.mark.parametrize(("vendor", "method", "path"), OPERATIONS)
def test_every_operation_asks_for_the_authority_that_the_contract_names(
    open_twin: Any, vendor: str, method: str, path: str
) -> None:
    """No token, another tenant's, and one of the other kind are refused with 401."""
    twin, stranger = open_twin(vendor, "production"), open_twin(vendor, "test")
    names, concrete = security(twin.contract, method, path), path.format(id="x")
    other = stranger if names == ["management"] else twin
    scheme = "ApiKey" if "key" in names else "Bearer"

    for token in (None, "", "x", other.sandbox.token(vendor, other.tenant), PROOFS[vendor](stranger)):
        if names:
            response = twin.call(method, concrete, token=token)
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith(f'{scheme} realm="{vendor}/production"')
    assert bool(names) == (path not in OPEN)


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
    assert open_twin(vendor, "test").call("GET", f"{LISTS[vendor]}?{query}").status_code == 400


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


@pytest.mark.parametrize(("vendor", "method", "path"), BODILESS)
def test_bodies_are_refused_where_none_belongs(open_twin: Any, vendor: str, method: str, path: str) -> None:
    """A body that the contract does not know is an error, not ignored."""
    twin = open_twin(vendor, "test")
    token = authority(twin, method, path)

    assert twin.call(method, path.format(id="x"), token=token, json={}).status_code == 400


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("label", ["a\u0000b", "a\nb", "\ud800", "", "a" * 201, 7, None, ["a"]])
def test_a_label_is_one_line_of_text(open_twin: Any, vendor: str, label: object) -> None:
    """A label that is no text of one to 200 characters on one line is refused, and the fault names it."""
    path, body = MAKING[vendor]
    headers = {"content-type": "application/json"}
    twin = open_twin(vendor, "test")

    answer = twin.call("POST", path, content=json.dumps({**body, "label": label}), headers=headers)

    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/label"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_wrong_methods_paths_and_tenants_are_refused(open_twin: Any, vendor: str) -> None:
    """A wrong method is 405 with those allowed; a wrong path, slash or tenant is 404, as problem details."""
    twin = open_twin(vendor, "test")
    keys = LISTS[vendor]

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
        ["203.0.113.7"],
        ["203.0.113.7", "203.0.113.7/32"],
        ["999.1.1.1"],
        "single",
        "2026-11-21",
        "2026-11-31",
        "vacation",
        1_795_000_000,
        [],
        True,
        False,
        None,
        0,
        1.5,
        {},
    ]
    return st.one_of(st.sampled_from(right), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2))


#: What JSON Schema cannot say.
RULES = (
    "is required with full-access",
    "is not an active user profile",
    "must hold only addresses and networks",
    "must not repeat an entry",
    "must be a day of the calendar",
    "must be later than clock_in",
    "must not be before start",
    "is not a project",
)
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
        assert any(rule in answer.json()["detail"] for rule in RULES), body


def test_both_tenants_of_every_vendor_are_open(sandbox: Sandbox) -> None:
    """Every vendor has the tenants test and production, each with a management token of its own."""
    tokens = {sandbox.token(vendor, tenant) for vendor in VENDORS for tenant in TENANTS}

    assert len(tokens) == 2 * len(VENDORS)
    with pytest.raises(LookupError):
        sandbox.token("payspace", "staging")
