"""Sink `exec`: a command takes the values as JSON on its standard input.

Options: `command` (a list of words, run in the project's folder, never by a shell), `timeout` (seconds, 30).
The document has `format` (1), `operation`, `address`, `environment`, `name`, `provider`, `generation` and
`values`, an object of texts by the consumer's names.
Nothing secret stands in the arguments or the environment, where other processes could read it.
Exit code 0 is the ack. What the command prints is never shown nor kept: it could repeat a secret.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path

from provisioner.core.delivery import Parcel
from provisioner.core.project import SinkConfig
from provisioner.errors import SinkError
from provisioner.secrets.parcels import seconds_option, values_of

FORMAT = 1
TIMEOUT = 30.0
GRACE = 2.0
"""Seconds between asking a late command to end and ending it."""


class ExecSink:
    """Runs a command for each delivery; a repeated one has the same `operation`: it can write once."""

    def __init__(self, config: SinkConfig, root: Path) -> None:
        self._name = config.name
        self._words = _words(config)
        self._timeout = seconds_option(config, "timeout", TIMEOUT)
        self._root = root.resolve()

    async def deliver(self, parcel: Parcel) -> None:
        """Returns once the command has ended with 0. Raises SinkError otherwise; nothing goes on running."""
        document = _document(parcel)
        process = await self._start()
        try:
            async with asyncio.timeout(self._timeout):
                await process.communicate(document)
        except BaseException as error:
            # Too late, or we are being cancelled: either way nothing may go on behind our back.
            await _end(process)
            if isinstance(error, TimeoutError):
                raise self._late() from None
            raise
        self._judge(process)

    async def _start(self) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self._words,
                cwd=self._root,
                stdin=PIPE,
                stdout=DEVNULL,
                stderr=DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise SinkError(
                f"sink {self._name}: `{self._words[0]}` cannot be run: {error.strerror}",
                remedy=f"a relative path starts at {self._root}; the file must be executable",
            ) from None

    def _late(self) -> SinkError:
        return SinkError(
            f"sink {self._name}: `{self._words[0]}` did not end within {self._timeout:g} s and was ended",
            remedy="raise the sink's `timeout`, or see what the command waits for",
        )

    def _judge(self, process: Process) -> None:
        code = process.returncode or 0
        if code == 0:
            return
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise SinkError(
            f"sink {self._name}: `{self._words[0]}` {how}",
            remedy="its output could hold a secret, so it is not shown: let it keep a log of its own, or "
            "run it by hand on a made-up document",
        )


def _words(config: SinkConfig) -> tuple[str, ...]:
    words = config.options.get("command")
    texts = isinstance(words, list | tuple) and all(isinstance(word, str) for word in words)
    if not (texts and words and words[0]):
        raise SinkError(
            f"sink {config.name}: `command` is not a list of words",
            remedy="write it like [./deliver.sh, production]",
        )
    return tuple(words)


def _document(parcel: Parcel) -> bytes:
    value = {
        "format": FORMAT,
        "operation": parcel.operation,
        "address": str(parcel.address),
        "environment": parcel.address.environment,
        "name": parcel.address.name,
        "provider": parcel.provider,
        "generation": parcel.generation,
        "values": values_of(parcel),
    }
    return json.dumps(value).encode()


async def _end(process: Process) -> None:
    """End the command and all that it started: by asking, then by force."""
    _signal(process, signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE):
            await process.wait()
    _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)  # it leads a group of its own
