"""A process that has imported everything once, and forks a child for each run that a crash test asks for.

So a run is a real process that a real SIGKILL ends, and costs a fork instead of a start. It reads one JSON
object a line from its input and answers each with one: `{"signal": 9}` or `{"exit": 0}`.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

sys.path[:0] = [
    str(Path(__file__).parent),
    *(str(Path(__file__).parent.parent / name) for name in ("core", "engine")),
]

import crash_runs  # noqa: E402 - the folders above must be on the path first


def serve() -> None:
    """Answer requests until the input ends."""
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line))), flush=True)


def _forked(request: dict[str, Any]) -> dict[str, Any]:
    child = os.fork()
    if child == 0:
        _run_and_exit(request)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    return {"exit": os.WEXITSTATUS(status)}


def _run_and_exit(request: dict[str, Any]) -> None:
    code = 99
    try:
        code = crash_runs.run(**request)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
