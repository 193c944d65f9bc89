"""The rows of records and generations, read in one pass: values are made only of those that are looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct

from provisioner.core.canonical import read_json
from provisioner.core.garbage import no_collection
from provisioner.core.model import Address, Generation, Record, Via
from provisioner.core.unchanged import GenerationRow, Key, RecordRow
from provisioner.errors import StateUnavailable

VIAS = {via.value: via for via in Via}


class Held(Struct, frozen=True):
    """What the store has of some environments, as rows."""

    records: Sequence[RecordRow]
    generations: Sequence[GenerationRow]
    """In any order."""
    where: str = ""
    """The store's URL without its password, for people."""

    def values(self, *, without: Collection[Key] = frozenset()) -> dict[Address, Record]:
        """The records with their generations, apart from those of some addresses.

        Raises StateUnavailable for a row that is damaged.
        """
        if len(without) == len(self.records):
            return {}
        try:
            with no_collection():
                return _records(
                    [row for row in self.records if row[2:4] not in without],
                    [row for row in self.generations if row[:2] not in without],
                )
        except (ValueError, KeyError) as error:
            raise damaged(self.where, error) from error


def damaged(where: str, error: Exception) -> StateUnavailable:
    """What to say of a row that cannot be understood."""
    return StateUnavailable(
        f"a row of the state store {where} is damaged: {error!r}",
        remedy="see what `provision audit verify` finds, and restore the store from a copy",
    )


def _records(rows: Sequence[RecordRow], generations: Sequence[GenerationRow]) -> dict[Address, Record]:
    from provisioner.state.rows import generation_of

    issued: dict[Key, list[Generation]] = defaultdict(list)
    for generation in generations:
        issued[generation[:2]].append(generation_of(*generation[2:]))
    fields, local = _parsed([row[0] for row in rows]), _parsed([row[1] for row in rows])
    found = {}
    for row, its_fields, its_local in zip(rows, fields, local, strict=True):
        _, _, environment, name, provider, via, version, secret_known, user = row
        address = Address(environment, name)
        its_own = tuple(sorted(issued.get((environment, name), ()), key=_number))
        found[address] = Record(
            address, provider, VIAS[via], its_fields, its_local, its_own, version, bool(secret_known), user
        )
    return found


def _number(generation: Generation) -> int:
    return generation.number


def _parsed(texts: Sequence[str]) -> list[Any]:
    """Many JSON texts by one call of the parser, which takes a third of the time of one call each."""
    values: list[Any] = read_json(f"[{','.join(texts)}]")
    return values
