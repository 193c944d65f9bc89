from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.core.delivery import Parcel
from provisioner.core.project import SinkConfig
from provisioner.errors import SinkError
from provisioner.secrets.exec import ExecSink

CANARY = "canary-40be \"'$`\n☃"
MakeParcel = Callable[..., Parcel]

RECORD = """
import json, os, sys
seen = {"argv": sys.argv, "env": dict(os.environ), "cwd": os.getcwd(), "stdin": sys.stdin.read()}
json.dump(seen, open("seen", "w"))
"""
"""Writes down everything that the command could see."""

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = open("alive", "w")
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[held.fileno()])
open("started", "w").close()
time.sleep(600)
"""
"""Does not end when asked to, and has started another that does not either; both hold the fifo open."""


def _sink(root: Path, *words: str, timeout: float = 60) -> ExecSink:
    options = {"command": list(words), "timeout": timeout}
    return ExecSink(SinkConfig("hook", "exec", options), root)


def _python(root: Path, script: str, timeout: float = 60) -> ExecSink:
    return _sink(root, sys.executable, "-c", script, timeout=timeout)


@pytest.fixture
def one(parcel: MakeParcel) -> Parcel:
    """One value under the name KEY."""
    return parcel({"KEY": CANARY}, generation=3)


def _refused(sink: ExecSink, parcel: Parcel) -> SinkError:
    with pytest.raises(SinkError) as caught:
        asyncio.run(sink.deliver(parcel))
    assert "canary" not in "".join(traceback.format_exception(caught.value)) + caught.value.remedy
    return caught.value


def test_document(tmp_path: Path, one: Parcel) -> None:
    """The command gets the whole delivery on its standard input, and runs in the project's folder."""
    asyncio.run(_python(tmp_path, RECORD).deliver(one))
    seen = json.loads((tmp_path / "seen").read_text())
    expected = {
        "format": 1,
        "operation": "op-3",
        "address": "test/payroll",
        "environment": "test",
        "name": "payroll",
        "provider": "payspace",
        "generation": 3,
        "values": {"KEY": CANARY},
    }
    assert expected == json.loads(seen["stdin"])
    assert str(tmp_path.resolve()) == seen["cwd"]


def test_nothing_secret_where_others_can_read(tmp_path: Path, one: Parcel) -> None:
    """Neither the arguments nor the environment hold a secret; the environment is the parent's."""
    asyncio.run(_python(tmp_path, RECORD).deliver(one))
    seen = json.loads((tmp_path / "seen").read_text())
    assert ["-c"] == seen["argv"]
    assert "canary" not in json.dumps(seen["env"])
    assert os.environ["PATH"] == seen["env"]["PATH"]


def test_large_values(tmp_path: Path, parcel: MakeParcel) -> None:
    """Values that fill a pipe many times over arrive whole."""
    large = parcel({f"KEY_{n}": "x" * 100_000 for n in range(10)})
    asyncio.run(_python(tmp_path, RECORD).deliver(large))
    document = json.loads(json.loads((tmp_path / "seen").read_text())["stdin"])
    assert [100_000] * 10 == [len(value) for value in document["values"].values()]


def test_exit_code_0_is_the_ack(tmp_path: Path, parcel: MakeParcel) -> None:
    """A command that ends with 0 has acknowledged, also when it did not read to the end."""
    asyncio.run(_python(tmp_path, "").deliver(parcel({"KEY": "x" * 1_000_000})))


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("import sys; sys.exit(3)", "ended with exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by signal 9"),
    ],
)
def test_other_ends_are_failures(tmp_path: Path, one: Parcel, script: str, how: str) -> None:
    """Any other end is a failure that names the sink, the command and how it ended."""
    assert f"sink hook: `{sys.executable}` {how}" == _refused(_python(tmp_path, script), one).message


def test_output_is_shown_nowhere(tmp_path: Path, one: Parcel, capfd: pytest.CaptureFixture[str]) -> None:
    """A command that repeats the secret on its outputs leaks it neither to the terminal nor to the error."""
    echo = "import sys; text = sys.stdin.read(); print(text); print(text, file=sys.stderr); sys.exit(1)"
    error = _refused(_python(tmp_path, echo), one)
    assert "is not shown" in error.remedy
    assert ("", "") == capfd.readouterr()


def test_command_that_cannot_be_run(tmp_path: Path, one: Parcel) -> None:
    """A command that is missing, not executable or no program is named, with where a relative path starts."""
    (tmp_path / "plain.sh").write_text("#!/bin/sh\n")
    (tmp_path / "odd.sh").write_text("true\n")
    (tmp_path / "odd.sh").chmod(0o755)
    for word, trouble in {
        "./missing.sh": "No such file",
        "./plain.sh": "Permission denied",
        "./odd.sh": "Exec format error",
    }.items():
        error = _refused(_sink(tmp_path, word), one)
        assert f"sink hook: `{word}` cannot be run: {trouble}" in error.message
        assert str(tmp_path.resolve()) in error.remedy


def test_relative_command(tmp_path: Path, one: Parcel) -> None:
    """A relative command starts at the project's folder, and its words reach it as they are written."""
    script = tmp_path / "deliver.sh"
    script.write_text('#!/bin/sh\nprintf "%s|" "$@" > words\n')
    script.chmod(0o755)
    asyncio.run(_sink(tmp_path, "./deliver.sh", "a b", "$HOME", "*").deliver(one))
    assert "a b|$HOME|*|" == (tmp_path / "words").read_text()


def _assert_all_ended(reader: int) -> None:
    """A fifo reads as ended once nobody holds its other end; killing takes the system a moment."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            assert os.read(reader, 1) == b""
            return
        except BlockingIOError:
            time.sleep(0.01)
    raise AssertionError("something that the command started goes on")


@pytest.fixture
def alive(tmp_path: Path) -> int:
    """The reading end of a fifo that a stubborn command holds open."""
    os.mkfifo(tmp_path / "alive")
    return os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)


def test_late_command_is_ended_with_all_it_started(tmp_path: Path, one: Parcel, alive: int) -> None:
    """A command that takes too long is ended, and so is what it started, even if they do not want to."""
    error = _refused(_python(tmp_path, STUBBORN, timeout=1.5), one)
    assert f"sink hook: `{sys.executable}` did not end within 1.5 s and was ended" == error.message
    assert (tmp_path / "started").exists()
    _assert_all_ended(alive)
    os.close(alive)


def test_cancelled_delivery_leaves_nothing_running(tmp_path: Path, one: Parcel, alive: int) -> None:
    """A delivery that is cancelled ends its command."""

    async def cancel() -> None:
        task = asyncio.create_task(_python(tmp_path, STUBBORN).deliver(one))
        while not (tmp_path / "started").exists():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    _assert_all_ended(alive)
    os.close(alive)


def test_many_at_once(tmp_path: Path, parcel: MakeParcel) -> None:
    """Deliveries run beside each other, and each command gets its own."""
    script = "import json, sys; d = json.load(sys.stdin); open(d['operation'], 'w').write(d['values']['KEY'])"

    async def all_at_once() -> None:
        sink = _python(tmp_path, script)
        await asyncio.gather(*(sink.deliver(parcel({"KEY": str(n)}, generation=n)) for n in range(12)))

    asyncio.run(all_at_once())
    assert {f"op-{n}": str(n) for n in range(12)} == {p.name: p.read_text() for p in tmp_path.iterdir()}


@pytest.mark.parametrize("command", [None, [], "./deliver.sh", ["./deliver.sh", 1], [""], {}])
def test_bad_command(tmp_path: Path, command: object) -> None:
    """Whatever is no list of words is refused when the sink is opened."""
    with pytest.raises(SinkError, match="sink hook: `command` is not a list of words"):
        ExecSink(SinkConfig("hook", "exec", {"command": command}), tmp_path)


@pytest.mark.parametrize("timeout", [0, -1, "60", True, None])
def test_bad_timeout(tmp_path: Path, timeout: object) -> None:
    """Whatever is no positive number of seconds is refused when the sink is opened."""
    with pytest.raises(SinkError, match="sink hook: `timeout` is not a number of seconds"):
        ExecSink(SinkConfig("hook", "exec", {"command": ["true"], "timeout": timeout}), tmp_path)
