"""A million credentials planned by several runners on one PostgreSQL: `python -m benchmarks.runners`.

Each runner has a project of its own, in one store. The share of one runner is measured for real: its
manifests are read, and its rows come from the PostgreSQL that holds the rows of all. Then as many processes
as there are runners read their rows at the same time, which is what they share. What is computed from the
two, and not measured, is the last line: runners on machines of their own take as long as one does, and what
the store's other readers cost.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import filling, projects
from benchmarks.ours import PLAN
from benchmarks.processes import Contestant, Cost, run

TABLES = ("provision_records", "provision_generations")

READER = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as connection:
    for table in sys.argv[3:]:
        connection.execute(f"SELECT * FROM {table} WHERE project = %s", (sys.argv[2],)).fetchall()
"""


def measure(folder: Path, share: int, runners: int) -> dict[str, object]:
    """What one runner takes for its share, and what the store takes for all."""
    from postgres_server import postgres_server

    with postgres_server(folder) as server:
        place = folder / "share"
        projects.write(place, share, state=server.url)
        filling.fill(place)
        _copies(server.url, runners)
        shutil.rmtree(place / ".provision" / "cache", ignore_errors=True)
        cold, warm = _plan(place), _plan(place)
        alone, together = _read(server.url, 1), _read(server.url, runners)
    extra = max(0.0, together - alone)
    return {
        "runners": runners,
        "credentials": share * runners,
        "share": {"credentials": share, "cold": _told(cold), "warm": _told(warm)},
        "reading_s": {"one": round(alone, 2), "all_at_once": round(together, 2)},
        "rows_per_second": round(2 * share * runners / together),
        "computed_plan_s": {"cold": round(cold.wall + extra, 1), "warm": round(warm.wall + extra, 1)},
    }


def _copies(url: str, runners: int) -> None:
    """The rows of the other runners' projects, which are those of the first under other names."""
    import psycopg

    with psycopg.connect(_plain(url)) as connection:
        for table in TABLES:
            columns = connection.execute(
                "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
                " WHERE table_name = %s AND column_name <> 'project'",
                (table,),
            ).fetchone()
            assert columns is not None
            for number in range(1, runners):
                connection.execute(
                    f"INSERT INTO {table} (project, {columns[0]})"  # type: ignore[arg-type]  # names of ours
                    f" SELECT 'measured-{number}', {columns[0]} FROM {table} WHERE project = 'measured'"
                )
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _plan(place: Path) -> Cost:
    return run(Contestant("plan", PLAN, place))


def _read(url: str, readers: int) -> float:
    """Seconds until so many processes have read the rows of one project each."""
    names = ["measured", *(f"measured-{number}" for number in range(1, readers))]
    commands = [
        Contestant(name, (sys.executable, "-c", READER, _plain(url), name, *TABLES), Path("/"))
        for name in names
    ]
    with ThreadPoolExecutor(readers) as pool:
        return max(cost.wall for cost in pool.map(run, commands))


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _told(cost: Cost) -> dict[str, float]:
    return {"wall_s": round(cost.wall, 2), "cpu_s": round(cost.cpu, 2), "peak_mb": round(cost.peak)}


def main(arguments: Sequence[str]) -> None:
    """Measure, and print the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runners", description=__doc__)
    parser.add_argument("--share", type=int, default=125_000, help="addresses of one runner")
    parser.add_argument("--runners", type=int, default=8)
    chosen = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="provision-bench-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)  # for the server's user
        print(json.dumps(measure(Path(folder), chosen.share, chosen.runners), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
