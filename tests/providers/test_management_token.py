"""Getting a management token from where the manifest says that it is."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from provisioner.core.project import ProviderConfig, SecretSource
from provisioner.errors import SecretError
from provisioner.providers.auth import management_token

CANARY = "canary-management"


def _python(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


def _config(how: str, argument: str | tuple[str, ...]) -> ProviderConfig:
    source = SecretSource(how, argument)
    return ProviderConfig("acme", "test", "https://vendor.invalid", auth={"token": source})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACME_TOKEN", CANARY)
    monkeypatch.setenv("ACME_EMPTY", " \n")
    (tmp_path / "token").write_text(f"{CANARY}\n")
    (tmp_path / "latin").write_bytes(b"\xff" + CANARY.encode())
    return tmp_path


@pytest.mark.parametrize(
    ("how", "argument"),
    [
        ("env", "ACME_TOKEN"),
        ("file", "token"),
        ("exec", _python(f"print({CANARY!r})")),
        ("exec", _python("print(open('token').read())")),
    ],
)
def test_each_way_gives_the_token(how: str, argument: str | tuple[str, ...], root: Path) -> None:
    """A variable, a file of the project and a command's output each give the token without white space."""
    assert CANARY == management_token(_config(how, argument), root).reveal("token")


MISSING = [
    ("env", "ACME_NONE", "is missing", "set the variable ACME_NONE"),
    ("env", "ACME_EMPTY", "is empty", "look at the variable ACME_EMPTY"),
    ("file", "nowhere", "cannot be read: No such file or directory", "look at the file nowhere"),
    ("file", "latin", "cannot be read: it is not UTF-8", "look at the file latin"),
    ("exec", ("/nowhere/x",), "was not printed: FileNotFoundError", "run the command /nowhere/x by hand"),
    ("exec", _python(f"import sys; print({CANARY!r}, file=sys.stderr); sys.exit({CANARY!r})"),
     "was not printed: it ended with 1", f"run the command {sys.executable} by hand"),
]  # fmt: skip


@pytest.mark.parametrize(("how", "argument", "what", "remedy"), MISSING)
def test_what_is_missing_is_told_by_its_place(
    how: str, argument: str | tuple[str, ...], what: str, remedy: str, root: Path
) -> None:
    """An error says where the token was looked for and what to do, and never a value or an output."""
    with pytest.raises(SecretError) as caught:
        management_token(_config(how, argument), root)
    error = caught.value
    assert (f"acme in test: its management token {what}", remedy) == (error.message, error.remedy)
    assert (None, None) == (error.__cause__, error.__context__)


def test_no_source_is_told(root: Path) -> None:
    """A provider without `auth` is told how to get one."""
    with pytest.raises(SecretError, match="acme in test: it has no management token"):
        management_token(ProviderConfig("acme", "test", "https://vendor.invalid"), root)


def test_a_command_runs_without_a_shell(root: Path) -> None:
    """A command is words, not a line for a shell: what looks like one is a name."""
    line = shlex.join(_python(f"print({CANARY!r})"))
    with pytest.raises(SecretError, match="was not printed: FileNotFoundError"):
        management_token(_config("exec", line), root)
