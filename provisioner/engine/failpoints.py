"""Named places at which a test may kill the process: at phase boundaries only, and free when unarmed.

`PROVISION_FAILPOINT=NAME[:COUNT]` kills the process with SIGKILL when it passes NAME for the COUNT-th time
(the first by default). Names are `before-PHASE` and `after-PHASE` for every durable step of design §7.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

VARIABLE = "PROVISION_FAILPOINT"


def arm(setting: str) -> None:
    """Arm one failpoint in this process, as the variable would at its start."""
    global hit
    hit = _armed(setting)


def _armed(setting: str) -> Callable[[str], None]:
    wanted, _, count = setting.partition(":")
    left = int(count or 1)

    def hit(name: str) -> None:
        nonlocal left
        if name != wanted:
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return hit


def _unarmed(name: str) -> None:
    """Pass by."""


hit = _armed(os.environ[VARIABLE]) if VARIABLE in os.environ else _unarmed
