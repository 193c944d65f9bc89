"""The floor under a plan: `python floor.py PARSER FOLDER` reads and parses the bytes, and reads the rows.

A script that imports nothing of the project, for the interpreter of the benchmark's own tools (`tools.py`).
It does what no plan without a change can do without, by the fastest means at hand, and nothing else: every
manifest through a YAML parser, and the rows of records and generations through `sqlite3`.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

RECORDS = (
    "SELECT environment, name, provider, via, version, secret_known, linked_user, fields, local"
    " FROM provision_records"
)
GENERATIONS = (
    "SELECT environment, name, number, state, remote_id, tag, created_at, expires_at, retire_after, provider"
    " FROM provision_generations"
)


def _rapidyaml(data: bytes) -> object:
    import ryml

    return ryml.parse_in_arena(data)


def _libyaml(data: bytes) -> object:
    import yaml

    return sum(1 for _ in yaml.parse(data, Loader=yaml.CSafeLoader))


PARSERS: Mapping[str, Callable[[bytes], object]] = {"rapidyaml": _rapidyaml, "libyaml": _libyaml}
"""Each without making Python values: rapidyaml a tree of its own, libyaml its events."""


def _main(parser: str, folder: Path) -> None:
    for path in [folder / "provision.yaml", *sorted((folder / "credentials").iterdir())]:
        PARSERS[parser](path.read_bytes())
    connection = sqlite3.connect(folder / ".provision" / "state.db")
    for query in (RECORDS, GENERATIONS):
        connection.execute(query).fetchall()
    connection.close()


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
