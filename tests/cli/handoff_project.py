"""A project whose vendors need a person, and a person for it: the operator, whom the test itself asks."""

from __future__ import annotations

import asyncio
import codecs
import json
import os
import select
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from click.testing import CliRunner
from program_runner import Cli, Ran

from provisioner.cli.program import program
from provisioner.sandbox.operator import Operator

CARD = """\
  card:
    provider: fpay
    owner: team-payments
    scopes: [ReadOnly]
    environments: [test]
"""
BOOKS = """\
  books:
    provider: payspace
    owner: team-payroll
    description: general ledger
    scopes: [read-only]
    environments: [test]
"""


def with_handoffs(cli: Cli, credentials: str = CARD) -> Cli:
    """The project with these credentials; FPay over its API, PaySpace through its portal."""
    cli.write(credentials)
    cli.edit("sinks:", "  fpay: {test: {endpoint: sandbox}}\nsinks:", "provision.yaml")
    cli.edit(
        "payspace: {test: {endpoint: sandbox}",
        "payspace: {test: {endpoint: sandbox, via: portal}",
        "provision.yaml",
    )
    return cli


def waiting(cli: Cli) -> list[dict[str, Any]]:
    """What waits for a person."""
    found: list[dict[str, Any]] = cli("handoff", "list", "--json").json["handoffs"]
    return found


def only(cli: Cli) -> str:
    """The id of the one handoff that waits."""
    (one,) = waiting(cli)
    return str(one["id"])


def done_at_the_portal(cli: Cli, id: str) -> dict[str, str]:
    """Do it in the twin's console, and return what it asks to bring back."""
    (one,) = [handoff for handoff in waiting(cli) if handoff["id"] == id]
    tenant, _, name = one["address"].partition("/")
    with cli.sandbox() as twins:
        shown = asyncio.run(
            Operator(twins).perform(
                one["provider"],
                tenant,
                one["verb"],
                fields=one["fields"],
                remote_id=one["remote_id"] or None,
                name=name,
                tag=one["tag"],
            )
        )
    return {name: shown[name] for name in one["asks"]}


def complete(cli: Cli, id: str, answer: object, *more: str) -> Ran:
    """`handoff complete` with this on stdin: a text as it is, everything else as JSON."""
    text = answer if isinstance(answer, str | bytes) else json.dumps(answer)
    args = ["--debug", "-v", "-C", str(cli.root), "handoff", "complete", id, *more]
    ran = CliRunner().invoke(program, args, input=text)
    assert not ran.exception or isinstance(ran.exception, SystemExit)
    return Ran(ran.exit_code, ran.stdout, ran.stderr)


@dataclass
class Typist:
    """A person at a terminal of their own, in which the real program runs."""

    process: subprocess.Popen[bytes]
    keyboard: int
    screen: str = field(default="")
    """Everything that the terminal showed so far, what was typed as well where it is echoed."""
    _read: int = 0
    _decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    @classmethod
    def at(cls, cli: Cli, *args: str) -> Typist:
        ours, theirs = os.openpty()
        command = [sys.executable, "-m", "provisioner", "--debug", "-v", "-C", str(cli.root), *args]
        process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"}
        )
        os.close(theirs)
        return cls(process, ours)

    def see(self, wanted: str) -> str:
        """Read on until the screen shows this, after what was seen before; returns what stands between."""
        while wanted not in self.screen[self._read :]:
            assert self._look(), f"{wanted!r} is not shown: {self.screen!r}"
        before, self._read = self._read, self.screen.index(wanted, self._read) + len(wanted)
        return self.screen[before : self._read - len(wanted)]

    def type(self, line: str) -> None:
        os.write(self.keyboard, f"{line}\n".encode())

    def end(self) -> int:
        """The exit code, once everything that is shown was read."""
        while self._look():
            pass
        return self.process.wait(timeout=30)

    def __enter__(self) -> Typist:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.keyboard)

    def _look(self) -> bool:
        ready, _, _ = select.select([self.keyboard], [], [], 60)
        assert ready, f"nothing more is shown: {self.screen!r}"
        try:
            self.screen += self._decoder.decode(os.read(self.keyboard, 65536))
        except OSError:  # the program let go of its terminal
            return False
        return True
