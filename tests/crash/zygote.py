"""A process that has imported and done everything once, and forks a child for each run of a crash test.

So a run is a real process that a real SIGKILL ends, and costs a fork instead of a start. It reads one JSON
object a line from its input and answers each with one: `{"signal": 9}` or `{"exit": 0}`. A request may say
`kill_after`, in seconds: then this process kills its child from outside, wherever it is by then. One with
`warm` is done here, without a fork: what is compiled and cached by it, no child needs to do again.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path[:0] = [
    str(Path(__file__).parent),
    *(str(Path(__file__).parent.parent / name) for name in ("core", "engine")),
]

import crash_many  # noqa: E402 - the folders above must be on the path first
import crash_runs  # noqa: E402 - the same

JOBS = {"one": crash_runs.run, "many": crash_many.run}


def serve() -> None:
    """Answer requests until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        warm = request.pop("warm", False)
        print(json.dumps({"exit": _run(request)} if warm else _forked(request)), flush=True)


def _forked(request: dict[str, Any]) -> dict[str, Any]:
    kill_after = request.pop("kill_after", None)
    child = os.fork()
    if child == 0:
        os._exit(_run(request))
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)  # it is not waited for yet, so the pid is still its own
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    return {"exit": os.WEXITSTATUS(status)}


def _run(request: dict[str, Any]) -> int:
    try:
        return JOBS[request.pop("job")](**request)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        return 99


if __name__ == "__main__":
    serve()
