"""FPay's twin against the rules FP5 and FP6: what a list holds, in which order, and on which page."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from fpay_twin import FPay
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.sandbox.fpay_fields import FIELDS
from provisioner.sandbox.world import Sandbox

DAY = 24 * 60 * 60
START = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)


@pytest.fixture
def fpay(tmp_path: Path) -> Iterator[FPay]:
    """A tenant in which time stands still unless a test lets it pass."""
    with Sandbox(tmp_path / "sandbox", clock=lambda: START) as sandbox:
        yield FPay.of(sandbox)


def make(fpay: FPay, *names: str, apart: float = 1) -> None:
    for name in names:
        fpay.sandbox.advance(apart)
        fpay.create(name=name)


def pages(fpay: FPay, **query: Any) -> Iterator[list[str]]:
    """The names on each page, as a client that follows nextPage sees them."""
    answer = fpay.list(**query).json()
    yield [item["name"] for item in answer["items"]]
    while answer["pagination"]["nextPage"]:
        answer = fpay.list(page=answer["pagination"]["nextPage"]).json()
        yield [item["name"] for item in answer["items"]]


def test_the_newest_come_first(fpay: FPay) -> None:
    """FP5: the default order is createdTime:DESC."""
    make(fpay, "a", "b", "c")

    assert fpay.names() == ["c", "b", "a", "management"] == fpay.names(sortBy="createdTime:DESC")


def test_an_order_is_ascending_or_descending(fpay: FPay) -> None:
    """FP5: sortBy names a field and an order; equal values stand in the order in which they were made."""
    make(fpay, "b", "a", "b")
    fpay.create(name="c", foreignId="2")
    fpay.create(name="d", foreignId="1")

    assert fpay.names(sortBy="name:ASC") == ["a", "b", "b", "c", "d", "management"]
    assert fpay.names(sortBy="name:DESC") == ["management", "d", "c", "b", "b", "a"]
    assert fpay.names(sortBy="foreignId:ASC") == ["management", "b", "a", "b", "d", "c"]
    assert fpay.names(sortBy="foreignId:DESC") == ["c", "d", "b", "a", "b", "management"]
    assert fpay.names(sortBy="createdTime.timestamp.seconds:ASC")[0] == "management"
    assert fpay.names(sortBy="creator._type:ASC")[-1] == "management"


@pytest.mark.parametrize("field", sorted(FIELDS))
@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_every_listed_field_sorts(fpay: FPay, field: str, order: str) -> None:
    """FP5: each field that the document lists can be sorted by, over as many pages as it takes."""
    make(fpay, "a", "b", "c")
    fpay.create(name="d", foreignId="x", description="y")

    seen = [name for page in pages(fpay, sortBy=f"{field}:{order}", limit=2) for name in page]

    assert sorted(seen) == ["a", "b", "c", "d", "management"]
    assert seen == fpay.names(sortBy=f"{field}:{order}")


@pytest.mark.parametrize(
    "sort_by", ["", "id", "id:asc", "id:UP", ":ASC", "foreignData:ASC", "url:ASC", "id:ASC:DESC", "id ASC"]
)
def test_another_order_is_refused(fpay: FPay, sort_by: str) -> None:
    """FP5: an order that is not FIELD:ASC or FIELD:DESC of a listed field is 400 and names the fields."""
    answer = fpay.list(sortBy=sort_by)

    assert answer.status_code == 400
    assert ", ".join(FIELDS) in answer.json()["detail"]


def test_the_documents_lists(fpay: FPay) -> None:
    """FP5: the document's own calls give what they read."""
    make(fpay, "a", "b", apart=2 * DAY)
    ids = {item["name"]: item["id"] for item in fpay.list().json()["items"]}

    assert fpay.names(limit=1) == ["b"]
    assert fpay.names(filter=f"id in {{'{ids['a']}', '{ids['b']}', '9990'}}") == ["b", "a"]
    assert fpay.names(filter="createdTime isBefore Yesterday", sortBy="foreignId:DESC") == ["a", "management"]
    prefix = ids["a"][:8]
    assert fpay.names(filter=f"id startsWith {prefix}", sortBy="createdTime:ASC", limit=25) == ["a"]


def test_a_filter_that_is_not_known_is_refused(fpay: FPay) -> None:
    """FP5: a bad filter is 400 as problem details that name the place."""
    answer = fpay.list(filter="id like 'x'")

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("filter, position 4: found like, expected")


def test_fifty_objects_by_default(fpay: FPay) -> None:
    """FP5, FP6: a list holds 50 objects unless the limit says otherwise, and the rest is on the next page."""
    make(fpay, *(f"n{number}" for number in range(52)))

    assert [len(page) for page in pages(fpay)] == [50, 3]
    assert [len(page) for page in pages(fpay, limit=53)] == [53]
    assert [len(page) for page in pages(fpay, limit=52)] == [52, 1]


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1.5", "", "٣"])
def test_another_limit_is_refused(fpay: FPay, limit: str) -> None:
    """FP5: a limit is a whole number from 1 to 500 (ours)."""
    assert fpay.list(limit=limit).status_code == 400


@pytest.mark.parametrize("sort_by", ["createdTime:ASC", "createdTime:DESC", "name:ASC", "description:DESC"])
def test_pages_hold_still_while_objects_are_made(fpay: FPay, sort_by: str) -> None:
    """FP6: following nextPage gives each object of the first moment once, whatever is made meanwhile."""
    make(fpay, "d", "b", "f", "a", apart=0)
    expected = fpay.names(sortBy=sort_by)

    seen = []
    for page in islice(pages(fpay, sortBy=sort_by, limit=2), 9):  # more pages than there may be
        seen += page
        make(fpay, "0", "c", "z")

    assert seen == expected


def test_pages_keep_their_filter_and_their_moment(fpay: FPay) -> None:
    """FP6: the filter goes with the pages, and what was Today at the first is Today at the last."""
    make(fpay, "a", "b", "c")
    fpay.create(name="other")

    following = pages(fpay, filter="createdTime isAfter Today and name != other", limit=2)
    first = next(following)
    fpay.sandbox.advance(DAY)

    assert [first, *following] == [["c", "b"], ["a", "management"]]


def test_a_page_stands_alone(fpay: FPay) -> None:
    """FP6: fetchPage takes nextPage and nothing else."""
    make(fpay, "a")
    following = fpay.list(limit=1).json()["pagination"]["nextPage"]

    assert fpay.list(page=following).status_code == 200
    for more in ({"filter": "id = x"}, {"sortBy": "id:ASC"}, {"limit": "1"}):
        assert fpay.list(page=following, **more).status_code == 400


@pytest.mark.parametrize("page", ["", "x", "é", "e30=", "W10=", "bnVsbA==", "////", "2"])
def test_what_is_no_page_is_refused(fpay: FPay, page: str) -> None:
    """FP6: a page that no answer gave is 400."""
    assert fpay.list(page=page).status_code == 400


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FPay]:
    """One tenant for all examples of a property; reading changes nothing in it."""
    with Sandbox(tmp_path_factory.mktemp("shared")) as sandbox:
        fpay = FPay.of(sandbox)
        fpay.create(description="a", foreignId="b")
        yield fpay


MARKS = (*"=<>!(){},'\"\\", "!=", "in", "and", "or", "startsWith", "isBefore", " ")
VALUES = (
    "Yesterday",
    "true",
    "12",
    "a",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-02-30",
)
pieces = st.sampled_from([*FIELDS, *MARKS, *VALUES])


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(st.text(max_size=30), st.lists(pieces, max_size=12).map(" ".join)))
def test_no_filter_breaks_the_list(shared: FPay, text: str) -> None:
    """FP5: whatever text is sent as a filter, the answer is a list or a 400 that names a position."""
    answer = shared.list(filter=text)

    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.json()["detail"].startswith("filter, position ")


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(
        ["id:ASC", "createdTime:DESC", "isEnabled:ASC", "id = x", "createdTime = Today", 10**400]
    ),
    st.text(max_size=3),
    st.just("\ud800"),
    st.lists(st.integers(), max_size=1),
)
FORGED = {"filter": None, "sort_by": "id:ASC", "limit": 1, "now": 0, "newest": 9, "value": None, "seq": 1}


@settings(max_examples=200, deadline=None)
@given(changes=st.dictionaries(st.sampled_from([*FORGED, "more"]), anything, max_size=3))
def test_no_forged_page_breaks_the_list(shared: FPay, changes: dict[str, Any]) -> None:
    """FP6: a page that was made up is a 400, or shows what any other list may show."""
    forged = base64.urlsafe_b64encode(json.dumps({**FORGED, **changes}).encode()).decode()

    answer = shared.list(page=forged)

    assert answer.status_code in (200, 400)
    if set(changes) == {"more"}:
        assert answer.status_code == 400
