"""What gives a restored store away, and what it takes over: values in, values out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from provisioner.core.model import (
    Address,
    Generation,
    GenerationState,
    Listing,
    Observations,
    Observed,
    Record,
    RemoteStatus,
    Tag,
    Via,
)
from provisioner.core.restored import Adoption, Holdings, adoptions, tagged, unknown, verdicts

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
A = Address("test", "a")


def _seen(id: str, tag: Tag | None, status: RemoteStatus = RemoteStatus.LIVE) -> Observed:
    return Observed(id, status, {"scopes": ["read"]}, tag)


def _tag(generation: int, *, environment: str = "test", project: str = "payments") -> Tag:
    return Tag(project, environment, "a", generation, f"nonce{generation}")


def _listing(*seen: Observed) -> Observations:
    return {("payspace", "test"): Listing({one.remote_id: one for one in seen})}


def _generation(number: int, state: GenerationState) -> Generation:
    return Generation(number, state, f"id{number}", str(_tag(number)), NOON)


def _record(*generations: Generation) -> Record:
    return Record(A, "payspace", Via.API, {}, {}, generations)


def _adopted(record: Record | None, observations: Observations, *known: int) -> Adoption:
    records = {A: record} if record else {}
    strangers = unknown(tagged("payments", observations), {str(_tag(number)) for number in known})
    (found,) = adoptions(strangers, Holdings(records, {}, {}, {}), observations, NOON)
    return found


def _states(adoption: Adoption) -> list[tuple[int, str, str]]:
    return [(g.number, g.state.value, g.remote_id) for g in adoption.record.generations]


@pytest.mark.parametrize("status", list(RemoteStatus))
def test_only_what_is_of_use_counts(status: RemoteStatus) -> None:
    """What lives or waits for the vendor gives a store away; what is dead, denied or disabled cannot."""
    wanted = status in (RemoteStatus.LIVE, RemoteStatus.WAITING)
    assert wanted == bool(tagged("payments", _listing(_seen("id1", _tag(1), status))))


@pytest.mark.parametrize("tag", [None, _tag(1, environment="production"), _tag(1, project="other")])
def test_only_our_own_counts(tag: Tag | None) -> None:
    """What is untagged, of another project, or a copy of another environment, says nothing of this store."""
    assert () == tagged("payments", _listing(_seen("id1", tag)))


def test_what_the_journal_knows_is_no_stranger() -> None:
    """A tag that the store has heard of is no stranger's, whichever generation it claims."""
    found = tagged("payments", _listing(_seen("id1", _tag(1)), _seen("id2", _tag(2))))
    assert [2] == [stranger.tag.generation for stranger in unknown(found, {str(_tag(1))})]


def test_what_the_vendor_ended_is_retired() -> None:
    """An older generation that the vendor no longer has is retired; one that it has is left to a renewal."""
    record = _record(_generation(1, GenerationState.RETIRING), _generation(2, GenerationState.ACTIVE))
    found = _adopted(record, _listing(_seen("id2", _tag(2)), _seen("id3", _tag(3))), 1, 2)
    assert [(1, "retired", "id1"), (2, "retiring", "id2"), (3, "active", "id3")] == _states(found)
    assert [1, 2, 3] == [generation.number for generation in found.taken]


def test_where_nobody_could_look_nothing_is_called_dead() -> None:
    """A generation of a vendor that was not seen may be alive."""
    record = _record(replace(_generation(1, GenerationState.ACTIVE), provider="paynet"))
    found = _adopted(record, _listing(_seen("id2", _tag(2))), 1)
    assert [(1, "retiring", "id1"), (2, "active", "id2")] == _states(found)


def test_an_older_stranger_displaces_nobody() -> None:
    """A stranger that is older than the active generation is kept to be ended, and the secret stays known."""
    found = _adopted(
        _record(_generation(3, GenerationState.ACTIVE)),
        _listing(_seen("id2", _tag(2)), _seen("id3", _tag(3))),
        3,
    )
    assert [(3, "active", "id3"), (4, "retiring", "id2")] == _states(found)
    assert found.record.secret_known
    assert [4] == [generation.number for generation in found.taken]


def test_a_number_that_is_taken() -> None:
    """Two credentials never share a number: the stranger gets the next one."""
    stranger = replace(_tag(2), nonce="other")
    found = _adopted(_record(_generation(2, GenerationState.RETIRED)), _listing(_seen("idx", stranger)), 2)
    assert [(2, "retired", "id2"), (3, "active", "idx")] == _states(found)


def test_several_strangers_of_one_address() -> None:
    """The newest is what consumers use; the others are to be ended."""
    found = _adopted(None, _listing(*(_seen(f"id{n}", _tag(n)) for n in (3, 1, 2))))
    assert [(1, "retiring", "id1"), (2, "retiring", "id2"), (3, "active", "id3")] == _states(found)


def test_the_order_of_the_vendor_changes_nothing() -> None:
    """The same strangers give the same adoptions, in whichever order they were listed."""
    seen = [_seen(f"id{n}", _tag(n)) for n in (1, 2, 3)]
    assert _adopted(None, _listing(*seen)) == _adopted(None, _listing(*reversed(seen)))


def test_many_are_told_in_few_words() -> None:
    """Ten are told one by one, and the rest is counted."""
    seen = [_seen(f"id{n:02}", _tag(n)) for n in range(1, 15)]
    told = verdicts(tagged("payments", _listing(*seen)))
    assert (11, "4 more at the vendors that this store does not know") == (len(told), told[-1].text)
