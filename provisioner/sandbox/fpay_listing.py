"""FPay's list of AuthAccess objects: filtered, sorted, limited and paged (FP5, FP6).

`limit` is read as the number of objects in one answer, since the document says that an answer may be one page
of several. An order has the older object first among equals, and an object without the field before all
others; a descending order is the reverse. All of this is ours, and so is the form of `nextPage`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from operator import itemgetter

from provisioner.sandbox.dispatch import Call
from provisioner.sandbox.fpay_fields import FIELDS, Kind, Value, read
from provisioner.sandbox.fpay_filter import parse
from provisioner.sandbox.fpay_objects import milliseconds, show
from provisioner.sandbox.replies import Refusal, Reply
from provisioner.sandbox.strict import number
from provisioner.sandbox.tenancy import Credential

#: The query parameters of a list; `page` is `pagination.nextPage` of an answer and stands alone.
QUERY = ("filter", "sortBy", "limit", "page")

DEFAULT_SORT = "createdTime:DESC"
DEFAULT_LIMIT = 50
HIGHEST_LIMIT = 500

_DESCENDING: Mapping[str, bool] = {"ASC": False, "DESC": True}
_TYPES: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.NUMBER: (int, float),
    Kind.FLAG: (bool,),
    Kind.MOMENT: (int, float),
}
_ALL_ROWS = 10**9

Place = tuple[bool, Value, int]
"""Where an object stands in an order: whether it has the field, its value, its number in order of making."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the first page was asked for, when, and how far the pages went; `nextPage` is this, encoded.

    Objects made after `newest` are on no page, and a page begins behind the place (`value`, `seq`) of the
    last object before it: whatever is created meanwhile, each object is on one page. Relative moments mean
    what they meant on the first page.
    """

    filter: str | None
    sort_by: str
    limit: int
    now: int
    newest: int
    value: Value | None = None
    seq: int = 0


def listing(call: Call) -> Reply:
    """One page, and where the next one is."""
    every, _ = call.data.page(label=None, page=1, size=_ALL_ROWS)
    page = _decoded(call.query) if "page" in call.query else _first(call, every)
    field, descending = _sort(page.sort_by)
    placed = [
        (_place(read(shown, field), access.seq), shown) for access, shown in _selected(call, page, every)
    ]
    if page.seq:
        after = _place(page.value, page.seq)
        placed = [entry for entry in placed if (entry[0] < after if descending else entry[0] > after)]
    placed.sort(key=itemgetter(0), reverse=descending)
    items = [shown for _, shown in placed[: page.limit]]
    following = _encoded(page, placed[page.limit - 1][0]) if len(placed) > page.limit else None
    return Reply(200, {"items": items, "pagination": {"nextPage": following}})


def _first(call: Call, every: Sequence[Credential]) -> Page:
    return Page(
        filter=call.query.get("filter"),
        sort_by=call.query.get("sortBy", DEFAULT_SORT),
        limit=number(call.query, "limit", default=DEFAULT_LIMIT, highest=HIGHEST_LIMIT),
        now=milliseconds(call.data.now),
        newest=max((access.seq for access in every), default=0),
    )


def _selected(
    call: Call, page: Page, every: Sequence[Credential]
) -> Iterator[tuple[Credential, dict[str, object]]]:
    """Those that were there at the first page and meet the filter, each with how it is shown."""
    condition = None if page.filter is None else parse(page.filter, page.now)
    for access in every:
        shown = show(call.data, access, call.base)
        if access.seq <= page.newest and (condition is None or condition(shown)):
            yield access, shown


def _sort(text: str) -> tuple[str, bool]:
    field, colon, order = text.rpartition(":")
    if colon and field in FIELDS and order in _DESCENDING:
        return field, _DESCENDING[order]
    raise Refusal(400, f"sortBy is FIELD:ASC or FIELD:DESC; the fields are {', '.join(FIELDS)}")


def _place(value: Value | None, seq: int) -> Place:
    # Values of one field are of one kind; where there is none, the first member decides alone.
    return value is not None, "" if value is None else value, seq


def _encoded(page: Page, place: Place) -> str:
    present, value, seq = place
    reached = replace(page, value=value if present else None, seq=seq)
    raw = json.dumps(asdict(reached), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode()


def _decoded(query: Mapping[str, str]) -> Page:
    if len(query) > 1:
        raise Refusal(400, "page stands alone: it already says how the list was filtered, sorted and limited")
    try:
        raw = base64.b64decode(query["page"], altchars=b"-_", validate=True)
        page = Page(**json.loads(raw))
    except (ValueError, TypeError, RecursionError) as error:
        raise _no_page() from error
    if not _sound(page):
        raise _no_page()
    return page


def _sound(page: Page) -> bool:
    whole = (page.limit, page.now, page.newest, page.seq)
    if any(type(value) is not int for value in whole) or not isinstance(page.sort_by, str):
        return False
    if not 1 <= page.limit <= HIGHEST_LIMIT or page.seq < 1 or not isinstance(page.filter, str | None):
        return False
    types = _TYPES[FIELDS[_sort(page.sort_by)[0]]]
    return page.value is None or type(page.value) in types


def _no_page() -> Refusal:
    return Refusal(400, "page is no pagination.nextPage of an answer")
