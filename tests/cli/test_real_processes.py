"""What only a process of its own shows: imports, pipes, terminals and signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli

HEAVY = ("httpx", "jsonschema", "deepdiff", "sqlalchemy", "starlette", "rich", "yaml", "pyrage", "asyncio")


def _start(*args: str | Path, **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "provisioner", *map(str, args)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    return subprocess.Popen(command, text=True, **{**pipes, **more})  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["plan", "--help"], ["sandbox", "--help"]])
def test_start_up_is_lean(args: list[str]) -> None:
    """Help and version import nothing heavy."""
    script = (
        "import sys; sys.argv[1:] = sys.argv[2:]\n"
        "from provisioner.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"found = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(repr(found) if found else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "-", *args], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)


def test_completing_imports_nothing_heavy() -> None:
    """A shell that completes a command does not wait for libraries."""
    script = (
        f"import sys\nfrom provisioner.cli.program import program\n"
        f"try: program.main([])\nexcept SystemExit: pass\n"
        f"sys.exit(repr({set(HEAVY)!r} & set(sys.modules)) if {set(HEAVY)!r} & set(sys.modules) else 0)\n"
    )
    variables = {"_PROVISION_COMPLETE": "bash_complete", "COMP_WORDS": "provision pl", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "plain,plan\n") == (done.returncode, done.stdout)


def test_a_reader_that_leaves(cli: Cli) -> None:
    """A pipe whose reader is gone ends the program without a word."""
    read, write = os.pipe()
    os.close(read)
    process = _start("-C", cli.root, "schema", "project", stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=30)
    assert (1, "") == (process.returncode, err)


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("y", 1), ("", 1)])
def test_only_yes_is_a_yes(cli: Cli, answer: str, code: int) -> None:
    """At a terminal the question takes `yes` and nothing else."""
    ours, theirs = os.openpty()
    process = _start("-C", cli.root, "apply", stdin=theirs)
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    _, err = process.communicate(timeout=60)
    os.close(ours)
    assert (code, True) == (process.returncode, "Do this in test?" in err)
    assert (["active"] if code == 0 else []) == cli.ledger("payspace", "test")


SIGNALLING = """\
  app-env: {{type: exec, command: [sh, -c, "{script}"]}}
users:"""


def _with_sink(cli: Cli, script: str) -> None:
    cli.write(PAYROLL + REPORT + KEY)
    text = (cli.root / "provision.yaml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("  app-env:")]
    joined = "\n".join(lines).replace("users:", SIGNALLING.format(script=script), 1)
    (cli.root / "provision.yaml").write_text(joined + "\n")


@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_the_first_signal(cli: Cli, name: str) -> None:
    """The first Ctrl-C, or SIGTERM, finishes what is in flight, begins nothing more, and saves."""
    _with_sink(cli, f"cat >/dev/null; kill -{name} $PPID; sleep 0.3")
    process = _start("-C", cli.root, "apply", "--auto-approve", "--parallelism", "1")
    out, err = process.communicate(timeout=60)
    assert (1, "Apply: 1 done, 2 not started.") == (process.returncode, out.splitlines()[-1])
    assert "Once more stops hard" in err
    assert "Plan: 2 to create, 1 unchanged." == cli("plan").last


def test_the_second_signal(cli: Cli) -> None:
    """The second Ctrl-C stops at once with 130, and the next run recovers without a second key."""
    _with_sink(cli, "cat >/dev/null; kill -INT $PPID; sleep 0.3; kill -INT $PPID; sleep 60")
    process = _start("-C", cli.root, "apply", "--auto-approve", "--target", "test/payroll")
    _, err = process.communicate(timeout=30)
    assert (signal.SIGINT + 128, True) == (process.returncode, err.rstrip().endswith("stopped"))
    assert "! test/payroll   recover" in cli("plan", "--target", "test/payroll").out
    _with_sink(cli, "cat >/dev/null")
    cli.applied("--target", "test/payroll")
    assert ["active"] == cli.ledger("payspace", "test")


def test_colour(cli: Cli) -> None:
    """Colour is for terminals, and for whoever asks for it."""
    assert "\x1b[" not in cli("plan").out
    assert "\x1b[32m+\x1b[0m" in cli("plan", before=("--color", "always")).out


def test_serving_the_twins(cli: Cli) -> None:
    """A served twin is an endpoint like any vendor's, with a token from wherever `auth` says."""
    process = _start("-C", cli.root, "sandbox", "serve")
    assert process.stdout is not None
    endpoint = process.stdout.readline().split()[-1]
    assert endpoint.endswith("/payspace/test")
    token = [sys.executable, "-m", "provisioner", "-C", str(cli.root), "sandbox", "token", "payspace", "test"]
    cli.edit(
        "payspace: {test: {endpoint: sandbox}",
        f'payspace: {{test: {{endpoint: "{endpoint}", auth: {{token: {{exec: {token!r}}}}}}}',
        "provision.yaml",
    )
    cli.applied()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert 0 == process.returncode
    assert ["active"] == cli.ledger("payspace", "test")
